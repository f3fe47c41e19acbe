"""Answers over Redis: Asker (API, event loop) sends a question, Answers (worker, threads) sends its answer back.

Why a key and a notification: the key holds the answer, and the notification only says that there is one. A lost notification
delays an asker by one tick.

Why an asker repeats that it waits: an answer takes seconds. A client may leave or its API process may die in that time, and
only the missing repetition shows it. A question that nobody waits for is dropped, in the queue and in the slot.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import Cancelled, KoeError, TimedOut, from_wire, to_wire
from app.core.queue.broker import Broker
from app.core.queue.fleet import FleetView, no_worker
from app.core.queue.questions import AnswerType, Question
from app.core.storage import keys
from app.core.storage.connections import patiently, reachable, suppressed_unless_refused
from app.core.storage.notifier import Notifier
from app.core.tracing.spans import NO_CONTEXT, Context

WANTED_TTL_SECONDS: Final = 5
"""A question is dropped when no asker has renewed it for this time."""

_ANSWER_TTL_SECONDS: Final = 10
"""Long enough for all askers that wait and for those that come a little later; answers may be large, so not longer."""
_ERROR_TTL_SECONDS: Final = 2
"""Short, because the next try may succeed."""

_TICK_SECONDS: Final = 1.0
"""How often an asker looks for the answer when no notification comes."""

_QUIET_TICKS: Final = 10
"""After this many ticks a question is submitted again, in case the queue or its worker has lost it."""

_NOTHING: Final = msgspec.Raw(b"null")


class _Outcome(msgspec.Struct, frozen=True):
    """The result for a question: its answer, or an error."""

    answer: msgspec.Raw = _NOTHING
    error: dict[str, str] | None = None
    """The error in the form of `app.core.errors.to_wire`; None without one."""

    def reveal(self, answer_type: type[AnswerType]) -> AnswerType:
        """The answer. Raises the error if the result is an error."""
        if self.error is not None:
            raise from_wire(self.error)
        return msgspec.json.decode(self.answer, type=answer_type)


class Asker:
    """The API's side: asks the workers."""

    def __init__(
        self, *, redis: AsyncRedis, notifier: Notifier, broker: Broker, fleet: FleetView, max_wait_seconds: float
    ) -> None:
        self._redis = redis
        self._notifier = notifier
        self._broker = broker
        self._fleet = fleet
        self._max_wait_seconds = max_wait_seconds

    async def ask(
        self, question: Question[AnswerType], *, request_id: str, owner: str = "", trace: Context = NO_CONTEXT
    ) -> AnswerType:
        """The answer, as soon as a worker has given it.

        `owner` is the owner whose share of the machine the work uses, and `trace` the context of its trace. Raises QueueFull,
        NoWorker, TimedOut after the longest wait, or the error that the worker raised.
        """
        submit = partial(self._broker.submit_question, question, request_id=request_id, owner=owner, trace=trace)
        notified = self._notifier.subscribe(question.id)
        max_seconds = self._max_wait_seconds + question.work_seconds
        try:
            async with asyncio.timeout(max_seconds):
                with reachable():
                    outcome = await self._wait(question.id, notified, submit)
        except TimeoutError:
            raise await self._why_none_came(max_seconds) from None
        finally:
            self._notifier.unsubscribe(question.id, notified)
        return outcome.reveal(question.answer_type)

    async def _wait(self, question_id: str, notified: asyncio.Event, submit: Callable[..., bool]) -> _Outcome:
        """Submits the question with `submit`, which returns False while an earlier task of the same question is still running
        or being released.

        Raises an error when Redis is unreachable at the first look; waits when it becomes unreachable later.
        """
        outcome = await self._look(question_id, notified)
        is_submitted = outcome is not None or await asyncio.to_thread(submit, again=False)
        n_ticks = 0
        while outcome is None:
            await _tick(notified)
            n_ticks += 1
            with suppressed_unless_refused():
                outcome = await self._look(question_id, notified)
                if outcome is None and (not is_submitted or n_ticks % _QUIET_TICKS == 0):
                    is_submitted = await asyncio.to_thread(submit, again=True)
        return outcome

    async def _look(self, question_id: str, notified: asyncio.Event) -> _Outcome | None:
        """The outcome if there is one; otherwise notes in Redis that somebody waits for it."""
        notified.clear()
        found = cast("bytes | None", await self._redis.get(keys.answer(question_id)))
        if found is not None:
            return msgspec.json.decode(found, type=_Outcome)
        await self._redis.set(keys.answer_wanted(question_id), 1, ex=WANTED_TTL_SECONDS)
        return None

    async def _why_none_came(self, max_seconds: float) -> KoeError:
        if not (await self._fleet.now()).registrations:
            return no_worker()
        return TimedOut(f"No answer came within {max_seconds:g} s: the server is busy. Please try again.")


class Answers:
    """The worker's side: writes the answers."""

    def __init__(self, redis: Redis, *, patience_seconds: float) -> None:
        """`patience_seconds`: longest wait while Redis is unreachable."""
        self._redis = redis
        self._patience_seconds = patience_seconds

    def begin(self, question_id: str) -> bool:
        """To be called when the question has left its queue. False when nobody waits for an answer. Raises RedisError when
        Redis stays unreachable.
        """
        patiently(lambda: self._redis.hdel(keys.OWNERS, question_id), self._patience_seconds)
        return self.is_wanted(question_id)

    def is_wanted(self, question_id: str) -> bool:
        """Whether somebody waits for an answer and there is none yet. Raises RedisError when Redis stays unreachable."""
        wanted, answer = keys.answer_wanted(question_id), keys.answer(question_id)
        found = patiently(lambda: self._redis.mget(wanted, answer), self._patience_seconds)
        waits, is_answered = cast("list[bytes | None]", found)
        return waits is not None and is_answered is None

    def give(self, question_id: str, answer: Any) -> None:
        """Answers all askers. Raises RedisError when Redis stays unreachable."""
        self._put(question_id, _Outcome(msgspec.Raw(msgspec.json.encode(answer))), _ANSWER_TTL_SECONDS)

    def refuse(self, question_id: str, error: KoeError) -> None:
        """Answers all askers with an error. Raises RedisError when Redis stays unreachable."""
        self._put(question_id, _Outcome(error=to_wire(error)), _ERROR_TTL_SECONDS)

    def _put(self, question_id: str, outcome: _Outcome, ttl_seconds: int) -> None:
        data = msgspec.json.encode(outcome)

        def put() -> None:
            pipe = self._redis.pipeline(transaction=True)
            pipe.set(keys.answer(question_id), data, ex=ttl_seconds)
            pipe.publish(keys.NOTIFICATIONS, question_id)
            pipe.execute()

        patiently(put, self._patience_seconds)


class Wanted:
    """Checks from time to time whether an answer is still wanted."""

    CHECK_SECONDS: Final = 0.1

    def __init__(self, answers: Answers, question_id: str) -> None:
        self._answers = answers
        self._question_id = question_id
        self._check_at = time.monotonic() + self.CHECK_SECONDS

    def check(self) -> None:
        """Asks Redis at most ten times a second. Raises Cancelled if nobody waits any more."""
        if time.monotonic() < self._check_at:
            return
        self._check_at = time.monotonic() + self.CHECK_SECONDS
        if not self._answers.is_wanted(self._question_id):
            raise Cancelled("Nobody waits for the answer any more.")


async def _tick(notified: asyncio.Event) -> None:
    """Returns at the next notification, or after one tick."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_TICK_SECONDS):
            await notified.wait()
