import numpy as np
import pytest

from app.core.errors import InvalidValue, NotSupported
from app.core.speech.languages import LANGUAGES
from app.core.speech.voices import BlendPart, Catalogue
from workers.engines.espeak import EspeakEngine
from workers.synthesis.prepare import segments_of

TEXTS = {"ja": "こんにちは", "zh": "你好", "hi": "नमस्ते", "ko": "안녕하세요", "ru": "привет"}


@pytest.mark.parametrize("language", [*(language.tag for language in LANGUAGES), "ko", "de", "ru", "pt-PT"])
def test_every_language_of_kokoro_and_more_are_spoken(espeak: EspeakEngine, catalogue: Catalogue, language: str) -> None:
    assert espeak.speaks(language)
    blend, _ = catalogue.parse("af_heart")
    segments = list(segments_of(TEXTS.get(language, "Radio"), espeak, voice=blend, language=language, speed=1.0))
    (waveform,) = espeak.synthesize(segments)
    assert np.abs(waveform.samples).max() > 0.1


def test_a_language_that_it_lacks_is_refused(espeak: EspeakEngine, catalogue: Catalogue) -> None:
    assert not espeak.speaks("xx-YY")
    with pytest.raises(NotSupported, match="'xx-YY'") as caught:
        next(segments_of("text", espeak, voice=catalogue.parse("af_heart")[0], language="xx-YY", speed=1.0))
    assert caught.value.param == "language"


def test_an_unknown_voice_is_refused(espeak: EspeakEngine) -> None:
    with pytest.raises(InvalidValue, match="af_nobody") as caught:
        next(segments_of("text", espeak, voice=(BlendPart("af_nobody", 1.0),), language="en-US", speed=1.0))
    assert caught.value.param == "voice"


def test_a_voice_pack_of_a_user_is_refused_with_the_remedy(espeak: EspeakEngine) -> None:
    with pytest.raises(NotSupported, match=r"a voice pack for Kokoro.*use another voice") as caught:
        espeak.check_voice((BlendPart("voice_" + 24 * "0", 1.0),), "en-US")
    assert caught.value.param == "voice"


def test_no_two_voices_of_one_language_sound_the_same(espeak: EspeakEngine, catalogue: Catalogue) -> None:
    spoken = {}
    for voice in catalogue.voices.values():
        blend, _ = catalogue.parse(voice.id)
        segments = list(segments_of("Good morning", espeak, voice=blend, language="en-US", speed=1.0))
        spoken[voice.id] = espeak.synthesize(segments)[0].samples.tobytes()
    assert len(set(spoken.values())) == len(catalogue.voices)


def test_words_follow_each_other_without_a_gap(espeak: EspeakEngine, catalogue: Catalogue) -> None:
    (segment,) = segments_of("It costs 2500 dollars.", espeak, voice=catalogue.parse("am_adam")[0], language="en-US", speed=0.3)
    (waveform,) = espeak.synthesize([segment])
    assert [segment.text[word.first : word.last] for word in waveform.words] == ["It", "costs", "2500", "dollars."]
    assert [word.end for word in waveform.words[:-1]] == [word.start for word in waveform.words[1:]]
    assert waveform.words[2].end - waveform.words[2].start > waveform.words[0].end - waveform.words[0].start


def test_markup_is_text_and_no_command(espeak: EspeakEngine, catalogue: Catalogue) -> None:
    (segment,) = segments_of("a <b> [[x]] c", espeak, voice=catalogue.parse("af_heart")[0], language="en-US", speed=1.0)
    assert segment.text == "a <b> [[x]] c"
    assert len(espeak.synthesize([segment])[0].words) == 4
