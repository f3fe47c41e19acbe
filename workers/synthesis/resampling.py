"""Resamples a stream of pcm from the engines' rate to another, exact to the sample. Converts pcm to G.711 for telephones.

Why not in ffmpeg: its resampler depends on its build, and wav and pcm need no ffmpeg. The output of soxr does not depend on the
sizes of the pieces, so a worker that continues after a crash makes the same bytes.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import soxr

from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from workers.synthesis.audio import to_pcm

Law = Literal["ulaw", "alaw"]

_FULL_SCALE: Final = np.float32(32767.0)

_ULAW_BIAS: Final = 33
_ULAW_MAX: Final = 8_159 - 33
"""For samples of 14 bits: the bias that is added to a sample's size, and the largest size before it is added."""
_ALAW_LINEAR: Final = 256
"""A-law is linear below this size of a sample."""


def n_resampled(n_samples: int, sample_rate_hz: int) -> int:
    """Converts a number of samples from the engines' rate to another rate."""
    return round(n_samples * sample_rate_hz / SAMPLE_RATE_HZ)


class Resampler:
    """Resamples one continuous stream of pcm from 24 kHz to another rate."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._stream = soxr.ResampleStream(SAMPLE_RATE_HZ, sample_rate_hz, 1, dtype="float32", quality="HQ")
        self._n_taken = self._n_given = 0

    def add(self, pcm: bytes) -> bytes:
        """Adds s16le at 24 kHz. Returns the samples that are ready at the other rate: the last few milliseconds come later."""
        self._n_taken += len(pcm) // SAMPLE_BYTES
        return self._give(self._stream.resample_chunk(np.frombuffer(pcm, "<i2").astype(np.float32) / _FULL_SCALE))

    def rest(self) -> bytes:
        """Returns the last samples, after everything was added."""
        n_left = n_resampled(self._n_taken, self._rate_hz) - self._n_given
        rest = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)[:n_left]
        return self._give(np.pad(rest, (0, n_left - len(rest))))

    def _give(self, samples: npt.NDArray[np.float32]) -> bytes:
        self._n_given += len(samples)
        return to_pcm(samples)


def resample(pcm: Iterator[bytes], sample_rate_hz: int) -> Iterator[bytes]:
    """Yields all pcm at that rate, in small pieces."""
    if sample_rate_hz == SAMPLE_RATE_HZ:
        yield from pcm
        return
    resampler = Resampler(sample_rate_hz)
    for data in pcm:
        yield resampler.add(data)
    yield resampler.rest()


def compress(pcm: bytes, law: Law) -> bytes:
    """Converts s16le to G.711, one byte per sample."""
    compressed: npt.NDArray[np.uint8] = _table(law)[np.frombuffer(pcm, "<u2")]
    return compressed.tobytes()


@cache
def _table(law: Law) -> npt.NDArray[np.uint8]:
    """Returns the G.711 byte of each sample. The index is the sample's two bytes as an unsigned number."""
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    return _ulaw(samples) if law == "ulaw" else _alaw(samples)


def _ulaw(samples: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    size = np.minimum(np.abs(samples >> 2), _ULAW_MAX) + _ULAW_BIAS
    exponent = np.floor(np.log2(size)).astype(np.int32) - 5
    mantissa = size >> (exponent + 1) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    compressed: npt.NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return compressed


def _alaw(samples: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    is_negative = samples < 0
    # One's complement, as in the standard: -1 is as near to zero as 0.
    size = np.where(is_negative, ~samples, samples)
    exponent = np.where(size < _ALAW_LINEAR, 0, np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 7)
    mantissa = size >> (np.maximum(exponent, 1) + 3) & 0x0F
    sign = np.where(is_negative, 0, 0x80)
    compressed: npt.NDArray[np.uint8] = ((sign | exponent << 4 | mantissa) ^ 0x55).astype(np.uint8)
    return compressed
