"""Finished files: as long as their parts, to the sample, with headers, titles and chapters that other programs can read."""

import hashlib
import io
import re
import struct
import subprocess
import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import soundfile

from app.core.errors import Cancelled, EncoderFailed, InternalError
from app.core.jobs.files import Store
from app.core.speech.formats import JOB_FORMATS, SAMPLE_RATE_HZ
from tests.audio import RAW, decode, ffmpeg, pitch_hz
from workers.jobs.assemble import AssembledFile, AudioPart, AudioTimeline, Cover, assemble, count_samples
from workers.jobs.file_headers import Tags
from workers.synthesis.audio import to_pcm
from workers.synthesis.resampling import n_resampled

TITLE = "Birds; a = book #1 \\ für Ōe"
CHAPTERS = ["Chapter 1: “Sparrows”", None, "第二章"]
EXACT = ["wav", "flac", "opus", "mp3"]
"""The formats whose length libsndfile reads too."""


def tone(n_samples: int, hz: float) -> bytes:
    return to_pcm((0.3 * np.sin(2 * np.pi * hz * np.arange(n_samples) / SAMPLE_RATE_HZ)).astype(np.float32))


PARTS = [tone(30_007, 300.0), tone(24_000, 600.0), tone(40_001, 900.0)]


def opened(pcm: bytes) -> BinaryIO:
    return io.BytesIO(pcm)


