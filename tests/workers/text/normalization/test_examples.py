"""The table of examples has the words that are spoken now, so its diff shows every change."""

from collections.abc import Iterator

import pytest

from tests.workers.text.normalization.examples import Example, has_phonemes, load, speak
from workers.text.g2p.phonemize import Phonemizer

LANGUAGES = {"en-US", "en-GB", "es", "fr-FR", "hi", "it", "ja", "pt-BR", "zh"}


def _all() -> Iterator[Example]:
    return (example for examples in load().values() for example in examples)


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


@pytest.mark.parametrize("example", list(_all()), ids=lambda example: f"{example.language}: {example.input}")
def test_what_is_spoken_is_what_the_table_says(example: Example, phonemizer: Phonemizer) -> None:
    """`python -m tests.workers.text.normalization.examples` rewrites the table."""
    now = speak(example, phonemizer)
    assert now.spoken == example.spoken
    if has_phonemes(example, phonemizer):
        assert now.phonemes == example.phonemes


def test_every_language_and_many_kinds_are_in_it() -> None:
    assert {example.language for example in _all()} == LANGUAGES
    assert len(load()) >= 10
    assert len(list(_all())) >= 120
