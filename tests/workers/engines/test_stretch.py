import numpy as np
import pytest

from workers.engines.stretch import stretch


@pytest.mark.parametrize("factor", [1.0, 1.2, 1.84, 3.0])
def test_sound_becomes_longer_and_keeps_its_pitch(factor: float) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 200 * np.arange(24_000) / 24_000)).astype(np.float32)
    longer = stretch(tone, factor)
    assert longer.dtype == np.float32
    assert len(longer) == round(24_000 * factor)
    spectrum = np.abs(np.fft.rfft(longer))
    assert np.argmax(spectrum) * 24_000 / len(longer) == pytest.approx(200, abs=2)
    middle = longer[2000:-2000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_nothing_is_too_short_to_be_stretched() -> None:
    for length in (0, 1, 100, 1919, 1920, 5000):
        assert np.isfinite(stretch(np.ones(length, np.float32), 1.5)).all()
