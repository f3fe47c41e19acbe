"""Texts that sound the same are equal; texts that sound different are not."""

import importlib
from importlib.util import find_spec

import pytest

from tests.ears.canonical import is_read, split
from tests.ears.score import count_errors

needs_ears = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("jiwer", "rapidfuzz", "anyascii", "zhconv")),
    reason="the extra `ears` is not installed",
)


@pytest.mark.parametrize(
    ("language", "asked", "heard"),
    [
        ("en-US", "Nine lives.", "9 lives"),
        ("en-US", "Twenty-five, please!", "25 please"),
        ("en-GB", "Let's see the neighbour.", "lets see the neighbor"),
        ("fr-FR", "Où est l’œuf ?", "ou est l'oeuf"),
        ("fr-FR", "Seize heures.", "16 heures"),
        ("es", "¡Adiós, señor!", "adios senor"),
        ("it", "Perché no?", "perche no"),
        ("pt-BR", "Três maçãs.", "3 maçãs"),
    ],
)
def test_texts_that_sound_the_same_are_equal(language: str, asked: str, heard: str) -> None:
    assert split(asked, language) == split(heard, language)


def test_japanese_is_compared_by_its_reading() -> None:
    importlib.import_module("pyopenjtalk")

    assert split("りんごを買う。", "ja") == split("リンゴを、買う", "ja")
    assert split("犬", "ja") != split("猫", "ja")
    assert is_read("ja")


@needs_ears
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # zhconv leaves its table open
def test_chinese_is_compared_by_its_syllables() -> None:
    assert split("他關上窗戶。", "zh") == split("她关上窗户", "zh")
    assert split("三月", "zh") == split("3月", "zh")
    assert is_read("zh")


@needs_ears
def test_hindi_in_urdu_letters_is_hindi() -> None:
    assert count_errors("मुझे एक गिलास पानी चाहिए।", "مجھے ایک گلاس پانی چاہیے", "hi").character_errors == 0
    assert count_errors("मुझे एक गिलास पानी चाहिए।", "آج موسم بہت اچھا ہے", "hi").character_rate > 0.5


@needs_ears
def test_words_that_were_only_joined_are_no_errors() -> None:
    errors = count_errors("Ho visto mia nonna ieri.", "Ho visto mianonna ieri", "it")

    assert (errors.n_words, errors.word_errors, errors.character_errors) == (5, 0, 0)


@needs_ears
def test_a_lost_word_is_one_error() -> None:
    errors = count_errors("The dog barks every morning.", "The dog every morning.", "en-US")

    assert (errors.word_errors, errors.character_errors) == (1, len("barks"))


@needs_ears
def test_of_several_right_spellings_the_best_counts() -> None:
    assert count_errors("B|Be|Bee", "Bee.", "en-US").word_errors == 0
    assert count_errors("B|Be|Bee", "Dee.", "en-US").word_errors == 1


@needs_ears
def test_silence_and_nothing_expected_are_counted_too() -> None:
    assert count_errors("Yes.", "", "en-US").word_rate == 1.0
    assert count_errors("Yes.", "yes and no", "en-US").word_errors == 2
