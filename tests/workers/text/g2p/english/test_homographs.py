"""Words that are spelled alike and said differently, with spaCy's model and without it."""

import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.core.settings import read_settings
from workers.text.g2p.english import tagger
from workers.text.g2p.phonemize import Phonemizer

_STRESSES = str.maketrans("", "", "ˈˌ.,!?:“” ")


def _sentences(*, needs_tagger: bool) -> Iterator[tuple[str, str]]:
    file = Path(__file__).with_name("homographs.toml")
    for rows in tomllib.loads(file.read_text(encoding="utf-8")).values():
        for row in rows:
            sentences = [*row["sentences"], *(row.get("needs_tagger", []) if needs_tagger else [])]
            yield from ((sentence, row["phonemes"]) for sentence in sentences)


@cache
def _phonemizer(model: str | None) -> Phonemizer:
    return Phonemizer(model)


def _marked(sentence: str, phonemizer: Phonemizer) -> str:
    """The phonemes of the word in braces, without stress."""
    at = sentence.index("{")
    spoken = phonemizer.phonemize(sentence.replace("{", "").replace("}", ""), "en-US")
    word = next(word for word in spoken.words if word.first <= at < word.last)
    return spoken.phonemes[word.begin : word.end].translate(_STRESSES)


@pytest.mark.skipif(tagger.is_installed(), reason="spaCy's English model is installed as a package")
@pytest.mark.parametrize(("sentence", "phonemes"), _sentences(needs_tagger=False))
def test_a_homograph_is_told_apart_without_the_model(sentence: str, phonemes: str) -> None:
    assert _marked(sentence, _phonemizer(None)) == phonemes.translate(_STRESSES)


@pytest.mark.parametrize(("sentence", "phonemes"), _sentences(needs_tagger=True))
def test_a_homograph_is_told_apart_with_the_model(sentence: str, phonemes: str) -> None:
    model = tagger.find(read_settings(os.environ).fetched_model)
    if model is None:
        pytest.skip("spaCy's English model is not here; `koe fetch` brings it")
    assert _marked(sentence, _phonemizer(model)) == phonemes.translate(_STRESSES)
