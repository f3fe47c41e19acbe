"""One reader of one utterance: it waits for the first chunk, reads to the end, and recovers lost work.

Why the reader recovers lost work: a worker, a queue entry or all of Redis may be lost at any moment, and the waiting reader is
the one that notices. When no chunk comes, it looks at the state of its attempt and submits it again if no worker has it.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError
from typing_extensions import override

from app.core.errors import EngineFailed, KoeError, QueueStorageFull, StreamLost, Unavailable, WorkerLost
from app.core.queue.audio_stream import ChunkReader, Watch
from app.core.queue.fleet import Fleet, FleetView
from app.core.queue.registry import Attempt, Found, Look, Registry, Report, State
from app.core.speech.formats import n_samples_at
from app.core.speech.utterance import Utterance
from app.core.speech.word_times import TimedWord, read_words
from app.core.storage.connections import reachable
from app.core.storage.notifier import Notifier
from app.delivery.flac_header import write_length
from app.delivery.readers import Readers
from app.delivery.submitter import Origin, Submitter, attempts

log: Final = structlog.get_logger()

_MAX_LOSSES: Final = 3
"""Attempts that Redis may lose for one reader within the longest wait."""

_RESUBMIT_TICKS: Final = 10
"""An attempt in the queue is submitted again after each wait of this many seconds, in case Redis lost the queue entry."""


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    """The objects that all listeners of one API process share."""

    redis: AsyncRedis
    notifier: Notifier
    registry: Registry
    fleet: FleetView
    submitter: Submitter
    readers: Readers
    max_wait_seconds: float


class Listener(Watch):
    """Reads the audio of one utterance. Iterate over it after `start`; call `close` in every case."""

    def __init__(self, backend: Backend, utterance: Utterance, origin: Origin, *, wants_words: bool = False) -> None:
        self.found = Found.MISS
        self.n_before = 0
        """Utterances that waited for first audio when this one was submitted, including this one."""
        self.report: Report | None = None
        """The totals of the utterance, once it has been read to its end."""
        self._backend = backend
        self._registry = backend.registry
        self._max_wait_seconds = backend.max_wait_seconds
        self._opened_at = time.monotonic()
        self._utterance = utterance
        self._origin = origin
        self._attempt: Attempt | None = None
        self._attaching: asyncio.Task[tuple[Found, Attempt]] | None = None
        """What is being attached, or was last. It is never cancelled: Redis may have counted this reader already."""
        self._chunks: AsyncGenerator[bytes, None] | None = None
        self._first: bytes | None = None
        self._n_read = 0
        self._n_reported = 0
        self._entry = "0"
        self._n_quiet_ticks = 0
        self._lost_at: float | None = None
        self._losses: list[float] = []
        self._extend_at = time.monotonic() + self._registry.keep_seconds
        self._words = _Words() if wants_words else None

    async def start(self) -> None:
        """Attaches to the utterance, submits it if it is new, and waits for the first chunk.

        Raises RedisError when Redis is unreachable, and the error that the worker raised before the first chunk.
        """
        self.found, self._attempt = await self._attach()
        self._attaching = None
        self._chunks = self._read(self._attempt)
        if self.found is Found.MISS:
            self.n_before = await self._registry.n_waiting_for_first_audio()
        await self._wait_for_audio(self._attempt)

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Yields all chunks in order.

        Raises the worker's error, WorkerLost when no worker came back, and NoWorker when Redis stayed unreachable.
        """
        if self._first is not None:
            yield self._first
        with reachable(), suppress(StopAsyncIteration):
            while True:
                yield await self._next()

    def take_words(self) -> list[TimedWord]:
        """Returns the words that arrived since the last call. The words spoken in a chunk arrive before the chunk."""
        return self._words.take() if self._words is not None else []

    async def close(self) -> None:
        """Detaches from the utterance. When the last reader detaches and the utterance is not nearly finished, the work is
        cancelled.
        """
        attempt, self._attempt = self._attempt, None
        if self._chunks is not None:
            await self._chunks.aclose()
        attaching, self._attaching = self._attaching, None
        if attaching is not None:
            with suppress(KoeError, RedisError):
                _, attempt = await attaching
        if attempt is None:
            return
        self._backend.submitter.forget_failure(attempt)
        await self._backend.readers.remove(attempt)

    @override
    async def on_quiet(self) -> bool:
        """Submits the attempt again if no worker has it, up to the longest wait. Called when no chunk came for a second.

        Raises QueueFull when the first audio cannot come within the longest wait, because the workers are slower than they were
        when the request was admitted.
        """
        assert self._attempt is not None
        self._n_quiet_ticks += 1
        self._backend.submitter.raise_failure(self._attempt)
        fleet = await self._fleet() if not self._n_read and not self._is_continued else None
        n_in_time = fleet.n_in_time(self._opened_at + self._max_wait_seconds - time.monotonic()) if fleet else None
        look = await self._registry.look(self._attempt, n_in_time=n_in_time)
        if look is None:
            raise StreamLost("The audio of this request is lost.")
        if fleet and look.n_waiting:
            raise fleet.queue_full(look.n_waiting, self._max_wait_seconds)
        if await self._is_without_worker(look):
            await self._wait_for_worker(self._attempt)
            return False
        self._lost_at = None
        if look.state is State.PAUSED:
            await self._report_progress(self._attempt)
        elif look.state is State.QUEUED and (not look.has_submitter or self._n_quiet_ticks % _RESUBMIT_TICKS == 0):
            self._submit(self._attempt, again=True)
        return look.state is State.FINISHED

    @override
    def on_words(self, words: bytes) -> None:
        if self._words is not None:
            self._words.add(words)

    @override
    def on_rewind(self) -> None:
        if self._words is not None:
            self._words.rewind()

    @override
    async def on_read(self, n_bytes: int, entry: str) -> None:
        """Reports progress from time to time, so that workers do not get far ahead of the fastest reader."""
        if n_bytes - self._n_reported < self._registry.read_bytes or self._attempt is None:
            return
        self._n_reported, self._entry = n_bytes, entry
        with suppress(RedisError):
            await self._report_progress(self._attempt)

    # Attach and submit

    async def _attach(self, *, instead_of: Attempt | None = None) -> tuple[Found, Attempt]:
        self._attaching = asyncio.create_task(self._attach_whole(instead_of), name="attach")
        return await asyncio.shield(self._attaching)

    async def _attach_whole(self, instead_of: Attempt | None) -> tuple[Found, Attempt]:
        fleet = await self._fleet() if not self._is_continued else None
        capacity = fleet.capacity(self._max_wait_seconds) if fleet else None
        while (
            attached := await self._registry.attach(
                self._utterance.id,
                instead_of=instead_of,
                capacity=capacity,
                expected_seconds=self._utterance.expected_seconds,
                owner=self._origin.owner,
            )
        ) is None:
            self._utterance = msgspec.structs.replace(self._utterance, apart=secrets.token_hex(4))
        found, attempt = attached
        if found is Found.MISS:
            self._submit(attempt, again=self._is_continued or instead_of is not None)
        return found, attempt

    @property
    def _is_continued(self) -> bool:
        """Whether its listener still hears something else, which this continues: it is never refused for a full queue."""
        return self._origin.heard_seconds > 0

    def _submit(self, attempt: Attempt, *, again: bool) -> None:
        self._backend.submitter.submit(self._utterance, attempt, self._origin, again=again)

    async def _fleet(self) -> Fleet | None:
        """Returns the live workers; None when Redis is unreachable."""
        try:
            return await self._backend.fleet.now()
        except Unavailable:
            return None

    async def _report_progress(self, attempt: Attempt) -> None:
        """Reports how far this reader is. Submits the attempt again if it was paused and its readers have caught up."""
        if await self._registry.read(attempt, self._n_read, self._entry):
            self._submit(attempt, again=True)

    # Read

    async def _wait_for_audio(self, attempt: Attempt) -> None:
        try:
            self._first = await self._next()
        except StopAsyncIteration:
            raise EngineFailed from None
        if self.found is Found.HIT and self._utterance.format == "flac":
            self._first = write_length(self._first, await self._n_samples(attempt))

    async def _n_samples(self, attempt: Attempt) -> int:
        """Returns the length of a finished utterance in samples; 0 when it is no longer known."""
        report = await self._open(attempt, skip_bytes=0).report_ahead()
        return n_samples_at(self._utterance.sample_rate_hz, report.audio_seconds) if report else 0

    async def _next(self) -> bytes:
        """Returns the next chunk. Extends the TTL of the attempt when that is due."""
        assert self._chunks is not None
        if self._attempt is not None and time.monotonic() > self._extend_at:
            await self._registry.keep(self._attempt)
            self._extend_at = time.monotonic() + self._registry.keep_seconds
        return await anext(self._chunks)

    async def _read(self, attempt: Attempt) -> AsyncGenerator[bytes, None]:
        """Yields the chunks of the attempt. If it is lost, continues with another attempt at the same byte."""
        while True:
            self.on_rewind()
            reader = self._open(attempt, skip_bytes=self._n_read)
            try:
                async with aclosing(aiter(reader)) as chunks:
                    async for chunk in chunks:
                        self._n_read += len(chunk)
                        yield chunk
                self.report = reader.report
                return
            except StreamLost:
                if not await self._replace(attempt):
                    raise
                assert self._attempt is not None
                attempt = self._attempt

    def _open(self, attempt: Attempt, *, skip_bytes: int) -> ChunkReader:
        backend, patience = self._backend, self._max_wait_seconds
        return ChunkReader(backend.redis, backend.notifier, attempt, self, skip_bytes=skip_bytes, patience_seconds=patience)

    # Recover

    async def _replace(self, lost: Attempt) -> bool:
        """Attaches to another attempt in place of the lost one. False when Redis lost too many within the longest wait."""
        now = time.monotonic()
        self._losses = [at for at in self._losses if now - at < self._max_wait_seconds]
        if len(self._losses) >= _MAX_LOSSES:
            return False
        self._losses.append(now)
        log.warning("stream_lost", utterance_id=lost.utterance_id, n_bytes=self._n_read)
        self._entry = "0"
        async for _ in attempts(self._max_wait_seconds):
            with suppress(RedisError):
                _, self._attempt = await self._attach(instead_of=lost)
                self._attaching = None
                return True
        return False

    async def _is_without_worker(self, look: Look) -> bool:
        """Whether no worker speaks it, and no worker could take it from the queue."""
        if look.state is State.QUEUED:
            return not await self._has_workers()
        return look.state is State.SPEAKING and not look.has_worker

    async def _wait_for_worker(self, attempt: Attempt) -> None:
        """Submits the attempt again, because its worker is lost. After the longest wait the attempt fails for all its readers,
        so that a new request begins another.
        """
        self._lost_at = self._lost_at or time.monotonic()
        if time.monotonic() - self._lost_at > self._max_wait_seconds:
            error = await self._why_no_worker()
            with suppress(RedisError):
                await self._registry.fail(attempt, error)
            raise error
        self._submit(attempt, again=True)

    async def _has_workers(self) -> bool:
        """Returns False when no worker is alive, or when Redis is too full for heartbeats. Returns True when Redis is
        unreachable.
        """
        try:
            return bool((await self._backend.fleet.now()).registrations)
        except QueueStorageFull:
            return False
        except Unavailable:
            return True

    async def _why_no_worker(self) -> KoeError:
        try:
            await self._backend.fleet.now()
        except QueueStorageFull as error:
            return error
        except Unavailable:
            pass
        return WorkerLost("The worker that was speaking has died, and no other took over. Please try again.")


class _Words:
    """Word times that arrived and were not taken yet. When an attempt is read again, its words are not added again."""

    def __init__(self) -> None:
        self._new: list[TimedWord] = []
        self._n_known = 0
        self._n_received = 0

    def add(self, words: bytes) -> None:
        for word in read_words(words):
            self._n_received += 1
            if self._n_received > self._n_known:
                self._n_known += 1
                self._new.append(word)

    def rewind(self) -> None:
        self._n_received = 0

    def take(self) -> list[TimedWord]:
        words, self._new = self._new, []
        return words
