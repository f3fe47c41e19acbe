"""Find an utterance finished, join it while it is spoken, or submit it; then read it: one path for all three."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import structlog
from redis.asyncio import Redis as AsyncRedis

from app.core.broker import Broker, Lane
from app.core.chunks import Bell, ChunkReader
from app.core.connections import reachable
from app.core.errors import EngineFailed, KoeError, NoWorker, TimedOut
from app.core.fleet import FleetView
from app.core.ledger import Found, Ledger, Report, Take
from app.core.utterance import Utterance

log: Final = structlog.get_logger()


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

    @property
    def report(self) -> Report | None:
        """What the utterance amounts to, once it has been read to its end."""
        return self._reader.report

    async def start(self) -> None:
        """Waits for the first chunk. Raises what the worker raised before it."""
        try:
            self._first = await anext(self._chunks)
        except StopAsyncIteration:
            raise EngineFailed from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """All chunks in order. Raises the errors of ChunkReader, NoWorker when Redis goes away."""
        if self._first is not None:
            yield self._first
        with reachable():
            async for chunk in self._chunks:
                yield chunk

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

    async def open(self, utterance: Utterance, *, request_id: str, lane: Lane = Lane.INTERACTIVE) -> Audio:
        """The utterance's audio, as soon as there is any.

        Raises QueueFull, NoWorker, TimedOut after the longest wait, or what the worker raised before its first chunk. When the
        caller is cancelled the reader leaves, and with the last reader the work stops.
        """
        with reachable():
            found, take = await self._ledger.attach(utterance.id)
        audio = Audio(found, take, ChunkReader(self._redis, self._bell, take), self._ledger)
        try:
            async with asyncio.timeout(self._max_wait_seconds):
                if found is Found.MISS:
                    await self._submit(utterance, take, request_id, lane)
                with reachable():
                    await audio.start()
        except TimeoutError:
            await audio.close()
            raise await self._why_nothing_came() from None
        except BaseException:
            await asyncio.shield(audio.close())
            raise
        return audio

    async def _submit(self, utterance: Utterance, take: Take, request_id: str, lane: Lane) -> None:
        wanted = True
        try:
            with reachable():
                await asyncio.to_thread(self._broker.submit, utterance, lane, request_id=request_id, is_wanted=lambda: wanted)
        except KoeError as error:
            with reachable():
                await self._ledger.fail(take, error)
            raise
        finally:
            wanted = False

    async def _why_nothing_came(self) -> KoeError:
        fleet = await self._fleet.now()
        if not fleet.cards:
            return NoWorker("No worker is running. `koe worker` starts one.")
        return TimedOut(f"No audio came within {self._max_wait_seconds:g} s: the server is busy. Please try again.")
