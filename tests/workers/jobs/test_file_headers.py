"""Headers that no encoder writes for us, as other programs read them."""

import struct
import subprocess
from pathlib import Path

import pytest
import soundfile

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.audio import ffmpeg
from workers.jobs.file_headers import Tags, correct_mp3_length, tags_of, wav_header


def test_a_wav_beyond_four_gigabytes_is_an_rf64(tmp_path: Path) -> None:
    n_bytes = 5 * 1024**3
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        header = wav_header(n_bytes, "Birds")
        file.write(header)
        file.truncate(len(header) + n_bytes)
    with soundfile.SoundFile(path) as sound:
        assert (sound.format, sound.frames) == ("RF64", n_bytes // 2)
    assert struct.unpack_from("<Q", header, 20)[0] == len(header) + n_bytes - 8


def test_the_largest_riff_is_still_one() -> None:
    overhead = len(wav_header(0, None)) - 8
    assert wav_header(0xFFFF_FFFE - overhead, None).startswith(b"RIFF\xfe\xff\xff\xff")
    assert wav_header(0x1_0000_0000 - overhead, None).startswith(b"RF64")


def test_correcting_a_correct_mp3_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "right.mp3"
    source = ["-f", "s16le", "-ar", str(SAMPLE_RATE_HZ), "-ac", "1", "-i", "pipe:0"]
    subprocess.run([ffmpeg(), "-v", "error", *source, "-fflags", "+bitexact", path], input=bytes(48_000), check=True)
    before = path.read_bytes()
    correct_mp3_length(path, 24_000)
    assert path.read_bytes() == before
    correct_mp3_length(path, 23_999)
    assert path.read_bytes() != before


def test_a_file_without_the_frame_that_tells_its_length_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "plain.mp3"
    path.write_bytes(b"\xff\xf3\xc4\xc4" + bytes(500))
    correct_mp3_length(path, 1000)
    assert path.read_bytes() == b"\xff\xf3\xc4\xc4" + bytes(500)


@pytest.mark.parametrize("title", ["odd", "even", "Ōe", "x" * 300])
def test_the_header_of_a_wav_keeps_its_chunks_at_even_places(title: str) -> None:
    header = wav_header(8, title)
    assert header[12:16] == b"fmt "
    place = 12
    while header[place : place + 4] != b"data":
        place += 8 + int.from_bytes(header[place + 4 : place + 8], "little")
        place += place % 2
    assert place + 8 == len(header)
    assert title.encode() in header


def test_a_title_cannot_break_out_of_its_tag() -> None:
    tags = tags_of("flac", Tags(title="a\n[CHAPTER]\rtitle=b;#\\\0"), [])
    assert tags == ";FFMETADATA1\ntitle=a [CHAPTER] title\\=b\\;\\#\n"
