"""Every voice at one loudness: a gain for each voice, measured once, and a limiter for the few peaks that it lifts too far.

Why a gain per voice and not per segment: Kokoro's voices lie 12 LU apart, but each is steady. A gain that followed the text
would pump, and what a listener hears would depend on what comes later.

Why the limiter looks at one segment alone: the same segment then gives the same samples wherever it stands. It turns the
volume down over 20 ms before a peak and up again over 20 ms after it, so nothing is clipped.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import soxr

from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Samples

MAX_TRUE_PEAK_DB: Final = -1.5
"""dBTP. Half a decibel is left for what an encoder adds: players want −1 dBTP at most."""

_OVERSAMPLING: Final = 4
"""As BS.1770 measures true peaks."""
_RADIUS: Final = SAMPLE_RATE_HZ * 20 // 1000


class Leveller:
    """Brings speech of a known loudness to the loudness that is asked for."""

    def __init__(self, target_lufs: float) -> None:
        """`target_lufs`: integrated loudness as ITU-R BS.1770 measures it. 0 leaves all speech as it is."""
        self._target_lufs = target_lufs

    @property
    def identity(self) -> str:
        """Part of an engine's identity, since it decides how a segment sounds."""
        return f"{self._target_lufs:g} LUFS"

    def __call__(self, samples: Samples, loudness_lufs: float) -> Samples:
        """`samples` (n,) of a voice whose speech has `loudness_lufs`, louder or softer; no peak above MAX_TRUE_PEAK_DB."""
        if not self._target_lufs:
            return np.clip(samples, -1, 1)
        gain = np.float32(10 ** ((self._target_lufs - loudness_lufs) / 20))
        return limit(samples * gain)


def limit(samples: Samples) -> Samples:
    """`samples` (n,), turned down around each true peak above MAX_TRUE_PEAK_DB; untouched where there is none."""
    ceiling = 10 ** (MAX_TRUE_PEAK_DB / 20)
    peaks = _true_peaks(samples)
    if not peaks.size or peaks.max() <= ceiling:
        return samples
    wanted = np.minimum(1.0, ceiling / np.maximum(peaks, ceiling))
    # The least of what is wanted within the radius, then its mean within the radius: never more than is wanted anywhere.
    gains = _sliding_mean(_sliding_min(wanted, _RADIUS), _RADIUS)
    return (samples * gains[: len(samples)]).astype(np.float32)


def _true_peaks(samples: Samples) -> npt.NDArray[np.float64]:
    """(n,): the highest level between each sample and the next, as a converter would play it."""
    if not samples.size:
        return np.zeros(0)
    played = np.abs(soxr.resample(samples.astype(np.float64), SAMPLE_RATE_HZ, _OVERSAMPLING * SAMPLE_RATE_HZ))
    whole = np.zeros(_OVERSAMPLING * len(samples))
    whole[: len(played)] = played[: len(whole)]
    peaks: npt.NDArray[np.float64] = np.maximum(np.abs(samples), whole.reshape(-1, _OVERSAMPLING).max(axis=1))
    return peaks


def _sliding_min(values: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.float64]:
    """(n,): the least within `radius` of each place, by van Herk's method: two running minima over blocks of one width."""
    width = 2 * radius + 1
    n_blocks = -(-(len(values) + 2 * radius) // width) + 1
    padded = np.ones(n_blocks * width)
    padded[radius : radius + len(values)] = values
    blocks = padded.reshape(n_blocks, width)
    forwards = np.minimum.accumulate(blocks, axis=1).ravel()
    backwards = np.minimum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    return np.minimum(backwards[: len(values)], forwards[width - 1 : width - 1 + len(values)])


def _sliding_mean(values: npt.NDArray[np.float64], radius: int) -> npt.NDArray[np.float64]:
    """(n,): the mean within `radius` of each place; beyond the ends the values go on."""
    width = 2 * radius + 1
    sums = np.cumsum(np.concatenate([[0.0], np.pad(values, radius, mode="edge")]))
    means: npt.NDArray[np.float64] = (sums[width:] - sums[:-width]) / width
    return means
