"""pcm at another sample rate than the engines', as it comes, and to the sample as long as it was; and G.711 for telephones.

Why not in ffmpeg: its resampler depends on how it was built, and wav and pcm need no ffmpeg. What soxr gives is the same
whatever the sizes of the pieces, so that whoever goes on after a crash makes the same bytes.
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
_ULAW_MOST: Final = 8_159 - 33
"""Of samples of 14 bits: what is added before they are divided by powers of two, and the largest before that."""
_ALAW_LINEAR: Final = 256
"""Below it A-law is linear."""


def n_resampled(n_samples: int, sample_rate_hz: int) -> int:
    """How many samples so many are at that rate."""
    return round(n_samples * sample_rate_hz / SAMPLE_RATE_HZ)


class Resampler:
    """From 24 kHz to another rate, one stretch of sound from its beginning to its end."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._stream = soxr.ResampleStream(SAMPLE_RATE_HZ, sample_rate_hz, 1, dtype="float32", quality="HQ")
        self._n_taken = self._n_given = 0

    def add(self, pcm: bytes) -> bytes:
        """More s16le at 24 kHz; gives what is ready at the other rate, some milliseconds less than there is."""
        self._n_taken += len(pcm) // SAMPLE_BYTES
        return self._give(self._stream.resample_chunk(np.frombuffer(pcm, "<i2").astype(np.float32) / _FULL_SCALE))

    def rest(self) -> bytes:
        """What is left at the end."""
        n_left = n_resampled(self._n_taken, self._rate_hz) - self._n_given
        rest = self._stream.resample_chunk(np.zeros(0, np.float32), last=True)[:n_left]
        return self._give(np.pad(rest, (0, n_left - len(rest))))

    def _give(self, samples: npt.NDArray[np.float32]) -> bytes:
        self._n_given += len(samples)
        return to_pcm(samples)


def resample(pcm: Iterator[bytes], sample_rate_hz: int) -> Iterator[bytes]:
    """All of it at that rate, a little at a time."""
    if sample_rate_hz == SAMPLE_RATE_HZ:
        yield from pcm
        return
    resampler = Resampler(sample_rate_hz)
    for data in pcm:
        yield resampler.add(data)
    yield resampler.rest()


def compress(pcm: bytes, law: Law) -> bytes:
    """s16le as G.711, a byte a sample."""
    compressed: npt.NDArray[np.uint8] = _table(law)[np.frombuffer(pcm, "<u2")]
    return compressed.tobytes()


@cache
def _table(law: Law) -> npt.NDArray[np.uint8]:
    """The byte of each sample, by its two bytes as an unsigned number."""
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    return _ulaw(samples) if law == "ulaw" else _alaw(samples)


def _ulaw(samples: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    size = np.minimum(np.abs(samples >> 2), _ULAW_MOST) + _ULAW_BIAS
    exponent = np.floor(np.log2(size)).astype(np.int32) - 5
    mantissa = size >> (exponent + 1) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    compressed: npt.NDArray[np.uint8] = (~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8)
    return compressed


def _alaw(samples: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    is_negative = samples < 0
    # One's complement, as the standard has it: -1 is as near to zero as 0.
    size = np.where(is_negative, ~samples, samples)
    exponent = np.where(size < _ALAW_LINEAR, 0, np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 7)
    mantissa = size >> (np.maximum(exponent, 1) + 3) & 0x0F
    sign = np.where(is_negative, 0, 0x80)
    compressed: npt.NDArray[np.uint8] = ((sign | exponent << 4 | mantissa) ^ 0x55).astype(np.uint8)
    return compressed
