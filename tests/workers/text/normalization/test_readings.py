"""The table of readings is what is spoken: a change of any reading is seen in its diff."""

from collections.abc import Iterator

import pytest

from tests.workers.text.normalization.readings import Reading, has_phonemes, load, speak
from workers.text.g2p.phonemize import Phonemizer

LANGUAGES = {"en-US", "en-GB", "es", "fr-FR", "hi", "it", "ja", "pt-BR", "zh"}


def _all() -> Iterator[Reading]:
    return (reading for readings in load().values() for reading in readings)


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


@pytest.mark.parametrize("reading", list(_all()), ids=lambda reading: f"{reading.language}: {reading.input}")
def test_what_is_spoken_is_what_the_table_says(reading: Reading, phonemizer: Phonemizer) -> None:
    """`python -m tests.workers.text.normalization.readings` writes the table anew."""
    now = speak(reading, phonemizer)
    assert now.spoken == reading.spoken
    if has_phonemes(reading, phonemizer):
        assert now.phonemes == reading.phonemes


def test_every_language_and_many_kinds_are_in_it() -> None:
    assert {reading.language for reading in _all()} == LANGUAGES
    assert len(load()) >= 10
    assert len(list(_all())) >= 120
