import itertools

import numpy as np
import pytest

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import Catalogue
from workers.engines.tone import ToneEngine, frequency_hz
from workers.synthesis.prepare import segments_of


def _beep(tone: ToneEngine, catalogue: Catalogue, text: str, *, voice: str = "af_heart", speed: float = 1.0) -> np.ndarray:
    blend, language = catalogue.parse(voice)
    (segment,) = segments_of(text, tone, voice=blend, language=language, speed=speed)
    return tone.synthesize([segment])[0].samples


@pytest.mark.parametrize(
    ("text", "speed", "n_samples"), [("abcde", 1.0, 7200), ("abcde", 0.25, 28_800), ("abcdefg", 3.0, 3360)]
)
def test_a_beep_is_exact_in_length(tone: ToneEngine, catalogue: Catalogue, text: str, speed: float, n_samples: int) -> None:
    assert len(_beep(tone, catalogue, text, speed=speed)) == n_samples


@pytest.mark.parametrize("voice", ["af_heart", "bm_lewis", "af_heart(2)+bf_emma"])
def test_the_pitch_tells_the_voice(tone: ToneEngine, catalogue: Catalogue, voice: str) -> None:
    samples = _beep(tone, catalogue, "abcdefghijklmnop", voice=voice)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    heard_hz = np.argmax(spectrum) * SAMPLE_RATE_HZ / (8 * len(samples))
    assert heard_hz == pytest.approx(frequency_hz(catalogue.parse(voice)[0]), abs=1)


def test_every_voice_of_the_catalogue_has_its_own_pitch(catalogue: Catalogue) -> None:
    pitches = sorted(frequency_hz(catalogue.parse(voice_id)[0]) for voice_id in catalogue.voices)
    assert pitches[0] >= 200
    assert pitches[-1] < 1500
    assert min(after - before for before, after in itertools.pairwise(pitches)) > 5


@pytest.mark.parametrize("speed", [0.7, 1.0, 1.37, 2.9])
def test_no_edge_is_quiet_enough_to_be_trimmed(tone: ToneEngine, catalogue: Catalogue, speed: float) -> None:
    for voice_id in catalogue.voices:
        samples = _beep(tone, catalogue, "abc", voice=voice_id, speed=speed)
        assert abs(samples[0]) > 0.05
        assert abs(samples[-1]) > 0.05
        assert np.abs(samples).max() == pytest.approx(0.5, abs=0.01)


def test_words_take_their_share_of_the_time(tone: ToneEngine, catalogue: Catalogue) -> None:
    blend, _ = catalogue.parse("af_heart")
    (segment,) = segments_of("ab cdef", tone, voice=blend, language="en-US", speed=1.0)
    words = tone.synthesize([segment])[0].words
    assert [(segment.text[word.first : word.last], round(word.start, 6), round(word.end, 6)) for word in words] == [
        ("ab", 0, 0.12),
        ("cdef", 0.18, 0.42),
    ]


def test_it_speaks_every_language(tone: ToneEngine) -> None:
    assert tone.speaks("tlh")
