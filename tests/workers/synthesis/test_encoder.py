"""The encoder: every format is valid, early and the same each time, and no process is left."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.core.errors import EncoderFailed, Misconfigured
from app.core.speech.formats import FORMATS, SAMPLE_RATE_HZ
from tests.audio import RAW, decode, ffmpeg, pitch_hz, sounding_seconds
from workers.synthesis.encoder import PipeEncoder, Sink, encoder_command, find_ffmpeg, open_encoder

ENCODED = [name for name, format_ in FORMATS.items() if format_.is_encoded]
LOSSLESS = ["wav", "pcm", "flac"]
LOSSY_FRAME_SECONDS = {"mp3": 576 / SAMPLE_RATE_HZ, "aac": 1024 / SAMPLE_RATE_HZ, "opus": 0.02}


def a_tone(seconds: float, hz: float = 440.0) -> bytes:
    phase = 2 * np.pi * hz * np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.5 * 32767 * np.sin(phase)).astype("<i2").tobytes()


def encode(
    format_name: str,
    pcm: bytes,
    write_bytes: int | None = None,
    *,
    rate_hz: int = SAMPLE_RATE_HZ,
    bitrate_bps: int | None = None,
) -> bytes:
    encoded: list[bytes] = []
    bitrate_bps = FORMATS[format_name].bitrate_bps if bitrate_bps is None else bitrate_bps
    with open_encoder(ffmpeg(), format_name, bitrate_bps, encoded.append, sample_rate_hz=rate_hz) as encoder:
        for start in range(0, len(pcm), write_bytes or len(pcm)):
            encoder.write(pcm[start : start + (write_bytes or len(pcm))])
        encoder.finish()
    return b"".join(encoded)


def a_pipe(sink: Sink, format_name: str = "mp3") -> PipeEncoder:
    return PipeEncoder(encoder_command(ffmpeg(), FORMATS[format_name], FORMATS[format_name].bitrate_bps), sink)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("format_name", LOSSLESS)
def test_what_loses_nothing_gives_back_the_very_samples(format_name: str) -> None:
    pcm = np.random.default_rng(1).integers(-32768, 32768, 30_001).astype("<i2").tobytes()

    decoded = decode(encode(format_name, pcm), format_name)

    assert (decoded * 32768).astype("<i2").tobytes() == pcm


@pytest.mark.parametrize("format_name", LOSSY_FRAME_SECONDS)
@pytest.mark.parametrize("seconds", [0.25, 1.0, 3.21])
def test_what_loses_something_keeps_length_and_pitch(format_name: str, seconds: float) -> None:
    silence = bytes(2 * SAMPLE_RATE_HZ // 5)

    decoded = decode(encode(format_name, silence + a_tone(seconds) + silence), format_name)

    assert sounding_seconds(decoded, 0.1) == pytest.approx(seconds, abs=LOSSY_FRAME_SECONDS[format_name])
    assert len(decoded) / SAMPLE_RATE_HZ >= seconds + 0.4
    assert pitch_hz(decoded) == pytest.approx(440, rel=0.01)


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_bytes_are_the_same_whatever_the_sizes_of_the_writes(format_name: str) -> None:
    pcm = a_tone(1.0)

    whole = encode(format_name, pcm)

    assert encode(format_name, pcm, 1000) == whole
    assert encode(format_name, pcm, 9998) == whole


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_first_bytes_leave_before_the_end_is_written(format_name: str) -> None:
    left = threading.Event()
    with open_encoder(ffmpeg(), format_name, FORMATS[format_name].bitrate_bps, lambda data: left.set()) as encoder:
        encoder.write(a_tone(1.0))

        assert left.wait(30)

        encoder.finish()


@pytest.mark.parametrize("format_name", ["mp3", "opus", "aac"])
def test_most_of_a_second_has_left_while_more_is_awaited(format_name: str) -> None:
    most = len(encode(format_name, a_tone(0.7)))
    encoded = bytearray()
    enough = threading.Event()

    def sink(data: bytes) -> None:
        encoded.extend(data)
        if len(encoded) > most:
            enough.set()

    with open_encoder(ffmpeg(), format_name, FORMATS[format_name].bitrate_bps, sink) as encoder:
        encoder.write(a_tone(1.0))

        assert enough.wait(30)


RATES = [(name, rate_hz) for name, format_ in FORMATS.items() for rate_hz in format_.sample_rates_hz]


@pytest.mark.parametrize(("format_name", "rate_hz"), RATES)
def test_every_format_has_every_rate_that_it_says(format_name: str, rate_hz: int) -> None:
    silence = bytes(2 * SAMPLE_RATE_HZ // 5)
    allowed = FORMATS[format_name].bitrates_at(rate_hz)
    pcm = silence + a_tone(1.0) + silence

    encoded = encode(format_name, pcm, rate_hz=rate_hz, bitrate_bps=allowed.most if allowed else 0)
    again = encode(format_name, pcm, 4800, rate_hz=rate_hz, bitrate_bps=allowed.most if allowed else 0)
    decoded = decode(encoded, format_name, rate_hz)

    assert encoded == again
    # pitch_hz and sounding_seconds assume 24 kHz.
    assert pitch_hz(decoded) * rate_hz / SAMPLE_RATE_HZ == pytest.approx(440, rel=0.01)
    assert sounding_seconds(decoded, 0.1) * SAMPLE_RATE_HZ / rate_hz == pytest.approx(1.0, abs=2048 / rate_hz)
    assert len(decoded) / rate_hz >= 1.4 - 1 / rate_hz
    if format_name != "opus" and format_name not in RAW:
        assert f"{rate_hz} Hz, mono" in describe(encoded)


def describe(encoded: bytes) -> str:
    """Returns ffmpeg's description of a file."""
    return subprocess.run(
        [ffmpeg(), "-hide_banner", "-i", "pipe:0"], input=encoded, capture_output=True, check=False
    ).stderr.decode()


