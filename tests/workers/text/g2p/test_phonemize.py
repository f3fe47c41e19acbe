from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import NotSupported
from app.core.speech.languages import LANGUAGES
from tests.checkpoints import PHONEMES
from workers.text.g2p import phonemize
from workers.text.g2p.english import english
from workers.text.g2p.phonemize import Phonemizer
from workers.text.markup import read_markup
from workers.text.normalization.normalize import normalize
from workers.text.words import find_words

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
    return phonemizer.phonemize(text, language).phonemes


def _words(phonemizer: Phonemizer, text: str, language: str) -> dict[str, str]:
    """Returns the phonemes of each word of a text in which no word occurs twice."""
    if language in PACKAGES:
        pytest.importorskip(PACKAGES[language])
    phonemized = phonemizer.phonemize(text, language)
    return {text[word.first : word.last]: phonemized.phonemes[word.begin : word.end] for word in phonemized.words}


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


@pytest.mark.parametrize(
    ("language", "text", "spoken"),
    [
        ("en-US", "It costs $2, all-in!", {"It": "ˌɪt", "costs": "kˈɔsts", "$2,": "tˈu dˈɑləɹz,", "all-in!": "ˌɔlˈɪn!"}),
        ("es", "de la casa 2500, no", {"de": "de", "la": "la", "casa": "kˈasa", "2500,": "ðˈos mˈil kinjˈɛntos,", "no": "nˈo"}),
        ("pt-BR", "Não é 25 %", {"Não": "nˌɐ̃ʊ̃", "é": "ɛ", "25": "vˈiŋʧyisˈiŋkʊ", "%": "pˌorsˈAŋtʊ"}),
        ("fr-FR", "Oui — bon", {"Oui": "wˈi —", "—": "", "bon": "bˈɔ̃"}),
        ("hi", "दुनिया को", {"दुनिया": "dˈʊnɪjˌaː", "को": "koː"}),
        ("zh", "我在2020年。", {"我": "wo↓", "在": "ʦai↘", "2020": "ɚ↘ li↗ŋɚ↘li↗ŋ", "年。": "njɛ↗n."}),
        ("ja", "東京で、123円", {"東": "toː", "京": "kʲoː", "で、": "de,", "123": "çakɯ ɲiʥɨː saɴ", "円": "eɴ"}),
        ("ja", "こんにちは", {"こ": "ko", "ん": "ɴ", "に": "ɲi", "ち": "ʨi", "は": "βa"}),
    ],
)
def test_each_word_has_what_is_said_of_it(phonemizer: Phonemizer, language: str, text: str, spoken: dict[str, str]) -> None:
    assert _words(phonemizer, text, language) == spoken


@pytest.mark.parametrize(
    ("language", "text", "word", "foreign"),
    [
        ("zh", "我用 kubernetes", "kubernetes", "en-US"),
        ("ja", "Kokoroは速い", "Kokoro", "en-US"),
        ("ja", "Café が", "Café", "en-US"),
        ("en-US", "say ひらがな", "ひ", "ja"),
        ("fr-FR", "un 好 oui", "好", "zh"),
        ("it", "la दुनिया", "दुनिया", "hi"),
    ],
)
def test_a_word_of_another_script_is_said_in_its_language(
    phonemizer: Phonemizer, language: str, text: str, word: str, foreign: str
) -> None:
    alone = _words(phonemizer, word, foreign)[word]
    assert len(alone) > 1
    assert _words(phonemizer, text, language)[word] == alone


@pytest.mark.parametrize("language", [language.tag for language in LANGUAGES])
def test_words_of_every_script_are_said_in_every_language(phonemizer: Phonemizer, language: str) -> None:
    spoken = _words(phonemizer, "(Москва) Καλημέρα 안녕 שלום مرحبا สวัสดี Berlin", language)
    assert spoken["(Москва)"] == "(mʌskvˈɑ)"
    assert spoken["Καλημέρα"] == "kˌalimˈera"
    assert len(spoken) == 7
    assert all(len(phonemes) > 3 for phonemes in spoken.values())


def test_a_single_letter_of_another_script_is_named(phonemizer: Phonemizer) -> None:
    assert _words(phonemizer, "times π", "en-US")["π"] == "pˈI"


def test_latin_words_that_japanese_knows_are_japanese(phonemizer: Phonemizer) -> None:
    assert _words(phonemizer, "iPhoneがNHK", "ja") == {"iPhone": "aiɸoɴ", "が": "ɡa", "NHK": "enɯeiʨikei"}


def test_other_scripts_are_said_without_the_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phonemize, "find_spec", lambda name: None)
    assert len(Phonemizer().phonemize("un 好 y かな", "es").phonemes) > 8


