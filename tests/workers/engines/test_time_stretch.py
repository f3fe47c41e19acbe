"""Time stretching: the requested length, the same pitch, the same samples every time."""

from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from app.core.errors import EngineFailed
from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Samples
from workers.engines.time_stretch import steps_of, time_stretch

FFMPEG = Path(imageio_ffmpeg.get_ffmpeg_exe())


def voice(seconds: float, hz: float = 150.0) -> Samples:
    """A buzz with the harmonics of a voice."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    partials = (np.sin(2 * np.pi * hz * n * time) / n for n in range(1, 8))
    return (0.1 * sum(partials, start=np.zeros_like(time))).astype(np.float32)


def loudest_hz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))


@pytest.mark.parametrize("tempo", [0.25, 0.5, 0.9, 1.3, 2.0, 3.0, 4.0])
def test_the_length_is_the_one_asked_for_and_the_pitch_stays(tempo: float) -> None:
    samples = voice(2.0)
    n_wanted = round(len(samples) / tempo)

    stretched = time_stretch(samples, n_wanted, FFMPEG)

    assert stretched.shape == (n_wanted,)
    assert stretched.dtype == np.float32
    assert loudest_hz(stretched) == pytest.approx(150, abs=6)
    middle = stretched[n_wanted // 4 : 3 * n_wanted // 4]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(np.sqrt(np.mean(samples**2)), rel=0.15)


@pytest.mark.parametrize("tempo", [0.5, 2.0, 3.0, 4.0])
def test_speech_between_silences_begins_and_ends_where_it_should(tempo: float) -> None:
    silence = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)
    samples = np.concatenate([silence, voice(1.0), silence])

    stretched = time_stretch(samples, round(len(samples) / tempo), FFMPEG)

    loud = np.flatnonzero(np.abs(stretched) > 10 ** (-50 / 20)) / SAMPLE_RATE_HZ
    assert loud[0] == pytest.approx(0.5 / tempo, abs=0.001)
    assert loud[-1] - loud[0] == pytest.approx(1 / tempo, rel=0.02)


def test_silence_stays_silence_of_the_length_that_was_asked_for() -> None:
    stretched = time_stretch(np.zeros(SAMPLE_RATE_HZ, np.float32), 6000, FFMPEG)

    assert stretched.shape == (6000,)
    assert not stretched.any()


@pytest.mark.parametrize("tempo", [0.3, 2.7])
def test_the_same_speech_gives_the_same_samples(tempo: float) -> None:
    samples = voice(0.7)

    first, second = (time_stretch(samples, round(len(samples) / tempo), FFMPEG) for _ in range(2))

    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("tempo", [0.5, 2.0])
def test_sound_keeps_its_place(tempo: float) -> None:
    samples = np.concatenate([np.zeros(24_000, np.float32), voice(0.3), np.zeros(24_000, np.float32)])

    stretched = time_stretch(samples, round(len(samples) / tempo), FFMPEG)

    loud = np.flatnonzero(np.abs(stretched) > 0.02)
    # The filter may move the edges by one window.
    assert loud[0] == pytest.approx(24_000 / tempo, abs=1700)
    assert loud[-1] == pytest.approx(31_200 / tempo, abs=1700)


def test_even_the_shortest_piece_has_its_length() -> None:
    assert time_stretch(voice(0.01), 60, FFMPEG).shape == (60,)


def test_no_step_is_more_than_twice_as_fast_or_slow() -> None:
    for tempo in (0.06, 0.25, 0.5, 0.99, 1.5, 2.0, 3.0, 4.0):
        steps = steps_of(tempo)
        assert np.prod(steps) == pytest.approx(tempo)
        assert all(0.5 <= round(step, 9) <= 2.0 for step in steps)


def test_an_ffmpeg_that_fails_is_an_engine_that_failed() -> None:
    with pytest.raises(EngineFailed):
        time_stretch(voice(0.1), 100, Path("/bin/false"))
