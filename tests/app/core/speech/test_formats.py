"""The table of formats."""

import struct

import pytest

from app.core.speech.formats import (
    DEFAULT_FORMAT,
    FORMATS,
    JOB_FORMATS,
    OPENAI_FORMATS,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    SAMPLE_RATES_HZ,
    wav_stream_header,
)


def test_the_six_formats_of_openai_come_first() -> None:
    assert OPENAI_FORMATS == ("mp3", "opus", "aac", "flac", "wav", "pcm")
    assert tuple(FORMATS) == (*OPENAI_FORMATS, "ulaw", "alaw")
    assert DEFAULT_FORMAT == "mp3"


def test_each_is_known_by_its_name_and_media_type() -> None:
    assert {entry.name: entry.media_type for entry in FORMATS.values()} == {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "wav": "audio/wav",
        "pcm": "audio/pcm",
        "ulaw": "audio/basic",
        "alaw": "audio/x-alaw-basic",
    }


def test_the_media_type_has_the_rate_where_the_file_does_not() -> None:
    media_types = {entry.name: entry.media_type_at(16_000) for entry in FORMATS.values()}
    assert media_types == {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "wav": "audio/wav",
        "pcm": "audio/pcm;rate=16000",
        "ulaw": "audio/PCMU;rate=16000",
        "alaw": "audio/PCMA;rate=16000",
    }
    for entry in FORMATS.values():
        assert entry.media_type_at(entry.sample_rate_hz) == entry.media_type


def test_openais_formats_are_24_khz_and_those_of_telephones_8_khz() -> None:
    assert {entry.sample_rate_hz for entry in FORMATS.values() if entry.name in OPENAI_FORMATS} == {SAMPLE_RATE_HZ}
    assert {entry.sample_rate_hz for entry in FORMATS.values() if entry.name not in OPENAI_FORMATS} == {8000}
    for entry in FORMATS.values():
        assert entry.sample_rate_hz in entry.sample_rates_hz
        assert set(entry.sample_rates_hz) <= set(SAMPLE_RATES_HZ)


def test_wav_pcm_and_those_of_telephones_need_no_encoder() -> None:
    assert [name for name, entry in FORMATS.items() if not entry.is_encoded] == ["wav", "pcm", "ulaw", "alaw"]
    assert [name for name, entry in FORMATS.items() if entry.has_wav_header] == ["wav"]


def test_jobs_have_the_audiobook_too_with_the_rates_and_bitrates_of_aac() -> None:
    assert tuple(JOB_FORMATS) == (*FORMATS, "m4b")
    m4b, aac = JOB_FORMATS["m4b"], FORMATS["aac"]
    assert (m4b.media_type, m4b.codec, m4b.bitrate_bps) == ("audio/mp4", aac.codec, aac.bitrate_bps)
    assert [m4b.bitrates_at(rate) for rate in m4b.sample_rates_hz] == [aac.bitrates_at(rate) for rate in aac.sample_rates_hz]


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_the_wav_header_says_the_rate_mono_16_bit_and_no_length(rate_hz: int) -> None:
    fields = struct.unpack("<4sI4s4sIHHIIHH4sI", wav_stream_header(rate_hz))
    assert fields == (
        *(b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16),
        *(1, 1, rate_hz, rate_hz * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES, b"data", 0xFFFFFFFF),
    )


@pytest.mark.parametrize(
    ("name", "rate_hz", "allowed", "refused"),
    [
        ("mp3", 8000, [8000, 64_000], [72_000, 80_000, 0, -1]),
        ("mp3", 24_000, [8000, 128_000, 144_000, 160_000], [127_999, 192_000]),
        ("mp3", 44_100, [32_000, 128_000, 320_000], [24_000, 144_000]),
        ("opus", 24_000, [6000, 6001, 256_000], [5999, 256_001]),
        ("aac", 24_000, [8000, 144_000], [7999, 144_001]),
        ("aac", 8000, [8000, 48_000], [48_001]),
    ],
)
def test_each_codec_takes_the_bitrates_of_its_rate(name: str, rate_hz: int, allowed: list[int], refused: list[int]) -> None:
    bitrates = FORMATS[name].bitrates_at(rate_hz)
    assert bitrates is not None
    assert all(one in bitrates for one in allowed)
    assert not any(one in bitrates for one in refused)
    assert str(bitrates.most) in str(bitrates)


@pytest.mark.parametrize("name", ["flac", "wav", "pcm", "ulaw", "alaw"])
def test_the_others_have_none_to_choose(name: str) -> None:
    assert FORMATS[name].bitrates_at(8000) is None
    assert FORMATS[name].bitrate_bps == 0
