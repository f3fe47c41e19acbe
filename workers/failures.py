"""The meaning of exceptions for tasks: one table for speaking, phonemizing and the steps of a job.

Why one table: an exception must have the same meaning in every task. A task only chooses an action for each meaning, and lists
the few exceptions that have another meaning for it.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

import msgspec
import structlog
from redis.exceptions import RedisError

from app.core.errors import Cancelled, InternalError, InvalidRequest, KoeError, Paused, Preempted
from app.core.logs import describe
from app.core.storage.connections import trouble_of
from app.core.tracing.spans import NO_SPAN, Outcome, Span

log: Final = structlog.get_logger()


class Meaning(Enum):
    """The meaning of an exception for a task."""

    CANCELLED = auto()
    """The result is no longer wanted."""
    PREEMPTED = auto()
    """Other tasks wait for the slot: this one continues later."""
    PAUSED = auto()
    """The readers are far behind: the task continues when they have caught up."""
    REFUSED = auto()
    """The request is invalid: another attempt does not help."""
    FAILED = auto()
    """This server is at fault: another attempt may help."""
    REDIS_UNAVAILABLE = auto()
    """Redis is unreachable, full, or refuses a command."""
    UNFORESEEN = auto()
    """A bug in the code or in a library."""


_MEANINGS: Final[Mapping[type[Exception], Meaning]] = {
    Preempted: Meaning.PREEMPTED,
    Paused: Meaning.PAUSED,
    Cancelled: Meaning.CANCELLED,
    InvalidRequest: Meaning.REFUSED,
    KoeError: Meaning.FAILED,
    RedisError: Meaning.REDIS_UNAVAILABLE,
}
"""The first matching class decides."""


_OUTCOMES: Final[Mapping[Meaning, Outcome]] = {
    Meaning.CANCELLED: "cancelled",
    Meaning.PREEMPTED: "preempted",
    Meaning.PAUSED: "paused",
}
"""Meanings that are no error of the task's span."""


class Action(Enum):
    """The action of a task after a failure."""

    END = auto()
    """The task has ended."""
    REQUEUE = auto()
    """The task goes back to its queue."""
    RAISE = auto()
    """The exception is raised, so that RQ puts the task into its registry of failed tasks."""


class Failure(msgspec.Struct, frozen=True):
    """An exception that ended the work of a task, and its meaning."""

    cause: Exception
    meaning: Meaning

    def to_error(self) -> KoeError:
        """Returns the error for the client. Logs a command that Redis refused."""
        if isinstance(self.cause, KoeError):
            return self.cause
        return trouble_of(self.cause) if isinstance(self.cause, RedisError) else InternalError()


def run_task(
    work: Callable[[], None],
    on_failure: Callable[[Failure], Action],
    *,
    differences: Mapping[type[Exception], Meaning] | None = None,
    span: Span = NO_SPAN,
) -> bool:
    """Does the work. Returns False if the task must go back to its queue.

    `on_failure` chooses the action for an exception; an unforeseen exception is logged first. `differences`: exceptions with
    another meaning for this task. `span`, which is the task's, notes the exception or its meaning. Raises the exception if the
    action is RAISE, and the errors of `on_failure`.
    """
    try:
        work()
    except Exception as error:  # border of a task: every exception gets a meaning and is reported
        failure = Failure(error, _meaning_of(error, differences or {}))
        if failure.meaning is Meaning.UNFORESEEN:
            log.error("unforeseen_error", **describe(error))
        _note_failure(span, failure)
        action = on_failure(failure)
        if action is Action.RAISE:
            raise
        return action is Action.END
    return True


def _note_failure(span: Span, failure: Failure) -> None:
    if failure.meaning in _OUTCOMES:
        span.note(outcome=_OUTCOMES[failure.meaning])
    else:
        span.fail(failure.cause)


def _meaning_of(error: Exception, differences: Mapping[type[Exception], Meaning]) -> Meaning:
    table = (*differences.items(), *_MEANINGS.items())
    return next((meaning for kind, meaning in table if isinstance(error, kind)), Meaning.UNFORESEEN)
