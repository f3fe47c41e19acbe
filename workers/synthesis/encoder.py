"""Encodes pcm: mp3, opus, aac and flac in one ffmpeg process for each utterance; wav, pcm and G.711 without a process.

Why a process and not a library: every player has been tried with the codecs in ffmpeg, its output does not depend on the sizes
or times of the writes, and a process can be killed.
"""

import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self, cast

import ffmpeg
import imageio_ffmpeg
from typing_extensions import override

from app.core.errors import EncoderFailed, Misconfigured
from app.core.host import remedies
from app.core.host.processors import n_cores
from app.core.speech.formats import FORMATS, SAMPLE_RATE_HZ, Format, wav_stream_header
from workers.synthesis.resampling import Law, Resampler, compress

Sink = Callable[[bytes], None]
"""Receives encoded bytes as soon as they are ready. An exception ends the encoding."""

_READ_BYTES: Final = 65_536
"""Most bytes in one read: a full pipe."""

_GATHER_SECONDS: Final = 0.01
"""Pause between two reads. The first bytes are sent at once; after that, not every frame of 24 ms wakes up every listener."""

_FEED_BYTES: Final = 48_000
"""Most bytes in one write: one second of pcm."""

_FEEDING: Final = threading.BoundedSemaphore(n_cores())
"""At most one encoder per core is fed at a time, in turn: thirty encoders at once would take the cores from the API."""

_STREAMED: Final[dict[str, dict[str, Any]]] = {
    # No ID3, and no Xing frame, since a pipe cannot rewrite it: the frame sync is at byte 0.
    "mp3": {"write_xing": 0, "id3v2_version": 0},
    # Pages of 20 ms are sent early; by default a page is filled for one second.
    "opus": {"page_duration": 20_000, "application": "voip"},
    "aac": {},
    "flac": {},
}


