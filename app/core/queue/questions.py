"""Questions that the API asks the workers: each becomes a task, and its answer comes back through Redis.

Why a question knows its task: whoever asks need not know what the workers do, and `answers` need not know the questions.
"""

from typing import Generic, TypeVar

import msgspec

from app.core.queue.task import Task
from app.core.speech.phonemized import Phonemized
from app.core.speech.spoken_text import SpokenText

AnswerType = TypeVar("AnswerType")


class Question(msgspec.Struct, Generic[AnswerType], frozen=True, kw_only=True):
    """A question. Equal questions have the same id, and share one task and one answer."""

    id: str
    task: Task
    args: list[str | int]
    """Arguments of the task; the id of the request follows them."""
    description: str
    """One line for the log, without any text of a user."""
    answer_type: type[AnswerType]
    work_seconds: float = 0.0
    """How much longer than any other the answer may take, once a worker has begun."""


def phonemes_of(text: SpokenText) -> Question[Phonemized]:
    """Asks for the phonemes of a text."""
    return Question(
        id=text.id,
        task=Task.PHONEMIZE,
        args=[text.to_json().decode()],
        description=f"phonemes of {len(text.text)} characters, {text.language}, {text.engine}",
        answer_type=Phonemized,
    )
