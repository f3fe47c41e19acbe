"""Measures the loudness of a part while it is written, and computes the gain with which it is joined.

Why the measurement is gated: with its pauses, a dialogue would be softer than a monologue of the same voice. So silent windows
are skipped, and then those far below the mean of the others, as in broadcasting.
"""

from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.speech.formats import SAMPLE_RATE_HZ

MAX_GAIN_DB: Final = 3.0
"""Largest gain of a part, up or down."""

_MIN_GAIN_DB: Final = 0.1
"""A smaller gain is not audible, so the samples are not changed."""
_WINDOW_SAMPLES: Final = SAMPLE_RATE_HZ * 400 // 1000
_SILENCE_DB: Final = -60.0
_GATE_DB: Final = 10.0
"""Windows softer than the mean by more than this are skipped."""
_CEILING_DB: Final = -0.1
"""No gain lifts a sample above this."""
_FULL_SCALE: Final = 32768.0


class Level(msgspec.Struct, frozen=True):
    """Loudness and peak of samples, in dB relative to full scale (a full-scale square wave has 0)."""

    loudness_db: float | None
    """None if everything is silent."""
    peak_db: float | None


class Meter:
    """Measures the level of a stream of pcm."""

    def __init__(self) -> None:
        self._powers: list[float] = []
        self._peak = 0
        self._rest = b""

    def add(self, pcm: bytes) -> None:
        """Adds s16le, whole samples."""
        samples = np.frombuffer(self._rest + pcm, "<i2")
        n_whole = len(samples) // _WINDOW_SAMPLES * _WINDOW_SAMPLES
        self._rest = samples[n_whole:].tobytes()
        self._measure(samples[:n_whole].reshape(-1, _WINDOW_SAMPLES))

    def level(self) -> Level:
        """Returns the level. Nothing may be added afterwards."""
        if self._rest:
            # Less than a window: it counts for the peak, and for the loudness only if there is nothing else.
            powers = self._powers.copy()
            self._measure(np.frombuffer(self._rest, "<i2").reshape(1, -1))
            self._powers = powers or self._powers
            self._rest = b""
        return Level(_gated(np.array(self._powers)), _db((self._peak / _FULL_SCALE) ** 2))

    def _measure(self, windows: npt.NDArray[np.int16]) -> None:
        if not windows.size:
            return
        scaled = windows.astype(np.float64) / _FULL_SCALE
        self._powers.extend(np.mean(scaled * scaled, axis=1).tolist())
        self._peak = max(self._peak, int(np.abs(windows.astype(np.int32)).max()))


def gains_db(levels: Sequence[Level]) -> list[float]:
    """Returns the gain that brings each level as near to the median as MAX_GAIN_DB and its peak allow; 0 for no change."""
    audible_db = [level.loudness_db for level in levels if level.loudness_db is not None]
    return [_gain_db(level, median(audible_db)) if audible_db else 0.0 for level in levels]


def amplify(pcm: bytes, gain_db: float) -> bytes:
    """Applies a gain to s16le."""
    if not gain_db:
        return pcm
    samples = np.frombuffer(pcm, "<i2").astype(np.float32) * np.float32(10 ** (gain_db / 20))
    louder: bytes = np.clip(samples.round(), -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2").tobytes()
    return louder


def _gain_db(level: Level, target_db: float) -> float:
    if level.loudness_db is None or level.peak_db is None:
        return 0.0
    wanted_db = min(MAX_GAIN_DB, max(-MAX_GAIN_DB, target_db - level.loudness_db))
    gain_db = min(wanted_db, max(0.0, _CEILING_DB - level.peak_db))
    return gain_db if abs(gain_db) >= _MIN_GAIN_DB else 0.0


def _gated(powers: npt.NDArray[np.float64]) -> float | None:
    audible = powers[powers > 10 ** (_SILENCE_DB / 10)]
    if not audible.size:
        return None
    return _db(float(np.mean(audible[audible >= np.mean(audible) * 10 ** (-_GATE_DB / 10)])))


def _db(power: float) -> float | None:
    return float(10 * np.log10(power)) if power > 0 else None
