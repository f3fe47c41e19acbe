"""Submits work to the queue until a worker has it, while readers already wait for its stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

import msgspec
import structlog
from redis.exceptions import RedisError

from app.core.errors import InternalError, KoeError
from app.core.logs import describe
from app.core.queue.broker import Broker, Lane
from app.core.queue.registry import Ledger, State, Take
from app.core.speech.utterance import Utterance
from app.core.storage.connections import is_refusal, trouble_of

log: Final = structlog.get_logger()

_MIN_DELAY_SECONDS: Final = 0.02
_MAX_DELAY_SECONDS: Final = 0.5


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The request that work is submitted for."""

    request_id: str
    lane: Lane
    caller: str
    """The key whose share of the machine the work uses."""


class Submitter:
    """Submits each take in a task of its own.

    Why the task belongs to the take and not to the request that started it: other readers may have joined when that request
    ends, and the stream tells all of them what became of the submission.
    """

    def __init__(self, ledger: Ledger, broker: Broker, *, max_wait_seconds: float) -> None:
        self._ledger = ledger
        self._broker = broker
        self._max_wait_seconds = max_wait_seconds
        self._tasks: dict[Take, asyncio.Task[None]] = {}
        self._failures: dict[Take, KoeError] = {}
        """Failures that could not be written to the stream."""

    def submit(self, utterance: Utterance, take: Take, origin: Origin, *, again: bool) -> None:
        """Begins to submit, unless this process already does; the result shows in the stream.

        `again`: the work was submitted before, and is accepted however long the queue is.
        """
        if take in self._tasks:
            return
        put = partial(
            self._broker.submit,
            utterance,
            origin.lane,
            request_id=origin.request_id,
            caller=origin.caller,
            again=again,
        )
        task = asyncio.create_task(self._submit_until_taken(take, put), name="submit")
        self._tasks[take] = task
        task.add_done_callback(lambda _: self._tasks.pop(take, None))

    def raise_failure(self, take: Take) -> None:
        """Raises the error of a submission that failed and that the stream could not report."""
        if error := self._failures.get(take):
            raise error

    def forget_failure(self, take: Take) -> None:
        """Drops that error."""
        self._failures.pop(take, None)

    async def _submit_until_taken(self, take: Take, put: Callable[[], bool]) -> None:
        try:
            async for _ in attempts(self._max_wait_seconds):
                if await self._is_submitted(take, put):
                    return
        except KoeError as error:
            await self._fail(take, error)
        except Exception as error:  # noqa: BLE001 - last resort of the API: nobody awaits this, and the stream tells its readers
            log.error("unforeseen_error", **describe(error))
            await self._fail(take, InternalError())

    async def _is_submitted(self, take: Take, put: Callable[[], bool]) -> bool:
        """False while an earlier job of the same id ends, or Redis is unreachable: readers wait, so it is tried again."""
        try:
            return await asyncio.to_thread(put) or not await self._is_without_worker(take)
        except RedisError as error:
            if is_refusal(error):
                raise trouble_of(error) from error
            return False

    async def _is_without_worker(self, take: Take) -> bool:
        look = await self._ledger.look(take)
        return look is not None and (look.state is State.QUEUED or (look.state is State.SPEAKING and not look.has_worker))

    async def _fail(self, take: Take, error: KoeError) -> None:
        try:
            await self._ledger.fail(take, error)
        except RedisError:
            self._failures[take] = error


async def attempts(seconds: float) -> AsyncIterator[None]:
    """Yields once for each attempt until `seconds` are over, and waits longer after each."""
    delay = _MIN_DELAY_SECONDS
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        await asyncio.sleep(delay)
        delay = min(_MAX_DELAY_SECONDS, 1.5 * delay)
