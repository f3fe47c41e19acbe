"""Measurements of sounds with known results."""

import numpy as np
import pytest

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.ears.listener import Samples
from tests.ears.sound import (
    edge_silences,
    levels_dbfs,
    loudness_of,
    n_clipped,
    noise_floor_dbfs,
    pitch_of,
    silences,
    timbre_of,
)


def buzz(hz: float, seconds: float = 1.0, height: float = 0.3, n_partials: int = 12) -> Samples:
    """Returns a sound with partials, like a voice."""
    times = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    partials = [np.sin(2 * np.pi * hz * n * times) / n for n in range(1, n_partials + 1)]
    whole = np.sum(partials, axis=0)
    sound: Samples = (height * whole / np.abs(whole).max()).astype(np.float32)
    return sound


def hush(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


@pytest.mark.parametrize("hz", [85, 120, 165, 210, 300, 390])
def test_the_pitch_of_a_voice_is_found(hz: float) -> None:
    pitch, voiced_share = pitch_of(buzz(hz))

    assert pitch == pytest.approx(hz, rel=0.03)
    assert voiced_share > 0.8


def test_hiss_has_no_pitch() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.1, SAMPLE_RATE_HZ).astype(np.float32)

    assert pitch_of(hiss)[1] < 0.1


def test_silences_inside_are_found_and_those_at_the_edges_are_not() -> None:
    sound = np.concatenate([hush(0.3), buzz(120), hush(0.4), buzz(120), hush(0.2)])

    assert silences(sound) == [pytest.approx((1.3, 1.7), abs=0.02)]
    assert edge_silences(sound) == pytest.approx((0.3, 0.2), abs=0.02)


def test_only_flat_peaks_are_clipped() -> None:
    assert n_clipped(buzz(150)) == 0
    assert n_clipped(hush(1.0)) == 0
    assert n_clipped(buzz(150, height=0.9).clip(-0.5, 0.5)) > 100


def test_the_floor_is_that_of_the_pauses() -> None:
    hiss = np.random.default_rng(1).normal(0, 0.01, 2 * SAMPLE_RATE_HZ).astype(np.float32)
    sound = np.concatenate([buzz(120), hush(1.0)])

    assert noise_floor_dbfs(sound + hiss) == pytest.approx(-40, abs=1)


def test_levels_are_of_full_scale() -> None:
    assert levels_dbfs(np.ones(SAMPLE_RATE_HZ, np.float32)) == pytest.approx(0, abs=0.01)


def test_timbre_distinguishes_a_dull_sound_from_a_bright_one() -> None:
    dull, bright = timbre_of(buzz(120, n_partials=4)), timbre_of(buzz(120, n_partials=60))

    assert np.linalg.norm(dull - bright) > 5 * np.linalg.norm(dull - timbre_of(buzz(123, n_partials=4)))


def test_loudness_is_that_of_the_recommendation_and_needs_no_long_sound() -> None:
    pytest.importorskip("pyloudnorm")
    times = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * 997 * times).astype(np.float32)

    assert loudness_of(tone) == pytest.approx(-3.0, abs=0.3)
    assert loudness_of(tone[: SAMPLE_RATE_HZ // 5]) == pytest.approx(-3.0, abs=0.5)
