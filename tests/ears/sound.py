"""Measures a response without knowing its language: loudness, silences, clipping, noise, pitch and timbre.

All functions take samples as (n,) float32 in [-1, 1] at 24 kHz.
"""

import warnings
from functools import cache
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.ears.listener import Samples

Array = npt.NDArray[np.float64]

FRAME: Final = SAMPLE_RATE_HZ // 100
"""Samples in 10 ms."""
SILENCE_DBFS: Final = -50.0
"""A frame below this level is silent; the joints of a response are silence too."""
_FLOOR: Final = 1e-10
_WINDOW: Final = 1024
"""Samples in 43 ms, two periods of the lowest voice."""
_PITCH_HZ: Final = (60, 420)
_N_COEFFICIENTS: Final = 20
_N_BANDS: Final = 40


class Profile(msgspec.Struct, frozen=True):
    """The sound of a response, independent of its words."""

    loudness_lufs: float
    """Integrated loudness by ITU-R BS.1770."""
    pitch_hz: float
    """Median of the voiced frames; 0 without voiced frames."""
    voiced_share: float
    """Share of the sounding frames that are voiced."""
    timbre: tuple[float, ...]
    """Mean cepstral coefficients of the sounding frames, without the first one (loudness)."""


def measure_profile(samples: Samples) -> Profile:
    """Returns the profile of the samples."""
    pitch, share = pitch_of(samples)
    return Profile(loudness_of(samples), pitch, share, tuple(np.round(timbre_of(samples), 3).tolist()))


def levels_dbfs(samples: Samples, frame: int = FRAME) -> Array:
    """Returns the mean power of each frame in dBFS, (n // frame,)."""
    frames = _frames(samples, frame, frame)
    return np.asarray(10 * np.log10((frames.astype(np.float64) ** 2).mean(axis=1) + _FLOOR))


def loudness_of(samples: Samples) -> float:
    """Returns the loudness in LUFS. Short audio is repeated, since the gates of BS.1770 need 0.4 s."""
    import pyloudnorm

    n_times = int(np.ceil(0.5 * SAMPLE_RATE_HZ / max(1, len(samples))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(pyloudnorm.Meter(SAMPLE_RATE_HZ).integrated_loudness(np.tile(samples, n_times).astype(np.float64)))


def peak_dbfs(samples: Samples) -> float:
    """Returns the level of the largest sample."""
    return float(20 * np.log10(np.abs(samples).max(initial=0) + _FLOOR))


def silences(samples: Samples, least_seconds: float = 0.05) -> list[tuple[float, float]]:
    """Returns start and end, in seconds, of each silence inside the speech; silences at its edges are left out."""
    is_silent = levels_dbfs(samples) < SILENCE_DBFS
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_silent, [False]]).astype(int)))
    found = [(int(start), int(end)) for start, end in edges.reshape(-1, 2) if start > 0 and end < len(is_silent)]
    return [(start / 100, end / 100) for start, end in found if end - start >= least_seconds * 100]


def edge_silences(samples: Samples) -> tuple[float, float]:
    """Returns the seconds of silence before the first sound and after the last."""
    loud = np.flatnonzero(levels_dbfs(samples) >= SILENCE_DBFS)
    n_frames = len(samples) // FRAME
    return (loud[0] / 100, (n_frames - 1 - loud[-1]) / 100) if loud.size else (n_frames / 100, 0.0)


def n_clipped(samples: Samples) -> int:
    """Returns the number of clipped samples: three or more equal ones in a row, near the largest sample of the response."""
    size = np.abs(samples)
    top = size.max(initial=0)
    if top < 0.05:
        return 0
    is_flat = np.concatenate([[False], (np.diff(samples) == 0) & (size[1:] > 0.98 * top), [False]])
    edges = np.flatnonzero(np.diff(is_flat.astype(int))).reshape(-1, 2)
    return int(sum(end - start + 1 for start, end in edges if end - start >= 2))


