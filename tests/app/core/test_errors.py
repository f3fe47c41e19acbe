"""The tree of errors: an error that crosses Redis has the same class and message afterwards."""

import pytest

from app.core.errors import (
    CLASSES_BY_CODE,
    Busy,
    EncoderFailed,
    EngineUnavailable,
    InternalError,
    InvalidRequest,
    InvalidValue,
    KoeError,
    MissingModel,
    MissingParameter,
    NoWorker,
    QueueFull,
    RateLimited,
    StringTooLong,
    TimedOut,
    Unavailable,
    WorkerLost,
    WorkersDied,
    WrongType,
    from_wire,
    to_wire,
)
from app.core.rate_limits import RateLimit, RateLimitStatus

STANDING = RateLimitStatus(limit=RateLimit(60, 60), n_left=0, reset_seconds=59.2)
WITH_A_CODE = [
    MissingParameter("input"),
    WrongType("speed", "a decimal", "a string"),
    StringTooLong("input", 4096, 5000),
    InvalidValue("Invalid value: 'zzz'.", param="voice"),
    EngineUnavailable("Kokoro is not loaded."),
    NoWorker("Nobody is there."),
    WorkerLost("The worker is gone."),
    QueueFull.after(12, retry_after_seconds=3),
    RateLimited.after(STANDING, retry_after_seconds=3),
    TimedOut("No audio came."),
    WorkersDied(),
    InternalError(),
]


@pytest.mark.parametrize("error", WITH_A_CODE, ids=lambda error: type(error).__name__)
def test_an_error_is_decoded_as_its_class(error: KoeError) -> None:
    back = from_wire(to_wire(error))
    assert type(back) is type(error)
    assert (back.message, back.param, back.code, str(back)) == (error.message, error.param, error.code, str(error))


def test_an_error_without_a_code_of_its_own_comes_back_as_its_ancestor() -> None:
    assert type(from_wire(to_wire(EncoderFailed("ffmpeg ended.")))) is InternalError
    assert type(from_wire(to_wire(MissingModel()))) is InvalidRequest


def test_a_code_that_nobody_knows_is_an_internal_error() -> None:
    assert type(from_wire({"code": "from_the_future", "message": "?", "param": ""})) is InternalError


def test_no_two_classes_own_one_code() -> None:
    def owners(root: type[KoeError]) -> list[str]:
        own = [root.code] if root.code and "code" in vars(root) else []
        return own + [code for child in root.__subclasses__() for code in owners(child)]

    codes = owners(KoeError)
    assert sorted(codes) == sorted(set(codes)) == sorted(CLASSES_BY_CODE)


@pytest.mark.parametrize("kind", [Busy, Unavailable])
@pytest.mark.parametrize(("asked", "expected"), [(-1, 1), (0, 1), (7, 7), (60, 60), (3600, 60)])
def test_a_wait_is_from_1_to_60_seconds(kind: type[Busy] | type[Unavailable], asked: int, expected: int) -> None:
    assert kind("Later.", retry_after_seconds=asked).retry_after_seconds == expected


def test_a_wait_survives_the_crossing_as_some_wait() -> None:
    back = from_wire(to_wire(NoWorker("Nobody is there.", retry_after_seconds=20)))
    assert isinstance(back, NoWorker)
    assert back.retry_after_seconds in range(1, 61)


def test_an_internal_error_says_nothing_but_where_to_ask() -> None:
    assert "request id" in InternalError().message
