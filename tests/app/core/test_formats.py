"""The table of formats."""

import struct

from app.core.formats import DEFAULT_FORMAT, FORMATS, SAMPLE_BYTES, SAMPLE_RATE_HZ, WAV_STREAM_HEADER


def test_the_six_formats_of_openai_are_there() -> None:
    assert list(FORMATS) == ["mp3", "opus", "aac", "flac", "wav", "pcm"]
    assert DEFAULT_FORMAT == "mp3"


def test_each_is_known_by_its_name_and_media_type() -> None:
    assert {entry.name: entry.media_type for entry in FORMATS.values()} == {
        "mp3": "audio/mpeg",
        "opus": "audio/opus",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "wav": "audio/wav",
        "pcm": "audio/pcm",
    }


def test_wav_and_pcm_need_no_encoder() -> None:
    assert [name for name, entry in FORMATS.items() if not entry.is_encoded] == ["wav", "pcm"]
    assert FORMATS["pcm"].header == b""


def test_the_wav_header_says_24_khz_mono_16_bit_and_no_length() -> None:
    fields = struct.unpack("<4sI4s4sIHHIIHH4sI", WAV_STREAM_HEADER)
    byte_rate = SAMPLE_RATE_HZ * SAMPLE_BYTES
    assert fields == (
        *(b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16),
        *(1, 1, SAMPLE_RATE_HZ, byte_rate, SAMPLE_BYTES, 8 * SAMPLE_BYTES, b"data", 0xFFFFFFFF),
    )
    assert FORMATS["wav"].header == WAV_STREAM_HEADER