def find_ffmpeg(named: Path | None) -> Path:
    """Returns the path of ffmpeg: `named`, or the binary in imageio-ffmpeg if that is None.

    Raises Misconfigured with the remedy if it cannot be run.
    """
    try:
        path = named if named is not None else Path(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        remedy = f"run {remedies.package('imageio-ffmpeg')}, or name one with KOE_FFMPEG."
        raise Misconfigured(f"There is no ffmpeg: {remedy}") from error
    try:
        subprocess.run([path, "-version"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Misconfigured(
            f"ffmpeg cannot be run from {path} ({error}). Set KOE_FFMPEG to a working binary, or leave it unset to use the one "
            f"that the package imageio-ffmpeg brings: run {remedies.package('imageio-ffmpeg')}."
        ) from error
    return path


def encoder_command(ffmpeg_path: Path, format_: Format, bitrate_bps: int, sample_rate_hz: int = SAMPLE_RATE_HZ) -> list[str]:
    """Returns the command that encodes s16le of that rate from standard input to standard output, with little delay."""
    options: dict[str, Any] = {"acodec": format_.codec, **_STREAMED[format_.name]}
    if bitrate_bps:
        options["b:a"] = bitrate_bps
    source = ffmpeg.input("pipe:0", format="s16le", ar=sample_rate_hz, ac=1, probesize=32, analyzeduration=0)
    # bitexact: otherwise Ogg gets a random serial number, but the same speech must give the same bytes.
    stream = source.output(
        "pipe:1", format=format_.container, fflags="+bitexact", flush_packets=1, threads=1, map_metadata=-1, **options
    )
    command: list[str] = stream.global_args("-hide_banner", "-loglevel", "error", "-nostdin").compile(cmd=str(ffmpeg_path))
    return command


class Encoder(Protocol):
    """Encodes pcm (s16le, mono, 24 kHz) for its sink. A context manager: after its exit, no process and no thread is left."""

    def write(self, pcm: bytes) -> None:
        """Encodes more samples. Raises EncoderFailed, or the exception of the sink."""
        ...

    def finish(self) -> None:
        """Ends the encoding. Returns when the last byte has reached the sink. Raises the same exceptions as `write`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class RawEncoder(Encoder):
    """Writes wav, pcm and G.711: the header, if the format has one, and the samples."""

    def __init__(self, format_: Format, sink: Sink, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        self._sink = sink
        self._header = wav_stream_header(sample_rate_hz) if format_.has_wav_header else b""
        self._write = raw_writer(format_)

    @override
    def write(self, pcm: bytes) -> None:
        self._sink(self._header + self._write(pcm))
        self._header = b""

    @override
    def finish(self) -> None:
        """Does nothing: there is nothing to flush."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        return


def raw_writer(format_: Format) -> Callable[[bytes], bytes]:
    """Returns the function that converts s16le to the samples of a format without an encoder process."""
    if format_.codec in ("ulaw", "alaw"):
        return partial(compress, law=cast("Law", format_.codec))
    return bytes


class ResamplingEncoder(Encoder):
    """Resamples pcm for another encoder."""

    def __init__(self, encoder: Encoder, sample_rate_hz: int) -> None:
        self._encoder = encoder
        self._resampler = Resampler(sample_rate_hz)

    @override
    def write(self, pcm: bytes) -> None:
        if ready := self._resampler.add(pcm):
            self._encoder.write(ready)

    @override
    def finish(self) -> None:
        if rest := self._resampler.rest():
            self._encoder.write(rest)
        self._encoder.finish()

    def __enter__(self) -> Self:
        self._encoder.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        self._encoder.__exit__(kind, error, trace)


class PipeEncoder(Encoder):
    """Encodes in one ffmpeg process. A thread passes its output to the sink, at the same time as the writes."""

    def __init__(self, command: list[str], sink: Sink) -> None:
        self._sink = sink
        self._error: BaseException | None = None
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError as error:
            raise EncoderFailed from error
        self._output_thread = threading.Thread(target=self._forward_output, name="encoder", daemon=True)
        self._output_thread.start()

    @override
    def write(self, pcm: bytes) -> None:
        assert self._process.stdin is not None
        view = memoryview(pcm)
        try:
            while view:
                with _FEEDING:
                    view = view[self._process.stdin.write(view[:_FEED_BYTES]) :]
        except OSError as error:
            self._raise(error)

    @override
    def finish(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._output_thread.join()
        if self._error is not None or self._process.wait() != 0:
            self._raise(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._output_thread.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _forward_output(self) -> None:
        assert self._process.stdout is not None
        try:
            while data := self._process.stdout.read(_READ_BYTES):
                self._sink(data)
                time.sleep(_GATHER_SECONDS)
        except Exception as error:  # noqa: BLE001 - border of a thread: raised in the thread that writes
            self._error = error
            self._process.kill()

    def _raise(self, cause: BaseException | None) -> None:
        self._output_thread.join()
        if self._error is not None:
            raise self._error
        raise EncoderFailed from cause


class TimedEncoder:
    """Measures how long a task is in its encoder. It is not opened and closed: its user does that with the inner one."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.seconds = 0.0

    def write(self, pcm: bytes) -> None:
        """Encodes more samples. Raises the exceptions of the inner encoder."""
        self._measure(lambda: self._encoder.write(pcm))

    def finish(self) -> None:
        """Ends the encoding. Raises the exceptions of the inner encoder."""
        self._measure(self._encoder.finish)

    def _measure(self, step: Callable[[], None]) -> None:
        began_at = time.monotonic()
        step()
        self.seconds += time.monotonic() - began_at


def open_encoder(
    ffmpeg_path: Path, format_name: str, bitrate_bps: int, sink: Sink, *, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> Encoder:
    """Returns an encoder of that format for `sink`. An encoder with a process calls `sink` in a thread of its own."""
    format_ = FORMATS[format_name]
    if format_.is_encoded:
        encoder: Encoder = PipeEncoder(encoder_command(ffmpeg_path, format_, bitrate_bps, sample_rate_hz), sink)
    else:
        encoder = RawEncoder(format_, sink, sample_rate_hz)
    return encoder if sample_rate_hz == SAMPLE_RATE_HZ else ResamplingEncoder(encoder, sample_rate_hz)