def pitch_of(samples: Samples) -> tuple[float, float]:
    """Returns the median fundamental frequency by autocorrelation, and the share of sounding frames that are voiced."""
    pitches = pitch_track(samples)
    voiced = pitches[pitches > 0]
    n_sounding = int((levels_dbfs(samples) > SILENCE_DBFS + 10).sum())
    return (float(np.median(voiced)) if voiced.size else 0.0), min(1.0, voiced.size / max(1, n_sounding))


def pitch_track(samples: Samples) -> Array:
    """Returns the fundamental frequency every 10 ms, (n,); 0 for a frame that is not voiced."""
    frames = _frames(samples, 2 * _WINDOW, FRAME).astype(np.float64)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(2 * _WINDOW)
    power = np.abs(np.fft.rfft(frames, 4 * _WINDOW)) ** 2
    correlation = np.fft.irfft(power)[:, :_WINDOW] / _window_correlation()
    shortest, longest = SAMPLE_RATE_HZ // _PITCH_HZ[1], SAMPLE_RATE_HZ // _PITCH_HZ[0]
    strength = correlation[:, shortest:longest] / (correlation[:, :1] + _FLOOR)
    best = strength.argmax(axis=1)
    # A multiple of the period correlates nearly as well: the first peak that is almost the best one is the period.
    first = (strength >= 0.9 * strength.max(axis=1, keepdims=True)).argmax(axis=1)
    last = np.minimum(first + shortest // 2, best.max(initial=0))
    lag = np.array([low + row[low : high + 1].argmax() for row, low, high in zip(strength, first, last, strict=True)], int)
    is_voiced = (strength.max(axis=1, initial=0) > 0.5) & ((frames**2).mean(axis=1) > 1e-6)
    return np.where(is_voiced, SAMPLE_RATE_HZ / (lag + shortest), 0.0)


def timbre_of(samples: Samples) -> Array:
    """Returns the mean cepstrum of the sounding frames without its first coefficient, (19,)."""
    coefficients = cepstrum(samples)
    return np.asarray(coefficients.mean(axis=0)) if len(coefficients) else np.zeros(_N_COEFFICIENTS - 1)


def cepstrum(samples: Samples) -> Array:
    """Returns the cepstrum of the sounding frames every 10 ms, (n_frames, 19)."""
    frames = _frames(samples, _WINDOW, FRAME)
    levels = 10 * np.log10((frames.astype(np.float64) ** 2).mean(axis=1) + _FLOOR)
    loud = frames[levels > levels.max(initial=-100) - 35]
    power = np.abs(np.fft.rfft(loud * np.hanning(_WINDOW))) ** 2
    return np.asarray(np.log10(power @ _bands() + _FLOOR) @ _cosines())[:, 1:]


def noise_floor_dbfs(samples: Samples) -> float:
    """Returns the level of the quietest tenth of the frames that are not digital silence."""
    levels = levels_dbfs(samples)
    return float(np.percentile(levels[levels > -99], 10)) if (levels > -99).any() else -100.0


def _frames(samples: Samples, width: int, step: int) -> npt.NDArray[np.float32]:
    """Returns the frames as a view, (n, width)."""
    padded = np.pad(samples, (0, max(0, width - len(samples))))
    return np.lib.stride_tricks.sliding_window_view(padded, width)[::step]


@cache
def _window_correlation() -> Array:
    """Returns the normalized autocorrelation of the window itself at each lag."""
    power = np.abs(np.fft.rfft(np.hanning(2 * _WINDOW), 4 * _WINDOW)) ** 2
    correlation = np.fft.irfft(power)[:_WINDOW]
    return np.asarray(correlation / correlation[0])


@cache
def _bands() -> Array:
    """Returns triangles of equal width on the mel scale, (n_bins, n_bands)."""
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + SAMPLE_RATE_HZ / 1400), _N_BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE_HZ)[:, None]
    rising, falling = (bins - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - bins) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(rising, falling)) + 1e-12


@cache
def _cosines() -> Array:
    """Returns the matrix of the discrete cosine transform, (n_bands, n_coefficients)."""
    bands, coefficients = np.arange(_N_BANDS)[:, None] + 0.5, np.arange(_N_COEFFICIENTS)
    return np.cos(np.pi * bands * coefficients / _N_BANDS)
