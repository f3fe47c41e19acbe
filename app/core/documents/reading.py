"""The question with which the API has a document read by a worker."""

from typing import Final

from app.core.queue.questions import Question
from app.core.queue.task import Task

READ_SECONDS: Final = 60.0
"""Longest time that reading a file takes; then it is refused."""

IS_READ: Final = True
"""The answer. What was read is in the record of the document."""


def reading_of(document_id: str) -> Question[bool]:
    """Asks to read the file that is stored under this id. The answer only says that it was read."""
    return Question(
        id=document_id,
        task=Task.READ,
        args=[document_id],
        description="reading of a document",
        answer_type=bool,
        work_seconds=READ_SECONDS,
    )