@pytest.mark.parametrize("format_name", ["mp3", "opus", "aac"])
def test_more_bits_are_more_bytes(format_name: str) -> None:
    noise = np.random.default_rng(1).integers(-8000, 8000, 48_000).astype("<i2").tobytes()
    for rate_hz in FORMATS[format_name].sample_rates_hz:
        allowed = FORMATS[format_name].bitrates_at(rate_hz)
        assert allowed is not None
        sizes = [len(encode(format_name, noise, rate_hz=rate_hz, bitrate_bps=one)) for one in (allowed.least, allowed.most)]
        assert sizes[0] < sizes[1] < 2 * allowed.most / 8 * 1.1 + 5000


def test_wav_begins_with_the_header_of_a_stream_without_end() -> None:
    header = "52494646ffffffff57415645666d74201000000001000100c05d000080bb00000200100064617461ffffffff"

    encoded = encode("wav", a_tone(0.1), 100)

    assert encoded == bytes.fromhex(header) + a_tone(0.1)


def test_pcm_is_the_samples_alone() -> None:
    assert encode("pcm", a_tone(0.1)) == a_tone(0.1)


def test_mp3_begins_with_a_frame_of_sound() -> None:
    encoded = encode("mp3", a_tone(1.0))

    # Sync, MPEG 2 layer III, 24 kHz, one channel.
    assert int.from_bytes(encoded[:2], "big") & 0xFFFE == 0xFFF2
    assert encoded[2] >> 2 & 0b11 == 0b01
    assert encoded[3] >> 6 == 0b11
    assert not any(mark in encoded for mark in (b"ID3", b"TAG", b"Xing", b"Info", b"LAME3", b"Lavf"))


@pytest.mark.parametrize(("format_name", "magic"), [("opus", b"OggS"), ("flac", b"fLaC"), ("aac", b"\xff\xf1")])
def test_each_container_begins_as_it_should(format_name: str, magic: bytes) -> None:
    assert encode(format_name, a_tone(0.5)).startswith(magic)


