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
from app.core.queue.broker import Broker, QueueName
from app.core.queue.registry import Attempt, Registry, State
from app.core.speech.utterance import Utterance
from app.core.storage.connections import is_refusal, trouble_of
from app.core.tracing.spans import NO_CONTEXT, Context

log: Final = structlog.get_logger()

_MIN_DELAY_SECONDS: Final = 0.02
_MAX_DELAY_SECONDS: Final = 0.5
_GROWTH: Final = 1.15
"""Each delay is this many times the one before, so that little more time passes than was needed: a client may ask again for a
word while the attempt that it has cancelled is still ending.
"""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The request that work is submitted for."""

    request_id: str
    queue_name: QueueName
    owner: str
    """The key whose share of the machine the work uses."""
    heard_seconds: float = 0.0
    """How long its listener still hears something else."""
    trace: Context = NO_CONTEXT
    """Context of the request's trace."""


class Submitter:
    """Submits each attempt in its own task.

    Why the task belongs to the attempt and not to the request that started it: other readers may have joined when that request
    ends, and all of them read the result of the submission from the stream.
    """

    def __init__(self, registry: Registry, broker: Broker, *, max_wait_seconds: float) -> None:
        self._registry = registry
        self._broker = broker
        self._max_wait_seconds = max_wait_seconds
        self._tasks: dict[Attempt, asyncio.Task[None]] = {}
        self._failures: dict[Attempt, KoeError] = {}
        """Failures that could not be written to the stream."""

    def submit(self, utterance: Utterance, attempt: Attempt, origin: Origin, *, again: bool) -> None:
        """Starts to submit the attempt, unless this process already does. The result appears in the stream.

        `again`: the work was submitted before, and is accepted however long the queue is.
        """
        if attempt in self._tasks:
            return
        put = partial(
            self._broker.submit,
            utterance,
            origin.queue_name,
            request_id=origin.request_id,
            owner=origin.owner,
            heard_seconds=origin.heard_seconds,
            again=again,
            trace=origin.trace,
        )
        task = asyncio.create_task(self._submit_until_taken(attempt, put), name="submit")
        self._tasks[attempt] = task
        task.add_done_callback(lambda _: self._tasks.pop(attempt, None))

    def raise_failure(self, attempt: Attempt) -> None:
        """Raises the error of a failed submission, if it could not be written to the stream."""
        if error := self._failures.get(attempt):
            raise error

    def forget_failure(self, attempt: Attempt) -> None:
        """Forgets the error of a failed submission."""
        self._failures.pop(attempt, None)

    async def _submit_until_taken(self, attempt: Attempt, put: Callable[[], bool]) -> None:
        try:
            async for _ in attempts(self._max_wait_seconds):
                if await self._is_submitted(attempt, put):
                    return
        except KoeError as error:
            await self._fail(attempt, error)
        except Exception as error:  # noqa: BLE001 - last resort of the API: nobody awaits this; readers get the error
            log.error("unforeseen_error", **describe(error))
            await self._fail(attempt, InternalError())

    async def _is_submitted(self, attempt: Attempt, put: Callable[[], bool]) -> bool:
        """Submits once. Returns False while an earlier job of the same id is ending, or Redis is unreachable. Readers wait, so
        the caller tries again.
        """
        try:
            return await asyncio.to_thread(put) or not await self._is_without_worker(attempt)
        except RedisError as error:
            if is_refusal(error):
                raise trouble_of(error) from error
            return False

    async def _is_without_worker(self, attempt: Attempt) -> bool:
        look = await self._registry.look(attempt)
        return look is not None and (look.state is State.QUEUED or (look.state is State.SPEAKING and not look.has_worker))

    async def _fail(self, attempt: Attempt, error: KoeError) -> None:
        try:
            await self._registry.fail(attempt, error)
        except RedisError:
            self._failures[attempt] = error


async def attempts(seconds: float) -> AsyncIterator[None]:
    """Yields once for each attempt until `seconds` are over, and waits longer after each."""
    delay = _MIN_DELAY_SECONDS
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        await asyncio.sleep(delay)
        delay = min(_MAX_DELAY_SECONDS, _GROWTH * delay)
