"""Audio for tests: decodes an answer and measures its samples."""

import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.speech.formats import JOB_FORMATS, SAMPLE_RATE_HZ
from workers.synthesis.encoder import find_ffmpeg

Samples = npt.NDArray[np.float32]


@cache
def ffmpeg() -> Path:
    """Path of the encoder's ffmpeg binary."""
    return find_ffmpeg(None)


FLAC_TOTAL = slice(21, 26)
"""Bytes of a FLAC header with the number of samples; the first four bits belong to another field."""

RAW = {"pcm": "s16le", "ulaw": "mulaw", "alaw": "alaw"}
"""ffmpeg's names of the formats that it cannot recognise from their bytes."""


def decode(data: bytes, format_name: str, rate_hz: int | None = None) -> Samples:
    """Returns the samples, (n,) float32, at 24 kHz or at `rate_hz`, which must then be the file's own rate. Fails if ffmpeg
    reports any error.
    """
    own_hz = rate_hz or JOB_FORMATS[format_name].sample_rate_hz
    raw = ["-f", RAW[format_name], "-ar", str(own_hz), "-ac", "1"] if format_name in RAW else []
    wanted = ["-f", "s16le", "-ar", str(rate_hz or SAMPLE_RATE_HZ), "-ac", "1"]
    command = [str(ffmpeg()), "-hide_banner", "-loglevel", "error", *raw, "-i", "pipe:0", *wanted, "pipe:1"]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    assert done.stderr == b""
    return np.frombuffer(done.stdout, dtype="<i2").astype(np.float32) / np.float32(32768)


def sounding_seconds(samples: Samples, threshold: float = 0.02) -> float:
    """Seconds from the first audible sample to the last."""
    loud = np.flatnonzero(np.abs(samples) > threshold)
    return float(loud[-1] - loud[0] + 1) / SAMPLE_RATE_HZ if loud.size else 0.0


def pitch_hz(samples: Samples) -> float:
    """The strongest frequency in hertz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum[1:]) + 1) * SAMPLE_RATE_HZ / len(samples)


def without_length(data: bytes) -> bytes:
    """An answer without the length in the header of a FLAC, which only a finished file has."""
    return data[: FLAC_TOTAL.start] + data[FLAC_TOTAL.stop :] if data.startswith(b"fLaC") else data


def same_file(one: bytes, other: bytes) -> bool:
    """Whether two answers are equal, except for the length in a FLAC header."""
    return without_length(one) == without_length(other)
