"""Assembles parts into one file, in constant memory, with exact lengths in the headers, a title, chapters, and a cover.

Why the encoder writes a file on the disk and not a stream: mp3 and flac have their length in the first bytes, and an encoder
knows it only at the end.

Why not pydub: it keeps the whole recording in memory, and a book is gigabytes.

Why the file is decoded once for a check: its length must be that of the speech, exact to the sample if the format allows this.
"""

import hashlib
import io
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import ffmpeg
import msgspec
import structlog

from app.core.errors import EncoderFailed, InternalError, StoreFailed
from app.core.speech.formats import COVER_FORMAT, JOB_FORMATS, SAMPLE_BYTES, SAMPLE_RATE_HZ, Format
from workers.jobs.file_headers import Mark, Tags, correct_mp3_length, tags_of, wav_header
from workers.jobs.loudness import amplify
from workers.synthesis.encoder import raw_writer
from workers.synthesis.joining import silence
from workers.synthesis.resampling import n_resampled, resample

log: Final = structlog.get_logger()

_CHUNK_BYTES: Final = 1 << 20

_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "mp3": {"id3v2_version": 3},
    "opus": {"application": "voip"},
    "aac": {},
    "flac": {},
    "m4b": {"brand": "M4B ", "movflags": "+faststart"},
}
_SLACK_SAMPLES: Final = {"mp3": 1152, "aac": 3072, "flac": 0, "m4b": 0}
"""Largest difference between decoded and written length: a frame, if the encoder does not store the exact end."""
_OPUS_FRAMES_A_SECOND: Final = 50
"""The tolerance for opus is one frame: at low bitrates ffmpeg's decoder may drop up to a frame."""


_COVER_DEMUXERS: Final = {"image/jpeg": "jpeg_pipe", "image/png": "png_pipe"}
"""ffmpeg's demuxer for each media type that a cover may have."""


class Cover(msgspec.Struct, frozen=True):
    """A picture for the file."""

    media_type: str
    data: bytes


class AudioPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the file."""

    open: Callable[[], BinaryIO]
    """Opens its pcm at the beginning."""
    n_bytes: int
    gain_db: float = 0.0
    pause_seconds: float = 0.0
    """Silence after the part."""
    chapter: str | None = None
    """Title of the chapter that begins with this part."""


class AudioTimeline:
    """Parts in order, as one stream of pcm. Its length is known before it is read."""

    def __init__(self, parts: Iterable[AudioPart]) -> None:
        self._parts = list(parts)

    @cached_property
    def n_samples(self) -> int:
        """Total length in samples."""
        return sum(map(_n_samples, self._parts))

    @cached_property
    def chapters(self) -> list[Mark]:
        """The chapters; each ends where the next begins."""
        starts: list[tuple[int, str]] = []
        place = 0
        for part in self._parts:
            if part.chapter is not None:
                starts.append((place, part.chapter))
            place += _n_samples(part)
        edges = [*(start for start, _ in starts), self.n_samples]
        return [Mark(start, end, title) for (_, title), (start, end) in zip(starts, pairwise(edges), strict=True)]

    def pcm(self) -> Iterator[bytes]:
        """Yields all pcm in chunks. Raises InternalError if a part is shorter than its recorded length."""
        for part in self._parts:
            yield from (amplify(pcm, part.gain_db) for pcm in _read(part))
            yield silence(part.pause_seconds)


class AssembledFile(msgspec.Struct, frozen=True, kw_only=True):
    """Size, ETag and length of the finished file."""

    n_bytes: int
    etag: str
    """The first 32 hex digits of the SHA-256 of its bytes."""
    seconds: float


def assemble(
    timeline: AudioTimeline,
    put: Callable[[], AbstractContextManager[BinaryIO]],
    *,
    format_name: str,
    bitrate_bps: int,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    tags: Tags,
    cover: Cover | None = None,
    ffmpeg_path: Path,
    check: Callable[[], None],
) -> AssembledFile:
    """Writes the file to the stream that `put` opens. Only an m4b has a cover; one that cannot be decoded is left out.

    Calls `check` every few seconds of audio; an error of `check` ends the work. Raises EncoderFailed, StoreFailed, and
    InternalError if the length of the file differs from that of its parts.
    """
    format_ = JOB_FORMATS[format_name]
    n_samples = n_resampled(timeline.n_samples, sample_rate_hz)
    pcm = _checked(resample(timeline.pcm(), sample_rate_hz), check)
    if not format_.is_encoded:
        header = wav_header(n_samples * SAMPLE_BYTES, tags.title, sample_rate_hz) if format_.has_wav_header else b""
        return _write(chain([header], map(raw_writer(format_), pcm)), put, timeline)
    with _folder() as folder:
        target = folder / f"speech.{format_name}"
        (folder / "tags").write_text(tags_of(format_name, tags, timeline.chapters), "utf-8")
        extras = ["-f", "ffmetadata", "-i", str(folder / "tags")]
        options = _options_of(format_, bitrate_bps, sample_rate_hz)
        if format_name == COVER_FORMAT and cover is not None and (picture := _input_of(cover, folder / "cover", ffmpeg_path)):
            extras += picture
            options |= {"c:v": "copy", "disposition:v:0": "attached_pic"}
        _encode(pcm, _command(ffmpeg_path, format_, sample_rate_hz, options, extras, target))
        if format_name == "mp3":
            correct_mp3_length(target, n_samples, sample_rate_hz)
        slack = _SLACK_SAMPLES.get(format_name, sample_rate_hz // _OPUS_FRAMES_A_SECOND)
        _check_length(count_samples(ffmpeg_path, target, sample_rate_hz), n_samples, slack, format_name)
        with target.open("rb") as file:
            return _write(iter(lambda: file.read(_CHUNK_BYTES), b""), put, timeline)


def count_samples(ffmpeg_path: Path, path: Path, sample_rate_hz: int = SAMPLE_RATE_HZ) -> int:
    """Decodes the file and returns its length in samples at `sample_rate_hz`. Raises EncoderFailed if it cannot be decoded."""
    command: list[str | Path] = [
        ffmpeg_path,
        "-v",
        "error",
        "-nostdin",
        "-nostats",
        "-progress",
        "pipe:1",
        "-i",
        path,
        "-f",
        "null",
        "-",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    times = [line.partition(b"=")[2] for line in done.stdout.splitlines() if line.startswith(b"out_time_us=")]
    if done.returncode or not times or not times[-1].strip().isdigit():
        raise EncoderFailed
    return round(int(times[-1]) * sample_rate_hz / 1_000_000)


def _n_samples(part: AudioPart) -> int:
    return (part.n_bytes + len(silence(part.pause_seconds))) // SAMPLE_BYTES


def _read(part: AudioPart) -> Iterator[bytes]:
    left = part.n_bytes
    with part.open() as file:
        # A raw file may return fewer bytes than requested, and split a sample.
        whole = io.BufferedReader(cast("io.RawIOBase", file), _CHUNK_BYTES)
        while left:
            pcm = whole.read(min(left, _CHUNK_BYTES))
            left -= len(pcm)
            if not pcm:
                log.error("part_shortened", n_bytes=part.n_bytes, n_bytes_missing=left)
                raise InternalError
            yield pcm


def _checked(pcm: Iterator[bytes], check: Callable[[], None]) -> Iterator[bytes]:
    for data in pcm:
        check()
        yield data


def _write(
    data: Iterator[bytes], put: Callable[[], AbstractContextManager[BinaryIO]], timeline: AudioTimeline
) -> AssembledFile:
    digest = hashlib.sha256()
    n_bytes = 0
    with put() as file:
        for chunk in data:
            file.write(chunk)
            digest.update(chunk)
            n_bytes += len(chunk)
    return AssembledFile(n_bytes=n_bytes, etag=digest.hexdigest()[:32], seconds=timeline.n_samples / SAMPLE_RATE_HZ)


def _options_of(format_: Format, bitrate_bps: int, sample_rate_hz: int) -> dict[str, Any]:
    options: dict[str, Any] = {"acodec": format_.codec, **_OPTIONS[format_.name]}
    if bitrate_bps:
        options["b:a"] = bitrate_bps
    if format_.name == "m4b":
        # By default its times are whole milliseconds, and players would play up to one too much.
        options["movie_timescale"] = sample_rate_hz
    return options


def _input_of(cover: Cover, path: Path, ffmpeg_path: Path) -> list[str]:
    """Writes the cover. Returns the arguments that make it an input; none if it cannot be decoded."""
    path.write_bytes(cover.data)
    arguments = ["-f", _COVER_DEMUXERS[cover.media_type], "-i", str(path)]
    quiet = [str(ffmpeg_path), "-v", "error", "-nostdin", "-xerror"]
    done = subprocess.run([*quiet, *arguments, "-frames:v", "1", "-f", "null", "-"], capture_output=True, check=False)
    if done.returncode:
        log.warning("cover_left_out", media_type=cover.media_type, n_bytes=len(cover.data))
        return []
    return arguments


def _command(
    ffmpeg_path: Path, format_: Format, sample_rate_hz: int, options: dict[str, Any], extras: list[str], target: Path
) -> list[str]:
    """Returns the command. `extras` are the arguments of further inputs: the tags, and the cover if there is one."""
    source = ffmpeg.input("pipe:0", format="s16le", ar=sample_rate_hz, ac=1)
    # bitexact: otherwise Ogg gets a random serial number, but the same speech must give the same bytes.
    stream = source.output(
        str(target), format=format_.container, fflags="+bitexact", threads=1, map_metadata=1, map_chapters=1, **options
    )
    # The tags are an input without streams, and ffmpeg-python cannot map such an input.
    stream = stream.global_args(*extras, "-hide_banner", "-loglevel", "error", "-nostdin")
    command: list[str] = stream.compile(cmd=str(ffmpeg_path))
    return command


def _encode(pcm: Iterator[bytes], command: list[str]) -> None:
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0
        )
    except OSError as error:
        raise EncoderFailed from error
    try:
        with process:
            try:
                _feed(process, pcm)
            except BaseException:
                process.kill()
                raise
    except BrokenPipeError as error:
        raise EncoderFailed from error
    if process.returncode:
        raise EncoderFailed


def _feed(process: subprocess.Popen[bytes], pcm: Iterator[bytes]) -> None:
    assert process.stdin is not None
    for data in pcm:
        view = memoryview(data)
        while view:
            view = view[process.stdin.write(view) :]


def _check_length(n_samples: int, n_wanted: int, slack: int, format_name: str) -> None:
    if abs(n_samples - n_wanted) > slack:
        log.error("file_of_another_length", format=format_name, n_samples=n_samples, n_samples_wanted=n_wanted)
        raise InternalError


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="koe-")
    except OSError as error:
        raise StoreFailed(
            "A worker has no room for a temporary file. TMPDIR names the folder of these files: the operator of this server "
            "can free space there or name another."
        ) from error
    with folder as name:
        yield Path(name)
