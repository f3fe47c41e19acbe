"""Phonemes over Redis: Asker (API, event loop) sends a text, Answers (worker, threads) sends its phonemes back.

Why a key and a notification: the key holds the answer, and the notification only says that there is one. A lost notification
delays an asker by one tick.

Why an asker repeats that it waits: phonemizing a long text takes seconds. A client may leave or its API process may die in that
time, and only the missing repetition shows it. A text that nobody waits for is dropped, in the queue and in the slot.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import KoeError, TimedOut, from_wire, to_wire
from app.core.queue.broker import Broker
from app.core.queue.fleet import FleetView, no_worker
from app.core.speech.phonemized import Phonemized
from app.core.speech.spoken_text import SpokenText
from app.core.storage import keys
from app.core.storage.connections import patiently, reachable, suppressed_unless_refused
from app.core.storage.notifier import Notifier
from app.core.tracing.spans import NO_CONTEXT, Context

WANTED_TTL_SECONDS: Final = 5
"""A text is dropped when no asker has renewed it for this time."""

_ANSWER_TTL_SECONDS: Final = 10
"""Long enough for all askers that wait and for those that come a little later; answers may be large, so not longer."""
_ERROR_TTL_SECONDS: Final = 2
"""Short, because the next try may succeed."""

_TICK_SECONDS: Final = 1.0
"""How often an asker looks for the answer when no notification comes."""

_QUIET_TICKS: Final = 10
"""After this many ticks a text is submitted again, in case the queue or its worker has lost it."""


class _Outcome(msgspec.Struct, frozen=True):
    """The result for a text: its phonemes, or an error."""

    phonemized: Phonemized | None = None
    error: dict[str, str] | None = None
    """The error in the form of `app.core.errors.to_wire`; None without one."""

    def reveal(self) -> Phonemized:
        """The phonemes. Raises the error if the result is an error."""
        if self.error is not None:
            raise from_wire(self.error)
        assert self.phonemized is not None
        return self.phonemized


class Asker:
    """The API's side: asks the workers for the phonemes of a text."""

    def __init__(
        self, *, redis: AsyncRedis, notifier: Notifier, broker: Broker, fleet: FleetView, max_wait_seconds: float
    ) -> None:
        self._redis = redis
        self._notifier = notifier
        self._broker = broker
        self._fleet = fleet
        self._max_wait_seconds = max_wait_seconds

    async def ask(self, text: SpokenText, *, request_id: str, owner: str = "", trace: Context = NO_CONTEXT) -> Phonemized:
        """The answer, as soon as a worker has given it.

        `owner` is the owner whose share of the machine the work uses, and `trace` the context of its trace. Raises QueueFull,
        NoWorker, TimedOut after the longest wait, or the error that the worker raised.
        """
        submit = partial(self._broker.submit_phonemes, text, request_id=request_id, owner=owner, trace=trace)
        notified = self._notifier.subscribe(text.id)
        try:
            async with asyncio.timeout(self._max_wait_seconds):
                with reachable():
                    return await self._wait(text, notified, submit)
        except TimeoutError:
            raise await self._why_none_came() from None
        finally:
            self._notifier.unsubscribe(text.id, notified)

    async def _wait(self, text: SpokenText, notified: asyncio.Event, submit: Callable[..., bool]) -> Phonemized:
        """Submits the text with `submit`, which returns False while an earlier task of the same text is still running or being
        released.

        Raises an error when Redis is unreachable at the first look; waits when it becomes unreachable later.
        """
        outcome = await self._look(text, notified)
        is_submitted = outcome is not None or await asyncio.to_thread(submit, again=False)
        n_ticks = 0
        while outcome is None:
            await _tick(notified)
            n_ticks += 1
            with suppressed_unless_refused():
                outcome = await self._look(text, notified)
                if outcome is None and (not is_submitted or n_ticks % _QUIET_TICKS == 0):
                    is_submitted = await asyncio.to_thread(submit, again=True)
        return outcome.reveal()

    async def _look(self, text: SpokenText, notified: asyncio.Event) -> _Outcome | None:
        """The outcome if there is one; otherwise notes in Redis that somebody waits for it."""
        notified.clear()
        found = cast("bytes | None", await self._redis.get(keys.phonemes(text.id)))
        if found is not None:
            return msgspec.json.decode(found, type=_Outcome)
        await self._redis.set(keys.phonemes_wanted(text.id), 1, ex=WANTED_TTL_SECONDS)
        return None

    async def _why_none_came(self) -> KoeError:
        if not (await self._fleet.now()).registrations:
            return no_worker()
        return TimedOut(f"No answer came within {self._max_wait_seconds:g} s: the server is busy. Please try again.")


class Answers:
    """The worker's side: writes the answers."""

    def __init__(self, redis: Redis, *, patience_seconds: float) -> None:
        """`patience_seconds`: longest wait while Redis is unreachable."""
        self._redis = redis
        self._patience_seconds = patience_seconds

    def begin(self, text: SpokenText) -> bool:
        """To be called when the text has left its queue. False when nobody waits for an answer. Raises RedisError when
        Redis stays unreachable.
        """
        patiently(lambda: self._redis.hdel(keys.OWNERS, text.id), self._patience_seconds)
        return self.is_wanted(text)

    def is_wanted(self, text: SpokenText) -> bool:
        """Whether somebody waits for an answer and there is none yet. Raises RedisError when Redis stays unreachable."""
        wanted, answer = keys.phonemes_wanted(text.id), keys.phonemes(text.id)
        found = patiently(lambda: self._redis.mget(wanted, answer), self._patience_seconds)
        waits, is_answered = cast("list[bytes | None]", found)
        return waits is not None and is_answered is None

    def give(self, text: SpokenText, phonemized: Phonemized) -> None:
        """Answers all askers. Raises RedisError when Redis stays unreachable."""
        self._put(text, _Outcome(phonemized), _ANSWER_TTL_SECONDS)

    def refuse(self, text: SpokenText, error: KoeError) -> None:
        """Answers all askers with an error. Raises RedisError when Redis stays unreachable."""
        self._put(text, _Outcome(error=to_wire(error)), _ERROR_TTL_SECONDS)

    def _put(self, text: SpokenText, outcome: _Outcome, ttl_seconds: int) -> None:
        data = msgspec.json.encode(outcome)

        def put() -> None:
            pipe = self._redis.pipeline(transaction=True)
            pipe.set(keys.phonemes(text.id), data, ex=ttl_seconds)
            pipe.publish(keys.NOTIFICATIONS, text.id)
            pipe.execute()

        patiently(put, self._patience_seconds)


async def _tick(notified: asyncio.Event) -> None:
    """Returns at the next notification, or after one tick."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_TICK_SECONDS):
            await notified.wait()
