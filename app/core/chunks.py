"""Audio over a Redis Stream: ChunkWriter (worker, threads) and ChunkReader (API, event loop), both ends in one file.

Entries: `start` (worker) · `chunk` (data) … · `stop` (report) or `error` (code, message, param). Field `kind` says which.

Why a stream and a bell: the stream is the truth, so a reader who comes late or comes back starts at the beginning and misses
nothing. The bell is a channel on which the writer says "this one has grown"; one subscription serves all the readers of an API
process, where a blocking read for each would cost a connection for each. A ring that is lost costs a reader one tick, no more.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.client import Pipeline
from redis.exceptions import RedisError

from app.core import keys
from app.core.errors import Cancelled, WorkerLost, from_wire
from app.core.ledger import UNFINISHED_TTL_SECONDS, Report, Take

MAX_CHUNK_BYTES: Final = 32_768
"""Of one entry; more is divided."""

_READ_ENTRIES: Final = 16
"""Entries fetched at a time: bounds what one reader holds to half a megabyte."""

_TICK_SECONDS: Final = 1.0
"""How often a reader that hears nothing looks whether its writer still lives."""


class ChunkWriter:
    """The growing end of one take. Called from one thread at a time."""

    def __init__(self, redis: Redis, take: Take) -> None:
        self._redis = redis
        self._take = take
        self._keep_until = time.monotonic() + UNFINISHED_TTL_SECONDS / 2
        self.n_bytes = 0

    def write(self, data: bytes) -> None:
        """Appends. Raises Cancelled when the stream is gone: everybody has left."""
        if not data:
            return
        pipe = self._redis.pipeline(transaction=False)
        for start in range(0, len(data), MAX_CHUNK_BYTES):
            entry: dict[str, str | bytes] = {"kind": "chunk", "data": data[start : start + MAX_CHUNK_BYTES]}
            pipe.xadd(self._take.stream, entry, nomkstream=True)  # type: ignore[arg-type]
        pipe.publish(keys.BELL, self._take.utterance_id)
        self._keep(pipe)
        if None in pipe.execute():
            raise Cancelled("The utterance is not wanted any more.")
        self.n_bytes += len(data)

    def _keep(self, pipe: Pipeline) -> None:
        """Puts off the day on which an unfinished take is forgotten: a book is spoken for hours."""
        if time.monotonic() < self._keep_until:
            return
        self._keep_until = time.monotonic() + UNFINISHED_TTL_SECONDS / 2
        pipe.expire(self._take.stream, UNFINISHED_TTL_SECONDS)
        pipe.expire(keys.utterance(self._take.utterance_id), UNFINISHED_TTL_SECONDS)


class Bell:
    """Wakes the readers of one API process when their streams have grown."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._events: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to listen, in the running loop."""
        self._task = asyncio.create_task(self._listen(), name="bell")

    async def stop(self) -> None:
        """Stops listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def hear(self, utterance_id: str) -> asyncio.Event:
        """An event that is set at every ring for this utterance; give it back to `forget`."""
        event = asyncio.Event()
        self._events[utterance_id].add(event)
        return event

    def forget(self, utterance_id: str, event: asyncio.Event) -> None:
        """Takes back what `hear` gave."""
        listeners = self._events[utterance_id]
        listeners.discard(event)
        if not listeners:
            del self._events[utterance_id]

    async def _listen(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(keys.BELL)
                    async for message in pubsub.listen():
                        self._ring(message["data"].decode())
            await asyncio.sleep(_TICK_SECONDS / 4)

    def _ring(self, utterance_id: str) -> None:
        for event in self._events.get(utterance_id, ()):
            event.set()


class ChunkReader:
    """The reading end of one take: iterate over it for the audio; afterwards `report` is there."""

    def __init__(self, redis: AsyncRedis, bell: Bell, take: Take) -> None:
        self._redis = redis
        self._bell = bell
        self._take = take
        self._cursor = "-"
        self._worker: str | None = None
        self.report: Report | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The audio in order, as it comes: all that is there is given at once.

        Raises the writer's error where it wrote one, WorkerLost when the writer's process is gone or the stream vanished, and
        RedisError when Redis is away.
        """
        grown = self._bell.hear(self._take.utterance_id)
        try:
            while self.report is None:
                grown.clear()
                entries = await self._fetch()
                if data := b"".join(fields[b"data"] for kind, fields in entries if kind == b"chunk"):
                    yield data
                for kind, fields in entries:
                    self._take_note(kind, fields)
                if not entries:
                    await self._wait(grown)
        finally:
            self._bell.forget(self._take.utterance_id, grown)

    async def _fetch(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found = await self._redis.xrange(self._take.stream, min=self._cursor, count=_READ_ENTRIES)
        entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
        if entries:
            self._cursor = f"({entries[-1][0].decode()}"
        return [(fields[b"kind"], fields) for _, fields in entries]

    def _take_note(self, kind: bytes, fields: dict[bytes, bytes]) -> None:
        if kind == b"start":
            self._worker = fields[b"worker"].decode()
        elif kind == b"stop":
            self.report = msgspec.json.decode(fields[b"report"], type=Report)
        elif kind == b"error":
            raise from_wire({name: fields[name.encode()].decode() for name in ("code", "message", "param")})

    async def _wait(self, grown: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(_TICK_SECONDS):
                await grown.wait()
        except TimeoutError:
            await self._check_writer()

    async def _check_writer(self) -> None:
        if self._worker is None:
            return
        alive, there = await asyncio.gather(
            self._redis.exists(keys.worker(self._worker)), self._redis.exists(self._take.stream)
        )
        if not there or not alive:
            raise WorkerLost("The worker that was speaking is gone. Please try again.")
