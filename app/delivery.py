"""Find an utterance finished, join it while it is spoken, or submit it; then read it: one path for all three."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

import structlog
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.core.broker import Broker, Lane
from app.core.chunks import Bell, ChunkReader
from app.core.connections import reachable
from app.core.errors import EngineFailed, InternalError, KoeError, NoWorker, TimedOut, WorkerLost
from app.core.fleet import FleetView
from app.core.ledger import Found, Ledger, Report, Take
from app.core.logs import describe
from app.core.utterance import Utterance

log: Final = structlog.get_logger()

_AGAIN_SECONDS: Final = 0.02
"""Between two attempts at submitting, while an earlier job of the same utterance lets go."""


class Audio:
    """An utterance that can be heard: its first chunk is here. Iterate over it, and close it on every way out."""

    def __init__(self, found: Found, take: Take, reader: ChunkReader, ledger: Ledger) -> None:
        self.found = found
        self._take = take
        self._reader = reader
        self._ledger = ledger
        self._chunks = aiter(reader)
        self._first: bytes | None = None
        self._closed = False
        self._keep_at = time.monotonic() + ledger.keep_seconds

    @property
    def report(self) -> Report | None:
        """What the utterance amounts to, once it has been read to its end."""
        return self._reader.report

    async def start(self) -> None:
        """Waits for the first chunk. Raises what the worker raised before it."""
        try:
            self._first = await self._next()
        except StopAsyncIteration:
            raise EngineFailed from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """All chunks in order. Raises the errors of ChunkReader, NoWorker when Redis goes away."""
        if self._first is not None:
            yield self._first
        with reachable(), suppress(StopAsyncIteration):
            while True:
                yield await self._next()

    async def _next(self) -> bytes:
        """The next chunk. A take whose writer is lost is over for all its readers, so that asking again begins another."""
        if time.monotonic() > self._keep_at:
            await self._ledger.keep(self._take)
            self._keep_at = time.monotonic() + self._ledger.keep_seconds
        try:
            return await anext(self._chunks)
        except WorkerLost as error:
            await self._ledger.fail(self._take, error)
            raise

    async def close(self) -> None:
        """Leaves. The last to leave an utterance that is not nearly done cancels it."""
        if self._closed:
            return
        self._closed = True
        await self._chunks.aclose()  # type: ignore[attr-defined]
        with reachable():
            if await self._ledger.detach(self._take):
                log.info("utterance_cancelled", utterance_id=self._take.utterance_id)


class Delivery:
    """Where the API gets its audio."""

    def __init__(
        self, *, redis: AsyncRedis, bell: Bell, ledger: Ledger, broker: Broker, fleet: FleetView, max_wait_seconds: float
    ) -> None:
        self._redis = redis
        self._bell = bell
        self._ledger = ledger
        self._broker = broker
        self._fleet = fleet
        self._max_wait_seconds = max_wait_seconds
        self._submitting: set[asyncio.Task[None]] = set()

    async def open(self, utterance: Utterance, *, request_id: str, lane: Lane = Lane.INTERACTIVE) -> Audio:
        """The utterance's audio, as soon as there is any.

        Raises QueueFull, NoWorker, TimedOut after the longest wait, or what the worker raised before its first chunk. When the
        caller is cancelled the reader leaves, and with the last reader the work stops.
        """
        with reachable():
            found, take = await self._ledger.attach(utterance.id)
        if found is Found.MISS:
            self._submit(utterance, take, request_id, lane)
        audio = Audio(found, take, ChunkReader(self._redis, self._bell, take), self._ledger)
        try:
            async with asyncio.timeout(self._max_wait_seconds):
                with reachable():
                    await audio.start()
        except TimeoutError:
            await audio.close()
            raise await self._why_nothing_came() from None
        except BaseException:
            await asyncio.shield(audio.close())
            raise
        return audio

    def _submit(self, utterance: Utterance, take: Take, request_id: str, lane: Lane) -> None:
        """Begins to submit. It belongs to the take and not to who asked first: others may have joined when that one leaves,
        and all of them learn from the stream what became of it.
        """
        task = asyncio.create_task(self._submit_until_taken(utterance, take, request_id, lane), name="submit")
        self._submitting.add(task)
        task.add_done_callback(self._submitting.discard)

    async def _submit_until_taken(self, utterance: Utterance, take: Take, request_id: str, lane: Lane) -> None:
        try:
            with reachable():
                while not await asyncio.to_thread(self._broker.submit, utterance, lane, request_id=request_id):
                    if not await self._ledger.is_queued(take):
                        return
                    await asyncio.sleep(_AGAIN_SECONDS)
        except KoeError as error:
            await self._give_up(take, error)
        except Exception as error:  # noqa: BLE001 - nobody awaits this task: who listens is told through the stream
            log.error("unforeseen_error", **describe(error))
            await self._give_up(take, InternalError())

    async def _give_up(self, take: Take, error: KoeError) -> None:
        with suppress(RedisError):
            await self._ledger.fail(take, error)

    async def _why_nothing_came(self) -> KoeError:
        fleet = await self._fleet.now()
        if not fleet.cards:
            return NoWorker("No worker is running. `koe worker` starts one.")
        return TimedOut(f"No audio came within {self._max_wait_seconds:g} s: the server is busy. Please try again.")
