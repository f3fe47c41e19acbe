"""The tables of examples have the words that are spoken now, so their diff shows every change."""

from collections.abc import Iterator

import pytest

from tests.workers.text.normalization.examples import LANGUAGES, Example, has_phonemes, load, speak
from workers.text.g2p.phonemize import Phonemizer


def _all() -> Iterator[tuple[str, Example]]:
    return ((language, example) for language in LANGUAGES for examples in load(language).values() for example in examples)


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


@pytest.mark.parametrize(("language", "example"), [pytest.param(*one, id=f"{one[0]}: {one[1].input}") for one in _all()])
def test_what_is_spoken_is_what_the_table_says(language: str, example: Example, phonemizer: Phonemizer) -> None:
    """`python -m tests.workers.text.normalization.examples` rewrites the table."""
    now = speak(example, language, phonemizer)
    assert now.spoken == example.spoken
    if has_phonemes(language, phonemizer):
        assert now.phonemes == example.phonemes


def test_every_language_has_examples_of_many_kinds() -> None:
    assert LANGUAGES == ("en-GB", "en-US", "es", "fr-FR", "hi", "it", "ja", "pt-BR", "zh")
    assert all(len(load(language)) >= 8 for language in LANGUAGES)
