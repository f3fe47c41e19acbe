"""The meaning of an exception, which is the same for all tasks."""

from typing import Any

import pytest
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from app.core.errors import (
    Cancelled,
    EngineFailed,
    InternalError,
    InvalidValue,
    KoeError,
    NoWorker,
    Paused,
    Preempted,
    QueueRefuses,
    UnknownJob,
    WorkersDied,
)
from workers.failures import Action, Failure, Meaning, run_task

REFUSED = InvalidValue("Invalid value.", param="voice")


def failures_of(error: Exception, **options: Any) -> list[Failure]:
    """Returns the failures that a task gets if its work raises the error."""
    failures: list[Failure] = []

    def fail() -> None:
        raise error

    def note(failure: Failure) -> Action:
        failures.append(failure)
        return Action.END

    assert run_task(fail, note, **options)
    return failures


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (Cancelled("Nobody."), Meaning.CANCELLED),
        (Preempted("Others."), Meaning.PREEMPTED),
        (Paused("Enough."), Meaning.PAUSED),
        (REFUSED, Meaning.REFUSED),
        (EngineFailed(), Meaning.FAILED),
        (WorkersDied(), Meaning.FAILED),
        (RedisConnectionError("away"), Meaning.REDIS_UNAVAILABLE),
        (KeyError("text of a user"), Meaning.UNFORESEEN),
    ],
)
def test_each_kind_of_exception_has_one_meaning(error: Exception, meaning: Meaning) -> None:
    assert [failure.meaning for failure in failures_of(error)] == [meaning]


def test_a_task_says_what_means_something_else_to_it() -> None:
    differences = {UnknownJob: Meaning.CANCELLED, FileNotFoundError: Meaning.CANCELLED}
    assert failures_of(UnknownJob("job_1"), differences=differences)[0].meaning is Meaning.CANCELLED
    assert failures_of(FileNotFoundError(), differences=differences)[0].meaning is Meaning.CANCELLED
    assert failures_of(REFUSED, differences=differences)[0].meaning is Meaning.REFUSED
    assert failures_of(Cancelled("gone"), differences={Cancelled: Meaning.FAILED})[0].meaning is Meaning.FAILED


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (REFUSED, InvalidValue),
        (EngineFailed(), EngineFailed),
        (RedisConnectionError("away"), NoWorker),
        (AuthenticationError("no"), QueueRefuses),
        (KeyError("text of a user"), InternalError),
    ],
)
def test_a_client_is_told_an_error_of_the_tree(error: Exception, expected: type[KoeError]) -> None:
    assert type(failures_of(error)[0].to_error()) is expected


def test_what_nobody_foresaw_is_logged_without_the_text_of_the_user() -> None:
    with capture_logs() as lines:
        failures_of(KeyError("text of a user"))
    assert [line["event"] for line in lines] == ["unforeseen_error"]
    assert "text of a user" not in str(lines)


def test_what_was_foreseen_is_not_logged_here() -> None:
    with capture_logs() as lines:
        failures_of(EngineFailed())
        failures_of(RedisConnectionError("away"))
    assert not lines


def test_work_that_is_done_needs_no_action() -> None:
    assert run_task(lambda: None, lambda failure: Action.RAISE)


def test_a_task_goes_back_to_its_queue_or_is_raised_as_it_decides() -> None:
    def fail() -> None:
        raise EngineFailed

    assert not run_task(fail, lambda failure: Action.REQUEUE)
    with pytest.raises(EngineFailed):
        run_task(fail, lambda failure: Action.RAISE)


def test_the_end_of_a_process_is_no_failure_of_its_task() -> None:
    def leave() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        run_task(leave, lambda failure: Action.END)
