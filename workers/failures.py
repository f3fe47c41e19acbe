"""What an exception means for a task: one table for speaking, phonemizing and the steps of a job.

Why one table: the same exception must mean the same wherever it is met. A task only says what it does about each meaning, and
names the few exceptions that mean something else to it.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

import msgspec
import structlog
from redis.exceptions import RedisError

from app.core.errors import Cancelled, InternalError, InvalidRequest, KoeError, Parked, Yielded
from app.core.logs import describe
from app.core.storage.connections import trouble_of

log: Final = structlog.get_logger()


class Meaning(Enum):
    """What an exception says about the work of a task."""

    CANCELLED = auto()
    """Nobody wants the result any more."""
    PREEMPTED = auto()
    """Others wait for the slot: the task continues in its turn."""
    PAUSED = auto()
    """The readers have enough for now: the task continues when they have caught up."""
    REFUSED = auto()
    """The request is at fault: another attempt does not help."""
    FAILED = auto()
    """This server is at fault: another attempt may help."""
    REDIS_AWAY = auto()
    """Redis is away, full, or refuses a command."""
    UNFORESEEN = auto()
    """A fault in the code, or in a library."""


_MEANINGS: Final[Mapping[type[Exception], Meaning]] = {
    Yielded: Meaning.PREEMPTED,
    Parked: Meaning.PAUSED,
    Cancelled: Meaning.CANCELLED,
    InvalidRequest: Meaning.REFUSED,
    KoeError: Meaning.FAILED,
    RedisError: Meaning.REDIS_AWAY,
}
"""The first class that fits decides."""


class Action(Enum):
    """What a task does about a failure."""

    END = auto()
    """The task has ended."""
    REQUEUE = auto()
    """The task goes back to its queue."""
    RAISE = auto()
    """The exception is raised, so that RQ lists the task among the failed ones."""


class Failure(msgspec.Struct, frozen=True):
    """An exception that ended the work of a task, and what it means."""

    cause: Exception
    meaning: Meaning

    def to_error(self) -> KoeError:
        """The error that a client is told. A command that Redis refuses is logged."""
        if isinstance(self.cause, KoeError):
            return self.cause
        return trouble_of(self.cause) if isinstance(self.cause, RedisError) else InternalError()


def run_task(
    work: Callable[[], None],
    on_failure: Callable[[Failure], Action],
    *,
    differences: Mapping[type[Exception], Meaning] | None = None,
) -> bool:
    """Does the work. False when the task must go back to its queue.

    `on_failure` decides what is done about an exception; an unforeseen one is logged before. `differences`: exceptions that
    mean something else to this task. Raises the exception when that is decided, and what `on_failure` raises.
    """
    try:
        work()
    except Exception as error:  # border of a task: whatever happens has a meaning, and whoever waits is told
        failure = Failure(error, _meaning_of(error, differences or {}))
        if failure.meaning is Meaning.UNFORESEEN:
            log.error("unforeseen_error", **describe(error))
        action = on_failure(failure)
        if action is Action.RAISE:
            raise
        return action is Action.END
    return True


def _meaning_of(error: Exception, differences: Mapping[type[Exception], Meaning]) -> Meaning:
    table = {**differences, **_MEANINGS}
    return next((meaning for kind, meaning in table.items() if isinstance(error, kind)), Meaning.UNFORESEEN)