def test_the_bitrate_is_the_one_that_was_asked_for() -> None:
    encoded: list[bytes] = []
    with open_encoder(ffmpeg(), "mp3", 64_000, encoded.append) as encoder:
        encoder.write(a_tone(5.0))
        encoder.finish()

    assert 8 * sum(map(len, encoded)) / 5 == pytest.approx(64_000, rel=0.03)


def test_a_process_that_is_killed_is_a_failure() -> None:
    with a_pipe(lambda data: None) as encoder:
        encoder.write(a_tone(0.1))
        os.kill(encoder._process.pid, signal.SIGKILL)

        with pytest.raises(EncoderFailed):
            encoder.finish()


def test_a_process_that_is_killed_is_a_failure_of_the_next_writes() -> None:
    with a_pipe(lambda data: None) as encoder:
        os.kill(encoder._process.pid, signal.SIGKILL)

        with pytest.raises(EncoderFailed):
            while True:
                encoder.write(a_tone(10.0))


def test_a_command_that_ends_with_an_error_is_a_failure() -> None:
    with PipeEncoder([str(ffmpeg()), "-no-such-option"], lambda data: None) as encoder, pytest.raises(EncoderFailed):
        encoder.finish()


def test_a_command_that_cannot_be_started_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(EncoderFailed):
        PipeEncoder([str(tmp_path / "absent")], lambda data: None)


def _leave_well(encoder: PipeEncoder) -> None:
    encoder.write(a_tone(0.1))
    encoder.finish()


def _leave_early(encoder: PipeEncoder) -> None:
    encoder.write(a_tone(0.1))


def _leave_with_an_error(encoder: PipeEncoder) -> None:
    raise GeneratorExit


@pytest.mark.parametrize("leave", [_leave_well, _leave_early, _leave_with_an_error])
def test_leaving_ends_the_process_and_the_thread(leave: Callable[[PipeEncoder], None]) -> None:
    encoder = a_pipe(lambda data: None)

    try:
        with encoder:
            leave(encoder)
    except GeneratorExit:
        pass

    assert not is_alive(encoder._process.pid)
    assert not encoder._output_thread.is_alive()
    assert encoder._process.stdin is not None
    assert encoder._process.stdin.closed


def test_what_the_sink_raises_ends_the_encoding_with_that() -> None:
    def sink(data: bytes) -> None:
        raise InterruptedError("nobody listens")

    encoder = a_pipe(sink)
    with encoder, pytest.raises(InterruptedError, match="nobody listens"):
        while True:
            encoder.write(a_tone(10.0))

    assert not is_alive(encoder._process.pid)


def test_what_the_sink_raises_at_the_end_is_raised_too() -> None:
    def sink(data: bytes) -> None:
        raise InterruptedError("nobody listens")

    with a_pipe(sink) as encoder:
        # Less than one frame: no bytes are sent before the end.
        encoder.write(a_tone(0.001))

        with pytest.raises(InterruptedError, match="nobody listens"):
            encoder.finish()


@pytest.mark.parametrize("format_name", ["wav", "pcm"])
def test_what_the_sink_raises_is_raised_where_there_is_no_process(format_name: str) -> None:
    def sink(data: bytes) -> None:
        raise InterruptedError("nobody listens")

    with open_encoder(ffmpeg(), format_name, 0, sink) as encoder, pytest.raises(InterruptedError):
        encoder.write(a_tone(0.1))


def test_the_binary_is_there_without_being_named() -> None:
    assert find_ffmpeg(None).is_file()


def test_the_one_that_is_named_is_used(tmp_path: Path) -> None:
    named = tmp_path / "my-ffmpeg"
    named.symlink_to(find_ffmpeg(None))

    assert find_ffmpeg(named) == named


@pytest.mark.parametrize("named", ["absent", "/bin/false", "/"])
def test_a_binary_that_does_not_work_is_told_with_the_setting(named: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="KOE_FFMPEG"):
        find_ffmpeg(tmp_path / named)