def test_a_given_word_is_said_as_it_is_given(phonemizer: Phonemizer) -> None:
    (section,), markup = read_markup("Say [tomato](/təmˈɑːtO/), please", ())
    text = section.tracked.text
    phonemized = phonemizer.phonemize(text, "en-US", markup)
    assert phonemized.phonemes == "sˈA təmˈɑːtO, plˈiz"
    assert [phonemized.phonemes[word.begin : word.end] for word in phonemized.words] == ["sˈA", "təmˈɑːtO,", "plˈiz"]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["hello", "25", "de la", "世界", "мир", "नमस्ते", "かな", "한국", "$12.50", "—", "«no»", "󰀀"]),
            st.text("abXY019.,'-$£%/()\"!?;: —é漢カ你😀½²\u0301+&@#। 　", max_size=6),
            st.text(max_size=4),
        ),
        max_size=8,
    ),
    st.booleans(),
)
@settings(deadline=None, max_examples=30)
@pytest.mark.parametrize("language", [language.tag for language in LANGUAGES])
def test_every_phoneme_belongs_to_one_word_and_every_word_is_there(
    phonemizer: Phonemizer, language: str, parts: list[str], is_spaced: bool
) -> None:
    if language in PACKAGES:
        pytest.importorskip(PACKAGES[language])
    text = (" " if is_spaced else "").join(parts)
    phonemized = phonemizer.phonemize(text, language)
    assert [(word.first, word.last) for word in phonemized.words] == find_words(text)
    edges = [edge for word in phonemized.words for edge in (word.begin, word.end)]
    assert edges == sorted(edges)
    owned = {i for word in phonemized.words for i in range(word.begin, word.end)}
    assert all(i in owned or phoneme.isspace() for i, phoneme in enumerate(phonemized.phonemes))
    assert phonemized.phonemes == phonemized.phonemes.strip()


@pytest.mark.parametrize("language", ["es", "it", "pt-BR", "hi", "fr-FR"])
@given(
    st.lists(st.sampled_from(["de", "la", "casa", "Roma", "2500", "9,", "%", "uno.", "é", "mundo!"]), min_size=1, max_size=60)
)
@settings(deadline=None, max_examples=30)
def test_no_word_is_without_its_share(phonemizer: Phonemizer, language: str, words: list[str]) -> None:
    phonemized = phonemizer.phonemize(" ".join(words), language)
    assert all(word.begin < word.end for word in phonemized.words)


def test_british_and_american_differ(phonemizer: Phonemizer) -> None:
    assert _say(phonemizer, "schedule", "en-GB") != _say(phonemizer, "schedule", "en-US")


@given(st.text("abXY019.,'-$£%/()\"!?;: —é漢カ你😀½²\u0301+&@#", max_size=30))
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("language", ["en-US", "zh", "ja", "es"])
def test_no_text_makes_it_fail(phonemizer: Phonemizer, language: str, text: str) -> None:
    assert isinstance(_say(phonemizer, normalize(text, language).text, language), str)


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
    with pytest.raises(NotSupported, match=rf"\[{language}\]") as caught:
        fresh.phonemize("text", language)
    assert caught.value.param == "language"


@pytest.mark.parametrize("language", ["en-US", "en-GB"])
def test_a_sentence_that_ends_with_a_time_of_day_ends(phonemizer: Phonemizer, language: str) -> None:
    phonemes = _say(phonemizer, normalize("She came at 9 a.m. He left at 5 p.m. In the U.S.", language).text, language)
    assert "ˌAˈɛm. " in phonemes
    assert "ˈɛm. ɪn" in phonemes.lower()
    assert phonemes.endswith("ˈɛs.")


@pytest.mark.parametrize(("text", "stops"), [("यह है। वह था॥", 2), ("यह है।वह था", 1), ("लड़का पढ़ता है", 0)])
def test_a_danda_is_a_full_stop_and_nothing_else_is(phonemizer: Phonemizer, text: str, stops: int) -> None:
    assert _say(phonemizer, text, "hi").count(".") == stops


@pytest.mark.parametrize("language", [language.tag for language in LANGUAGES])
@pytest.mark.parametrize("text", ["s'" * 79, "a" + "’s" * 79, ".𝐀" * 60, "क." * 90, "ა. " * 90])
def test_what_espeak_does_not_survive_is_not_asked_of_it(
    phonemizer: Phonemizer, language: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _say(phonemizer, f"a {text} b", language)
    assert "espeak_ended" not in capsys.readouterr().out


def test_a_closed_phonemizer_frees_the_english_g2p_and_makes_it_again() -> None:
    closing = Phonemizer()
    before = _say(closing, "I read it yesterday.")
    made = english.make("en-US", closing._english_model)

    closing.close()

    assert _say(closing, "I read it yesterday.") == before
    assert english.make("en-US", closing._english_model) is not made
