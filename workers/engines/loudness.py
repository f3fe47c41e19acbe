"""Gives every voice the same loudness: one gain for each voice, measured in advance, and a limiter for peaks above the maximum.

Why a gain per voice and not per segment: Kokoro's voices differ by 12 LU, but each is steady. A gain that followed the text
would pump, and the sound would depend on later text.

Why the limiter looks at one segment alone: the same segment then always gives the same samples. It reduces the gain over 20 ms
before a peak and raises it again over 20 ms after the peak, so nothing is clipped.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Samples

MAX_TRUE_PEAK_DB: Final = -1.5
"""Highest true peak in dBTP. Players ask for −1 dBTP at most; an encoder may add half a decibel."""

_OVERSAMPLING: Final = 4
"""Oversampling factor for true peaks, as in BS.1770."""
_RADIUS: Final = SAMPLE_RATE_HZ * 20 // 1000


class Leveller:
    """Brings speech of a known loudness to the target loudness."""

    def __init__(self, target_lufs: float) -> None:
        """`target_lufs`: integrated loudness by ITU-R BS.1770. 0 does not change the loudness."""
        self._target_lufs = target_lufs

    @property
    def identity(self) -> str:
        """Part of an engine's identity, since it affects the sound of a segment."""
        return f"{self._target_lufs:g} LUFS"

    def __call__(self, samples: Samples, loudness_lufs: float) -> Samples:
        """Returns `samples` (n,), spoken by a voice with `loudness_lufs`, at the target loudness. No true peak is above
        MAX_TRUE_PEAK_DB.
        """
        if not self._target_lufs:
            return np.clip(samples, -1, 1)
        gain = np.float32(10 ** ((self._target_lufs - loudness_lufs) / 20))
        return limit(samples * gain)


def limit(samples: Samples) -> Samples:
    """Reduces the gain of `samples` (n,) around each true peak above MAX_TRUE_PEAK_DB. Other samples are unchanged."""
    ceiling = 10 ** (MAX_TRUE_PEAK_DB / 20)
    peaks = _true_peaks(samples)
    if not peaks.size or peaks.max() <= ceiling:
        return samples
    wanted = np.minimum(1.0, ceiling / np.maximum(peaks, ceiling))
    # The minimum within the radius, then the mean within the radius: the gain is never above the wanted gain.
    gains = _sliding_mean(_sliding_min(wanted, _RADIUS), _RADIUS)
    return (samples * gains[: len(samples)]).astype(np.float32)


def _true_peaks(samples: Samples) -> npt.NDArray[np.float64]:
    """Returns (n,): the highest level between each sample and the next after conversion to analog."""
    if not samples.size:
        return np.zeros(0)
    played = np.abs(soxr.resample(samples.astype(np.float64), SAMPLE_RATE_HZ, _OVERSAMPLING * SAMPLE_RATE_HZ))
    whole = np.zeros(_OVERSAMPLING * len(samples))
    whole[: len(played)] = played[: len(whole)]
    peaks: npt.NDArray[np.float64] = np.maximum(np.abs(samples), whole.reshape(-1, _OVERSAMPLING).max(axis=1))
    return peaks


def _sliding_min(values: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.float64]:
    """Returns (n,): the minimum within `radius` of each index. Van Herk's method: two running minima over blocks."""
    width = 2 * radius + 1
    n_blocks = -(-(len(values) + 2 * radius) // width) + 1
    padded = np.ones(n_blocks * width)
    padded[radius : radius + len(values)] = values
    blocks = padded.reshape(n_blocks, width)
    forwards = np.minimum.accumulate(blocks, axis=1).ravel()
    backwards = np.minimum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    return np.minimum(backwards[: len(values)], forwards[width - 1 : width - 1 + len(values)])


def _sliding_mean(values: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.float64]:
    """Returns (n,): the mean within `radius` of each index. The first and last values are repeated beyond the ends."""
    width = 2 * radius + 1
    sums = np.cumsum(np.concatenate([[0.0], np.pad(values, radius, mode="edge")]))
    means: npt.NDArray[np.float64] = (sums[width:] - sums[:-width]) / width
    return means
