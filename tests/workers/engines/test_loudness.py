"""One loudness for every voice: a gain, and a limiter that lowers peaks to the ceiling and changes nothing else."""

import numpy as np
import pytest
import soxr

from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Samples
from workers.engines.loudness import MAX_TRUE_PEAK_DB, Leveller, limit

CEILING = 10 ** (MAX_TRUE_PEAK_DB / 20)


def noise(seconds: float, level: float, seed: int = 0) -> Samples:
    random = np.random.default_rng(seed)
    return (level * random.standard_normal(round(seconds * SAMPLE_RATE_HZ))).astype(np.float32)


def true_peak(samples: Samples) -> float:
    return float(np.abs(soxr.resample(samples, SAMPLE_RATE_HZ, 8 * SAMPLE_RATE_HZ)).max())


def test_a_soft_voice_is_made_louder_by_what_it_lacks() -> None:
    samples = noise(1.0, 0.01)

    levelled = Leveller(-20.0)(samples, -26.0)

    assert np.allclose(levelled, samples * 10 ** (6 / 20), rtol=1e-5)


def test_a_loud_voice_is_made_softer() -> None:
    samples = noise(1.0, 0.1)

    assert np.allclose(Leveller(-20.0)(samples, -17.0), samples * 10 ** (-3 / 20), rtol=1e-5)


def test_without_a_target_speech_stays_as_it_is() -> None:
    samples = noise(1.0, 0.1)

    assert np.array_equal(Leveller(0.0)(samples, -30.0), samples)


@pytest.mark.parametrize("level", [0.3, 0.6, 2.0])
def test_no_true_peak_is_above_the_ceiling(level: float) -> None:
    limited = limit(noise(2.0, level))

    assert true_peak(limited) < 10 ** (-1 / 20)


def test_a_sine_between_the_samples_is_seen() -> None:
    quarter = np.sin(np.pi / 4 + np.pi / 2 * np.arange(SAMPLE_RATE_HZ)).astype(np.float32)
    assert np.abs(quarter).max() < 0.71

    assert true_peak(limit(1.3 * quarter)) < 10 ** (-1 / 20)


def test_only_the_surroundings_of_a_peak_are_turned_down() -> None:
    samples = noise(2.0, 0.02)
    samples[24_000:24_048] += 1.5

    limited = limit(samples)

    assert true_peak(limited) < 10 ** (-1 / 20)
    assert np.allclose(limited[:22_900], samples[:22_900])
    assert np.allclose(limited[25_200:], samples[25_200:])
    gains = limited[22_900:25_200] / samples[22_900:25_200]
    assert np.abs(np.diff(gains)).max() < 0.01, "the gain must not jump"


def test_soft_speech_passes_untouched_and_silence_too() -> None:
    samples = noise(0.5, 0.05)
    assert limit(samples) is samples
    empty = np.zeros(0, np.float32)
    assert limit(empty).shape == (0,)


def test_the_target_is_part_of_the_identity() -> None:
    assert Leveller(-20.0).identity != Leveller(-23.0).identity
