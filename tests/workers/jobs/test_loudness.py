"""The loudness of a part, and the gains that make the parts of a book equally loud without clipping."""

import numpy as np
import pytest

from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.jobs.loudness import MAX_GAIN_DB, Level, Meter, amplify, gains_db
from workers.synthesis.audio import to_pcm
from workers.synthesis.joining import silence


def tone(amplitude: float, seconds: float = 2.0) -> bytes:
    samples = amplitude * np.sin(2 * np.pi * 440 * np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ)
    return to_pcm(samples.astype(np.float32))


def level_of(pcm: bytes, step: int = 1000) -> Level:
    meter = Meter()
    for start in range(0, len(pcm), step):
        meter.add(pcm[start : start + step])
    return meter.level()


def test_a_sine_of_full_scale_has_three_decibels_less_than_its_peak() -> None:
    level = level_of(tone(1.0))
    assert level.loudness_db == pytest.approx(-3.01, abs=0.02)
    assert level.peak_db == pytest.approx(0.0, abs=0.01)


def test_pauses_do_not_make_a_part_softer() -> None:
    steady, broken = tone(0.3, 4.0), (tone(0.3) + silence(4.0)) * 2
    assert level_of(broken).loudness_db == pytest.approx(level_of(steady).loudness_db, abs=0.1)


def test_the_sizes_of_the_writes_change_nothing() -> None:
    assert level_of(tone(0.2), step=6) == level_of(tone(0.2), step=100_000)


@pytest.mark.parametrize("pcm", [b"", silence(1.0)])
def test_silence_has_no_loudness_and_is_left_alone(pcm: bytes) -> None:
    level = level_of(pcm)
    assert level == Level(None, None)
    assert gains_db([level, level_of(tone(0.2)), level_of(tone(0.2))])[0] == 0.0


def test_parts_are_brought_to_their_median_and_no_further_than_allowed() -> None:
    levels = [level_of(tone(amplitude)) for amplitude in (0.05, 0.16, 0.2, 0.25, 0.8)]
    gains = gains_db(levels)
    assert gains == pytest.approx([MAX_GAIN_DB, 1.94, 0.0, -1.94, -MAX_GAIN_DB], abs=0.01)


def test_no_gain_lifts_a_peak_beyond_full_scale() -> None:
    soft = tone(0.1, 4.0) + tone(0.95, 0.01)
    levels = [level_of(soft), level_of(tone(0.3)), level_of(tone(0.3))]
    gain = gains_db(levels)[0]
    louder = np.frombuffer(amplify(soft, gain), "<i2")
    assert 0.0 < gain < 1.0
    assert np.abs(louder.astype(int)).max() < 32767


def test_what_needs_no_gain_stays_as_it_is_to_the_bit() -> None:
    pcm = tone(0.3)
    assert gains_db([level_of(pcm), level_of(pcm)]) == [0.0, 0.0]
    assert amplify(pcm, 0.0) is pcm


def test_a_gain_is_heard_as_what_it_says() -> None:
    before, after = level_of(tone(0.3)), level_of(amplify(tone(0.3), -2.0))
    assert before.loudness_db is not None
    assert after.loudness_db == pytest.approx(before.loudness_db - 2.0, abs=0.01)
