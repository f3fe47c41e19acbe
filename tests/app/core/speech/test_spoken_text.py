"""A text to be spoken: equal texts have the same id, different texts have different ids, and no utterance has the same id."""

from typing import Any

import pytest

from app.core.speech.spoken_text import SpokenText
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue

CATALOGUE = load_catalogue()


def a_text(**changes: Any) -> SpokenText:
    fields: dict[str, Any] = {"text": "Hello.", "engine": "tone", "voice": CATALOGUE.parse("af_heart")[0], "language": "en-US"}
    return SpokenText(**(fields | changes))


def test_it_crosses_as_json_and_keeps_its_id() -> None:
    text = a_text(pronunciations=(("Koe", "kˈO"),))

    assert SpokenText.from_json(text.to_json()) == text
    assert SpokenText.from_json(text.to_json()).id == text.id
    assert text.id.startswith("phonemes-")


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Hello!"},
        {"engine": "espeak"},
        {"voice": CATALOGUE.parse("bf_emma")[0]},
        {"language": "en-GB"},
        {"normalize": False},
        {"emoji": "say"},
        {"code": "say"},
        {"pronunciations": (("Koe", "kˈO"),)},
        {"version": 1},
    ],
)
def test_texts_that_differ_have_different_ids(change: dict[str, Any]) -> None:
    assert a_text(**change).id != a_text().id


def test_an_utterance_of_the_same_text_has_another_id() -> None:
    text = a_text()
    utterance = Utterance(text=text.text, engine=text.engine, voice=text.voice, language=text.language, format="pcm")

    assert isinstance(utterance, SpokenText)
    assert utterance.id not in text.id
