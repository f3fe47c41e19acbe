from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import NotSupported
from app.core.languages import LANGUAGES
from tests.checkpoints import PHONEMES
from workers.text import phonemize
from workers.text.normalize import normalize
from workers.text.phonemize import Phonemizer

SAMPLES = {
    "en-US": "Hello, world! How are you?",
    "en-GB": "Hello, world! How are you?",
    "es": "Hola, mundo. Buenos días.",
    "fr-FR": "Bonjour le monde, ça va?",
    "hi": "नमस्ते दुनिया, आप कैसे हैं?",
    "it": "Ciao mondo, come stai?",
    "ja": "こんにちは、世界！",
    "pt-BR": "Olá, mundo, tudo bem?",
    "zh": "你好，世界！",
}
PACKAGES = {"ja": "pyopenjtalk", "zh": "jieba"}


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


def _say(phonemizer: Phonemizer, text: str, language: str = "en-US") -> str:
    if language in PACKAGES:
        pytest.importorskip(PACKAGES[language])
    return phonemizer.phonemize(text, language)


@pytest.mark.parametrize("language", [language.tag for language in LANGUAGES])
def test_every_language_of_kokoro_has_phonemes_of_its_vocabulary(phonemizer: Phonemizer, language: str) -> None:
    phonemes = _say(phonemizer, SAMPLES[language], language)
    assert len(phonemes) > 8
    assert set(phonemes) <= PHONEMES.keys()
    assert "," in phonemes


@pytest.mark.parametrize("language", [language.tag for language in LANGUAGES])
@pytest.mark.parametrize("text", ["", "  ", "…", "。", "()", "¿"])
def test_text_with_nothing_to_say_has_no_letters(phonemizer: Phonemizer, language: str, text: str) -> None:
    assert not any(character.isalpha() for character in _say(phonemizer, text, language))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("$12.50", "twelve dollars and fifty cents"),
        ("2,500", "two thousand five hundred"),
        ("No. 5", "number five"),
        ("50% off", "fifty percent off"),
    ],
)
def test_numbers_and_money_are_words(phonemizer: Phonemizer, text: str, spoken: str) -> None:
    strip = str.maketrans("", "", "ˈˌ ")
    assert _say(phonemizer, text).translate(strip) == _say(phonemizer, spoken).translate(strip)


@pytest.mark.parametrize("sign", list(".!?,;:…"))
def test_punctuation_reaches_the_phonemes(phonemizer: Phonemizer, sign: str) -> None:
    assert _say(phonemizer, f"Well{sign} now").count(sign) == 1


def test_quotes_brackets_and_dashes_reach_the_phonemes(phonemizer: Phonemizer) -> None:
    phonemes = _say(phonemizer, 'He said "no" (twice) - and left')
    assert [sign for sign in phonemes if sign in "“”()—"] == ["“", "”", "(", ")", "—"]
    assert "—" not in _say(phonemizer, "a well-known place")


def test_little_words_are_weak(phonemizer: Phonemizer) -> None:
    assert _say(phonemizer, "a dog").startswith("ɐ ")
    assert _say(phonemizer, "plan A").endswith("ˈA")


def test_unknown_words_are_said(phonemizer: Phonemizer) -> None:
    assert len(_say(phonemizer, "kubernetes zorblaxian")) > 12


def test_a_number_too_long_to_name_is_said_digit_by_digit(phonemizer: Phonemizer) -> None:
    assert len(_say(phonemizer, "7" * 400)) > 400


def test_latin_words_in_mandarin_are_english(phonemizer: Phonemizer) -> None:
    assert _say(phonemizer, "hello", "en-US") in _say(phonemizer, "你好hello世界", "zh")


def test_british_and_american_differ(phonemizer: Phonemizer) -> None:
    assert _say(phonemizer, "schedule", "en-GB") != _say(phonemizer, "schedule", "en-US")


@given(st.text("abXY019.,'-$£%/()\"!?;: —é漢カ你😀½²\u0301+&@#", max_size=30))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("language", ["en-US", "zh", "ja", "es"])
def test_no_text_makes_it_fail(phonemizer: Phonemizer, language: str, text: str) -> None:
    assert isinstance(_say(phonemizer, normalize(text, language), language), str)


def test_threads_do_not_get_each_others_text(phonemizer: Phonemizer) -> None:
    jobs = [(SAMPLES[language], language) for language in ("en-US", "es", "fr-FR", "en-GB")]
    alone = [phonemizer.phonemize(*job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda job: phonemizer.phonemize(*job), jobs * 15)) == alone * 15


def test_an_unknown_language_is_refused(phonemizer: Phonemizer) -> None:
    assert not phonemizer.speaks("de")
    with pytest.raises(NotSupported, match="'de'") as caught:
        phonemizer.phonemize("Hallo", "de")
    assert caught.value.param == "language"


@pytest.mark.parametrize("language", ["ja", "zh"])
def test_a_missing_package_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setattr(phonemize, "find_spec", lambda name: None)
    fresh = Phonemizer()
    assert not fresh.speaks(language)
    assert fresh.speaks("en-US")
    with pytest.raises(NotSupported, match=rf"koe\[{language}\]") as caught:
        fresh.phonemize("text", language)
    assert caught.value.param == "language"
