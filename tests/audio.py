"""Listening for tests: decode an answer, and measure what is in it."""

import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.formats import SAMPLE_RATE_HZ
from workers.encoder import find_ffmpeg

Samples = npt.NDArray[np.float32]


@cache
def ffmpeg() -> Path:
    """The encoder's binary."""
    return find_ffmpeg(None)


def decode(data: bytes, format_name: str) -> Samples:
    """(n,) float32 at 24 kHz. Fails on anything that ffmpeg complains about."""
    raw = ["-f", "s16le", "-ar", str(SAMPLE_RATE_HZ), "-ac", "1"]
    source = [*(raw if format_name == "pcm" else []), "-i", "pipe:0"]
    command = [str(ffmpeg()), "-hide_banner", "-loglevel", "error", *source, *raw, "pipe:1"]
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    assert done.stderr == b""
    return np.frombuffer(done.stdout, dtype="<i2").astype(np.float32) / 32768


def sounding_seconds(samples: Samples, threshold: float = 0.02) -> float:
    """From the first sample that is heard to the last."""
    loud = np.flatnonzero(np.abs(samples) > threshold)
    return float(loud[-1] - loud[0] + 1) / SAMPLE_RATE_HZ if loud.size else 0.0


def pitch_hz(samples: Samples) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum[1:]) + 1) * SAMPLE_RATE_HZ / len(samples)
