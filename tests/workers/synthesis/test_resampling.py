"""Resampling keeps sound and length, whatever the sizes of the pieces. Other programs can read the G.711."""

import subprocess

import numpy as np
import pytest

from app.core.speech.formats import FORMATS, SAMPLE_RATE_HZ, SAMPLE_RATES_HZ
from tests.audio import RAW, ffmpeg, pitch_hz
from workers.synthesis.resampling import Law, Resampler, compress, n_resampled, resample

OTHERS = [rate_hz for rate_hz in SAMPLE_RATES_HZ if rate_hz != SAMPLE_RATE_HZ]


def noise(n_samples: int) -> bytes:
    return np.random.default_rng(5).integers(-8000, 8000, n_samples).astype("<i2").tobytes()


def tone(n_samples: int, hz: float, level: float = 0.5) -> bytes:
    phase = 2 * np.pi * hz * np.arange(n_samples) / SAMPLE_RATE_HZ
    return (level * 32767 * np.sin(phase)).round().astype("<i2").tobytes()


def at_once(pcm: bytes, rate_hz: int) -> bytes:
    return b"".join(resample(iter([pcm]), rate_hz))


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32767


@pytest.mark.parametrize("rate_hz", OTHERS)
@pytest.mark.parametrize("n_samples", [0, 1, 7, 6000, 30_007, 240_000])
def test_it_lasts_as_long_as_before_to_half_a_sample(rate_hz: int, n_samples: int) -> None:
    n_after = len(at_once(noise(n_samples), rate_hz)) // 2
    assert n_after == n_resampled(n_samples, rate_hz)
    assert abs(n_after / rate_hz - n_samples / SAMPLE_RATE_HZ) <= 0.5 / rate_hz + 1e-9


@pytest.mark.parametrize("rate_hz", OTHERS)
@pytest.mark.parametrize("piece_bytes", [2, 1000, 48_000])
def test_the_bytes_are_the_same_whatever_the_sizes_of_the_pieces(rate_hz: int, piece_bytes: int) -> None:
    pcm = noise(5003 if piece_bytes == 2 else 60_007)
    pieces = (pcm[start : start + piece_bytes] for start in range(0, len(pcm), piece_bytes))
    assert b"".join(resample(pieces, rate_hz)) == at_once(pcm, rate_hz)


@pytest.mark.parametrize("rate_hz", OTHERS)
def test_a_tone_keeps_its_pitch_its_level_and_its_place(rate_hz: int) -> None:
    before, after = tone(48_000, 1000), samples(at_once(tone(48_000, 1000), rate_hz))
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(after)) / rate_hz)
    edge = rate_hz // 10
    assert np.abs(after - expected)[edge:-edge].max() < 0.001
    assert pitch_hz(samples(before)) == pytest.approx(1000, abs=1)


def test_what_is_too_high_for_a_rate_is_not_folded_down() -> None:
    """6 kHz would become 2 kHz."""
    after = samples(at_once(tone(48_000, 6000), 8000))
    assert np.abs(after)[800:-800].max() < 0.001


def test_the_rate_of_the_engines_leaves_every_byte_as_it_is() -> None:
    pieces = [noise(100), noise(7)]
    assert list(resample(iter(pieces), SAMPLE_RATE_HZ)) == pieces


def test_most_of_a_sound_is_there_before_more_of_it_comes() -> None:
    for rate_hz in OTHERS:
        given = Resampler(rate_hz).add(noise(SAMPLE_RATE_HZ))
        assert len(given) / 2 / rate_hz > 0.9


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_every_sample_is_read_back_as_near_as_the_standard_allows(law: Law) -> None:
    wanted = np.arange(-32_768, 32_768)
    raw = ["-f", RAW[law], "-ar", "8000", "-ac", "1", "-i", "pipe:0", "-f", "s16le", "pipe:1"]
    command = [str(ffmpeg()), "-v", "error", *raw]
    packed = compress(wanted.astype("<i2").tobytes(), law)
    read = np.frombuffer(subprocess.run(command, input=packed, capture_output=True, check=True).stdout, "<i2").astype(int)

    assert len(packed) == 65_536
    assert len(set(packed)) == {"ulaw": 255, "alaw": 256}[law]  # ulaw also has a negative zero, which no sample becomes
    # A step is a sixteenth of an octave, and 8 or 16 near zero. Louder samples are clipped to 32124 and 32256.
    allowed = np.maximum(np.abs(wanted) / 32 + 8, np.where(np.abs(wanted) > 32_000, 700, 0))
    assert (np.abs(read - wanted) <= allowed).all()
    assert (np.diff(read) >= 0).all()


def test_silence_is_what_telephones_send_for_it() -> None:
    assert compress(bytes(4), "ulaw") == b"\xff\xff"
    assert compress(bytes(4), "alaw") == b"\xd5\xd5"


@pytest.mark.parametrize(
    ("law", "sample", "byte"),
    [
        ("ulaw", 1000, 0xCE),
        ("ulaw", -1000, 0x4E),
        ("ulaw", 32_767, 0x80),
        ("ulaw", -32_768, 0x00),
        ("alaw", 1000, 0xFA),
        ("alaw", -1000, 0x7A),
        ("alaw", 32_767, 0xAA),
        ("alaw", -32_768, 0x2A),
    ],
)
def test_known_samples_have_their_known_bytes(law: Law, sample: int, byte: int) -> None:
    assert compress(sample.to_bytes(2, "little", signed=True), law) == bytes([byte])


def test_every_law_is_a_format() -> None:
    assert {"ulaw", "alaw"} == {entry.codec for entry in FORMATS.values() if entry.codec and not entry.is_encoded}
