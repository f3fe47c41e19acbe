"""The words that decide where a sentence ends."""

import pytest

from app.core.speech.sentence_words import all_abbreviations, sentence_words, sentence_words_everywhere


@pytest.mark.parametrize(
    ("language", "word"), [("en-GB", "mr"), ("EN", "mr"), ("es-MX", "sra"), ("pt-BR", "dra"), ("de", "bzw")]
)
def test_a_language_has_its_abbreviations(language: str, word: str) -> None:
    assert word in sentence_words(language).abbreviations
    assert word in all_abbreviations()


@pytest.mark.parametrize("language", ["ja", "sw", "any", ""])
def test_a_language_without_words_has_none(language: str) -> None:
    assert not sentence_words(language).abbreviations


def test_some_words_apply_to_every_language() -> None:
    assert "e.g" in sentence_words_everywhere().abbreviations
    assert "e.g" in all_abbreviations()


def test_all_abbreviations_are_written_in_small_letters_without_the_last_stop() -> None:
    assert not [word for word in all_abbreviations() if word != word.lower() or word.endswith(".")]
