"""Listening for tests: decode an answer, and measure what is in it."""

import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.speech.formats import FORMATS, SAMPLE_RATE_HZ
from workers.synthesis.encoder import find_ffmpeg

Samples = npt.NDArray[np.float32]


@cache
def ffmpeg() -> Path:
    """The encoder's binary."""
    return find_ffmpeg(None)


FLAC_TOTAL = slice(21, 26)
"""Where a flac says how many samples it has, with four bits of something else before it."""

RAW = {"pcm": "s16le", "ulaw": "mulaw", "alaw": "alaw"}
"""What ffmpeg calls a format that it cannot tell from its bytes."""


def decode(data: bytes, format_name: str, rate_hz: int | None = None) -> Samples:
    """(n,) float32 at 24 kHz; with `rate_hz` at that rate, which is then the file's own too. Fails on anything that ffmpeg
    complains about.
    """
    own_hz = rate_hz or FORMATS[format_name].sample_rate_hz
    raw = ["-f", RAW[format_name], "-ar", str(own_hz), "-ac", "1"] if format_name in RAW else []
    wanted = ["-f", "s16le", "-ar", str(rate_hz or SAMPLE_RATE_HZ), "-ac", "1"]
    command = [str(ffmpeg()), "-hide_banner", "-loglevel", "error", *raw, "-i", "pipe:0", *wanted, "pipe:1"]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    assert done.stderr == b""
    return np.frombuffer(done.stdout, dtype="<i2").astype(np.float32) / np.float32(32768)


def sounding_seconds(samples: Samples, threshold: float = 0.02) -> float:
    """From the first sample that is heard to the last."""
    loud = np.flatnonzero(np.abs(samples) > threshold)
    return float(loud[-1] - loud[0] + 1) / SAMPLE_RATE_HZ if loud.size else 0.0


def pitch_hz(samples: Samples) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum[1:]) + 1) * SAMPLE_RATE_HZ / len(samples)


def without_length(data: bytes) -> bytes:
    """An answer without the length in the header of a flac, which only a finished one has."""
    return data[: FLAC_TOTAL.start] + data[FLAC_TOTAL.stop :] if data.startswith(b"fLaC") else data


def same_file(one: bytes, other: bytes) -> bool:
    """Whether two answers are the same, but for that."""
    return without_length(one) == without_length(other)
