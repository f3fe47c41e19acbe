"""A question: equal ones have one id, others another, and its outcome is the same on the other side of Redis."""

from typing import Any

import msgspec
import pytest

from app.core.errors import EngineFailed, KoeError, NotSupported
from app.core.speech.question import Outcome, Phonemized, PhonemizedSegment, Question
from app.core.speech.voices import load_catalogue

CATALOGUE = load_catalogue()


def a_question(**changes: Any) -> Question:
    fields: dict[str, Any] = {"text": "Hello.", "engine": "tone", "voice": CATALOGUE.parse("af_heart")[0], "language": "en-US"}
    return Question(**(fields | changes))


def test_it_crosses_as_json_and_keeps_its_id() -> None:
    question = a_question(pronunciations=(("Koe", "kˈO"),))

    assert Question.from_json(question.to_json()) == question
    assert Question.from_json(question.to_json()).id == question.id
    assert question.id.startswith("phonemes-")


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Hello!"},
        {"engine": "espeak"},
        {"voice": CATALOGUE.parse("bf_emma")[0]},
        {"language": "en-GB"},
        {"normalize": False},
        {"emoji": "say"},
        {"pronunciations": (("Koe", "kˈO"),)},
        {"version": 1},
    ],
)
def test_whatever_differs_has_another_id(change: dict[str, Any]) -> None:
    assert a_question(**change).id != a_question().id


def crossed(outcome: Outcome) -> Outcome:
    return msgspec.json.decode(msgspec.json.encode(outcome), type=Outcome)


def test_an_answer_arrives_as_it_was_given() -> None:
    found = Phonemized("en-US", "Hello.", (PhonemizedSegment("Hello.", "həlˈO.", 7),))

    assert crossed(Outcome(found)).reveal() == found


@pytest.mark.parametrize("error", [NotSupported("No such language.", param="language"), EngineFailed("It broke.")])
def test_an_error_arrives_as_the_nearest_class_that_has_a_code(error: KoeError) -> None:
    with pytest.raises(KoeError) as caught:
        crossed(Outcome.of_error(error)).reveal()

    assert isinstance(error, type(caught.value))
    assert (caught.value.code, caught.value.message, caught.value.param) == (error.code, error.message, error.param)