def timeline_of(parts: list[bytes] = PARTS, pause_seconds: float = 0.35) -> AudioTimeline:
    return AudioTimeline(
        AudioPart(open=partial(opened, pcm), n_bytes=len(pcm), pause_seconds=pause_seconds, chapter=chapter)
        for pcm, chapter in zip(parts, CHAPTERS, strict=False)
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


Assemble = Callable[..., tuple[AssembledFile, bytes]]


@pytest.fixture
def assembled(store: Store) -> Assemble:
    def make(format_name: str, timeline: AudioTimeline | None = None, **changes: object) -> tuple[AssembledFile, bytes]:
        path = f"job/speech.{format_name}"
        options = {
            "format_name": format_name,
            "bitrate_bps": JOB_FORMATS[format_name].bitrate_bps,
            "tags": Tags(title=TITLE),
            "ffmpeg_path": ffmpeg(),
            "check": lambda: None,
        }
        done = assemble(timeline or timeline_of(), lambda: store.put(path), **(options | changes))  # type: ignore[arg-type]
        with store.open(path) as file:
            return done, file.read(-1)

    return make


@pytest.fixture(scope="module")
def in_all_formats(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Returns one finished file for each format."""
    folder = tmp_path_factory.mktemp("finished")
    store = Store(str(folder))
    for name, format_ in JOB_FORMATS.items():
        assemble(
            timeline_of(),
            partial(store.put, f"speech.{name}"),
            format_name=name,
            bitrate_bps=format_.bitrate_bps,
            tags=Tags(title=TITLE),
            ffmpeg_path=ffmpeg(),
            check=lambda: None,
        )
    return {name: folder / f"speech.{name}" for name in JOB_FORMATS}


@pytest.mark.parametrize("format_name", [*EXACT, "m4b"])
def test_a_file_is_as_long_as_its_parts_and_pauses_to_the_sample(format_name: str, in_all_formats: dict[str, Path]) -> None:
    path = in_all_formats[format_name]
    assert count_samples(ffmpeg(), path) == timeline_of().n_samples


def test_pcm_is_the_parts_and_pauses_alone(in_all_formats: dict[str, Path]) -> None:
    assert in_all_formats["pcm"].read_bytes() == b"".join(timeline_of().pcm())
    assert len(b"".join(timeline_of().pcm())) == 2 * timeline_of().n_samples


def test_adts_is_longer_by_the_frames_that_it_cannot_cut(in_all_formats: dict[str, Path]) -> None:
    n_more = count_samples(ffmpeg(), in_all_formats["aac"]) - timeline_of().n_samples
    assert 0 <= n_more <= 2 * 1024


@pytest.mark.parametrize("format_name", EXACT)
def test_libsndfile_reads_the_same_length_from_the_header(format_name: str, in_all_formats: dict[str, Path]) -> None:
    with soundfile.SoundFile(in_all_formats[format_name]) as file:
        seconds = file.frames / file.samplerate
    assert seconds == pytest.approx(timeline_of().n_samples / SAMPLE_RATE_HZ, abs=1 / SAMPLE_RATE_HZ / 2)


@pytest.mark.parametrize("format_name", ["wav", "flac", "opus", "mp3", "aac", "m4b"])
def test_the_parts_are_heard_in_order(format_name: str, in_all_formats: dict[str, Path]) -> None:
    samples = decode(in_all_formats[format_name].read_bytes(), format_name)
    start, pitches = 0, []
    for pcm in PARTS:
        pitches.append(pitch_hz(samples[start + 6000 : start + 18_000]))
        start += len(pcm) // 2 + round(0.35 * SAMPLE_RATE_HZ)
    assert pitches == pytest.approx([300.0, 600.0, 900.0], abs=3.0)


@pytest.mark.parametrize("format_name", ["wav", "flac", "opus", "mp3"])
def test_the_title_is_told_to_players(format_name: str, in_all_formats: dict[str, Path]) -> None:
    assert f": {TITLE}\n" in _described(in_all_formats[format_name])
    with soundfile.SoundFile(in_all_formats[format_name]) as file:
        assert file.title == TITLE


@pytest.mark.parametrize("title", ["Bücher: 本", "Ōe", "👩\u200d🚀 " * 20])
def test_a_wav_tells_its_title_in_two_ways_where_it_is_not_ascii(title: str, assembled: Assemble, tmp_path: Path) -> None:
    path = tmp_path / "told.wav"
    path.write_bytes(assembled("wav", tags=Tags(title=title))[1])
    data = path.read_bytes()
    assert title.encode() in data
    assert title.encode("utf-16-le") in data
    assert re.findall(r" title +: (.*)", _described(path)) == [title]
    assert count_samples(ffmpeg(), path) == timeline_of().n_samples
    with soundfile.SoundFile(path) as file:
        assert (file.title, len(file)) == (title, timeline_of().n_samples)


@pytest.mark.parametrize("title", ["x\\", "x\\ ", "a\\b\\\\", "a=b;#c\\"])
def test_a_title_that_ends_with_a_backslash_spoils_no_tag(title: str, assembled: Assemble, tmp_path: Path) -> None:
    parts = [AudioPart(open=partial(opened, PARTS[0]), n_bytes=len(PARTS[0]), chapter=chapter) for chapter in (title, "Second")]
    path = tmp_path / "told.mp3"
    path.write_bytes(assembled("mp3", AudioTimeline(parts), tags=Tags(title=title))[1])
    text = _described(path)
    assert re.findall(r" title +: (.*)", text) == [title.rstrip("\\ "), title.rstrip("\\ "), "Second"]
    assert "TIMEBASE" not in text


@pytest.mark.parametrize("format_name", ["mp3", "opus", "m4b"])
def test_the_chapters_are_told_to_players(format_name: str, in_all_formats: dict[str, Path]) -> None:
    text = _described(in_all_formats[format_name])
    second = (sum(len(pcm) for pcm in PARTS[:2]) // 2 + 2 * round(0.35 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    starts = [float(start) for start in re.findall(r"Chapter #0:\d: start ([\d.]+)", text)]
    assert starts == pytest.approx([0.0, second], abs=0.002)
    assert [name for name in re.findall(r"title +: (.*)", text) if name in CHAPTERS] == [CHAPTERS[0], CHAPTERS[2]]


@pytest.mark.parametrize("format_name", ["flac", "opus"])
def test_the_chapters_are_comments_too_where_the_format_knows_comments(
    format_name: str, in_all_formats: dict[str, Path]
) -> None:
    data = in_all_formats[format_name].read_bytes()
    assert b"CHAPTER001=00:00:00.000" in data
    assert f"CHAPTER001NAME={CHAPTERS[0]}".encode() in data
    assert b"CHAPTER002=00:00:02.950" in data
    assert b"CHAPTER003" not in data


@pytest.mark.parametrize("format_name", list(JOB_FORMATS))
def test_a_file_without_a_title_and_chapters_has_no_tags(format_name: str, assembled: Assemble) -> None:
    pcm = tone(12_000, 300.0)
    done, data = assembled(format_name, AudioTimeline([AudioPart(open=partial(opened, pcm), n_bytes=len(pcm))]), tags=Tags())
    assert not re.search(rb"TIT2|title|INAM|LIST|CHAP", data, re.IGNORECASE)
    assert done == AssembledFile(n_bytes=len(data), etag=hashlib.sha256(data).hexdigest()[:32], seconds=0.5)


@pytest.mark.parametrize("format_name", ["mp3", "opus", "flac", "m4b"])
def test_the_same_parts_give_the_same_bytes(format_name: str, assembled: Assemble, in_all_formats: dict[str, Path]) -> None:
    assert assembled(format_name)[1] == in_all_formats[format_name].read_bytes()


# Audiobooks


def picture(media_type: str, folder: Path, side: int = 96) -> bytes:
    path = folder / f"cover.{media_type.partition('/')[2]}"
    source = ["-f", "lavfi", "-i", f"color=teal:s={side}x{side}", "-frames:v", "1", str(path)]
    subprocess.run([str(ffmpeg()), "-v", "error", "-y", *source], check=True)
    return path.read_bytes()


def boxes(data: bytes) -> dict[str, bytes]:
    """Returns the outermost boxes of an MP4, in order."""
    found, place = {}, 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        found[data[place + 4 : place + 8].decode()] = data[place + 8 : place + size]
        place += size
    return found


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/png"])
def test_an_audiobook_has_its_cover_as_it_was(media_type: str, assembled: Assemble, tmp_path: Path) -> None:
    cover = Cover(media_type, picture(media_type, tmp_path))
    path = tmp_path / "book.m4b"
    path.write_bytes(assembled("m4b", cover=cover)[1])

    assert cover.data in path.read_bytes()
    assert "(attached pic)" in _described(path)
    assert count_samples(ffmpeg(), path) == timeline_of().n_samples


def test_an_audiobook_says_what_and_whose_it_is(assembled: Assemble, tmp_path: Path) -> None:
    path = tmp_path / "book.m4b"
    path.write_bytes(assembled("m4b", tags=Tags(title="Emma; 1", author="Jane Austen"))[1])

    told = dict(re.findall(r"^    (\w+) +: (.*)$", _described(path), re.MULTILINE))
    expected = {"title": "Emma; 1", "album": "Emma; 1", "artist": "Jane Austen", "genre": "Audiobook", "media_type": "2"}
    assert told | expected == told
    assert told["major_brand"].strip() == "M4B"


@pytest.mark.parametrize("format_name", ["mp3", "opus", "flac"])
def test_the_author_is_told_to_players(format_name: str, assembled: Assemble, tmp_path: Path) -> None:
    path = tmp_path / f"book.{format_name}"
    path.write_bytes(assembled(format_name, tags=Tags(title="Emma", author="Jane Austen"))[1])

    assert re.search(r"artist +: Jane Austen\n", _described(path), re.IGNORECASE)


def test_an_audiobook_has_its_index_before_the_audio_so_that_browsers_can_seek_at_once(assembled: Assemble) -> None:
    names = [*boxes(assembled("m4b")[1])]

    assert names[0] == "ftyp"
    assert names.index("moov") < names.index("mdat")


def test_an_audiobook_has_any_number_of_chapters(assembled: Assemble, tmp_path: Path) -> None:
    pcm = tone(1200, 300.0)
    path = tmp_path / "book.m4b"
    many = AudioTimeline(AudioPart(open=partial(opened, pcm), n_bytes=len(pcm), chapter=f"No. {n}") for n in range(400))
    path.write_bytes(assembled("m4b", many)[1])

    titles = re.findall(r"title +: (No\. \d+)", _described(path))
    assert titles == [f"No. {number}" for number in range(400)]


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xe0 no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_cover_that_cannot_be_read_is_left_out(data: bytes, assembled: Assemble, in_all_formats: dict[str, Path]) -> None:
    assert assembled("m4b", cover=Cover("image/jpeg", data))[1] == in_all_formats["m4b"].read_bytes()


def test_an_mp3_says_how_many_frames_it_has_and_what_to_cut_off(in_all_formats: dict[str, Path]) -> None:
    data = in_all_formats["mp3"].read_bytes()
    assert data.startswith(b"ID3\x03")
    info = data.index(b"Info")
    flags, n_frames, n_bytes = struct.unpack_from(">III", data, info + 4)
    assert flags & 3 == 3
    cut = int.from_bytes(data[info + 141 : info + 144], "big")
    encoder_delay, padding = cut >> 12, cut & 0xFFF
    assert n_frames * 576 - encoder_delay - padding == timeline_of().n_samples
    assert n_bytes == len(data) - data.index(b"\xff\xf3", 10)


@pytest.mark.parametrize("n_samples", [577, 23_041, 23_086, 23_087, 24_191])
def test_an_mp3_of_any_length_is_exact(n_samples: int, assembled: Assemble, tmp_path: Path) -> None:
    """For three of these lengths, the encoder itself would write too little end padding."""
    pcm = tone(n_samples, 300.0)
    path = tmp_path / "short.mp3"
    path.write_bytes(assembled("mp3", AudioTimeline([AudioPart(open=partial(opened, pcm), n_bytes=len(pcm))]))[1])
    assert count_samples(ffmpeg(), path) == n_samples
    assert soundfile.info(str(path)).frames == n_samples


def test_a_flac_says_how_long_it_is_and_what_its_samples_digest_to(in_all_formats: dict[str, Path]) -> None:
    data = in_all_formats["flac"].read_bytes()
    n_samples = int.from_bytes(data[21:26], "big") & 0xF_FFFF_FFFF
    assert n_samples == timeline_of().n_samples
    assert data[26:42] == hashlib.md5(b"".join(timeline_of().pcm())).digest()


def test_a_wav_has_true_sizes(in_all_formats: dict[str, Path]) -> None:
    path = in_all_formats["wav"]
    assert struct.unpack_from("<I", path.read_bytes(), 4)[0] == path.stat().st_size - 8
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (1, 2, SAMPLE_RATE_HZ, timeline_of().n_samples)
        assert file.readframes(file.getnframes()) == b"".join(timeline_of().pcm())


RATES = [
    (name, rate_hz) for name, format_ in JOB_FORMATS.items() for rate_hz in format_.sample_rates_hz if rate_hz != SAMPLE_RATE_HZ
]


@pytest.mark.parametrize(("format_name", "rate_hz"), RATES)
def test_a_file_at_another_rate_is_as_long_to_the_sample(
    format_name: str, rate_hz: int, assembled: Assemble, tmp_path: Path
) -> None:
    allowed = JOB_FORMATS[format_name].bitrates_at(rate_hz)
    done, data = assembled(format_name, sample_rate_hz=rate_hz, bitrate_bps=allowed.least if allowed else 0)
    n_samples = n_resampled(timeline_of().n_samples, rate_hz)
    path = tmp_path / f"speech.{format_name}"
    path.write_bytes(data)

    assert done.seconds == timeline_of().n_samples / SAMPLE_RATE_HZ
    if format_name in RAW:
        assert len(data) == n_samples * (2 if format_name == "pcm" else 1)
    elif format_name == "aac":
        assert 0 <= count_samples(ffmpeg(), path, rate_hz) - n_samples <= 3 * 1024
    else:
        assert format_name == "opus" or count_samples(ffmpeg(), path, rate_hz) == n_samples
    if format_name in EXACT:
        info = soundfile.info(str(path))
        assert info.frames / info.samplerate == pytest.approx(n_samples / rate_hz, abs=0.6 / rate_hz)
    if format_name == "wav":
        with wave.open(str(path)) as file:
            assert file.getparams()[:4] == (1, 2, rate_hz, n_samples)


@pytest.mark.parametrize("format_name", ["mp3", "opus", "m4b"])
def test_the_chapters_stay_where_they_are_at_another_rate(format_name: str, assembled: Assemble, tmp_path: Path) -> None:
    path = tmp_path / f"speech.{format_name}"
    path.write_bytes(assembled(format_name, sample_rate_hz=48_000)[1])
    second = (sum(len(pcm) for pcm in PARTS[:2]) // 2 + 2 * round(0.35 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    starts = [float(start) for start in re.findall(r"Chapter #0:\d: start ([\d.]+)", _described(path))]
    assert starts == pytest.approx([0.0, second], abs=0.002)


def test_a_gain_is_heard(assembled: Assemble) -> None:
    pcm = PARTS[0]
    _, data = assembled("pcm", AudioTimeline([AudioPart(open=partial(opened, pcm), n_bytes=len(pcm), gain_db=-3.0)]))
    before, after = (float(np.abs(decode(one, "pcm")).max()) for one in (pcm, data))
    assert after == pytest.approx(before * 10 ** (-3 / 20), rel=0.001)


@pytest.mark.parametrize("format_name", ["wav", "mp3"])
def test_a_part_that_lost_its_end_fails_and_leaves_no_file(format_name: str, assembled: Assemble, store: Store) -> None:
    short = AudioTimeline([AudioPart(open=partial(opened, PARTS[0][:-2]), n_bytes=len(PARTS[0]))])
    with pytest.raises(InternalError):
        assembled(format_name, short)
    assert not store.exists(f"job/speech.{format_name}")


@pytest.mark.parametrize("format_name", ["wav", "opus"])
def test_what_the_check_raises_ends_the_work_and_leaves_no_file(format_name: str, assembled: Assemble, store: Store) -> None:
    def refuse() -> None:
        raise Cancelled("no")

    with pytest.raises(Cancelled):
        assembled(format_name, check=refuse)
    assert not store.exists(f"job/speech.{format_name}")


@pytest.mark.parametrize("script", ["exit 1", "cat > /dev/null; exit 1", "kill -9 $$"])
def test_an_encoder_that_fails_is_told(script: str, assembled: Assemble, tmp_path: Path) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text(f"#!/bin/sh\n{script}\n")
    broken.chmod(0o755)
    with pytest.raises(EncoderFailed):
        assembled("mp3", ffmpeg_path=broken)


def test_a_file_shorter_than_its_parts_is_not_handed_out(assembled: Assemble, store: Store, tmp_path: Path) -> None:
    """The encoder loses the end of the audio without an error."""
    lossy = tmp_path / "ffmpeg"
    lossy.write_text(f'#!/bin/sh\ncase "$*" in *pipe:0*) exec {ffmpeg()} -t 2.5 "$@";; *) exec {ffmpeg()} "$@";; esac\n')
    lossy.chmod(0o755)
    with pytest.raises(InternalError) as caught:
        assembled("flac", ffmpeg_path=lossy)
    assert type(caught.value) is InternalError
    assert not store.exists("job/speech.flac")


def test_a_book_with_more_chapters_than_id3_can_list_is_finished_without_them(assembled: Assemble) -> None:
    pcm = tone(1200, 300.0)
    many = AudioTimeline(AudioPart(open=partial(opened, pcm), n_bytes=len(pcm), chapter=str(number)) for number in range(256))
    assert b"CHAP" not in assembled("mp3", many)[1]


def _described(path: Path) -> str:
    """Returns ffmpeg's description of a file."""
    command = [str(ffmpeg()), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, check=False).stderr.decode()


def test_no_temporary_file_is_left(assembled: Assemble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    assembled("mp3")
    assert not list((tmp_path / "tmp").iterdir())
