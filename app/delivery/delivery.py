"""Find an utterance finished, join it while it is spoken, or submit it; then read it: one path for all three.

Why the reader looks after the work: a worker, a queue entry or a whole Redis may be lost at any moment, and whoever waits is
the one that notices and the only one that minds. So a reader that hears nothing looks how its take stands, and has it spoken
again where nobody would.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Final, Protocol

import msgspec
import structlog
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.core.errors import (
    EngineFailed,
    InternalError,
    KoeError,
    NoWorker,
    QueueFull,
    QueueStorageFull,
    StreamLost,
    TimedOut,
    Unavailable,
    WorkerLost,
)
from app.core.logs import describe
from app.core.queue.audio_stream import ChunkReader
from app.core.queue.broker import Broker, Lane
from app.core.queue.fleet import FleetView, Room
from app.core.queue.registry import Found, Ledger, Look, Report, State, Take
from app.core.speech.flac_header import tell_length
from app.core.speech.formats import n_samples_at
from app.core.speech.utterance import Utterance
from app.core.speech.word_times import TimedWord, read_words
from app.core.storage.connections import is_refusal, reachable, trouble_of
from app.core.storage.notifier import Bell

log: Final = structlog.get_logger()

_AGAIN_SECONDS: Final = (0.02, 0.5)
"""Between two attempts at submitting, while an earlier job of the same utterance lets go: the first wait, and the longest."""

_BEAT_SECONDS: Final = 1.0
"""Between two signs of life of this process."""

_MAX_LOSSES: Final = 3
"""Takes of one answer that Redis may lose within the longest wait."""

_QUIET_TICKS: Final = 10
"""Seconds after which a take that waits in a lane is submitted once more, in case the lane has lost it."""


class Submit(Protocol):
    """Has a take of an utterance spoken; `again` when it was submitted before, and is let in however many wait."""

    def __call__(self, utterance: Utterance, take: Take, *, again: bool) -> None:
        """Returns at once; what becomes of it shows in the stream."""
        ...


class Audio:
    """An utterance that can be heard: its first chunk is here. Iterate over it, and close it on every way out."""

    def __init__(self, delivery: "Delivery", utterance: Utterance, submit: "Submit", *, wants_words: bool = False) -> None:
        self.found = Found.MISS
        self.n_before = 0
        """How many waited just after the work was submitted, this one among them."""
        self.report: Report | None = None
        """What the utterance amounts to, once it has been read to its end."""
        self._delivery = delivery
        self._ledger = delivery.ledger
        self._utterance = utterance
        self._submit = submit
        self._take: Take | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._first: bytes | None = None
        self._n_heard = 0
        self._n_noted = 0
        self._entry = "0"
        self._n_quiet = 0
        self._lost_at: float | None = None
        self._losses: list[float] = []
        self._put_off_at = time.monotonic() + self._ledger.keep_seconds
        self._wants_words = wants_words
        self._words: list[TimedWord] = []
        self._n_words = self._n_words_of_take = 0

    async def attach(self) -> None:
        """Becomes a reader; the first to come submits the work. Raises RedisError when Redis is away."""
        self.found, self._take = await self._attach()
        self._chunks = aiter(self._read(self._take))
        if self.found is Found.MISS:
            self.n_before = await self._ledger.n_unheard()

    async def start(self) -> None:
        """Waits for the first chunk. Raises what the worker raised before it."""
        try:
            self._first = await self._next()
        except StopAsyncIteration:
            raise EngineFailed from None
        if self.found is Found.HIT and self._utterance.format == "flac":
            self._first = tell_length(self._first, await self._n_samples())

    async def _n_samples(self) -> int:
        """Of a finished utterance; 0 where that is not known any more."""
        assert self._take is not None
        report = await self._delivery.reader(self._take, self, skip_bytes=0).report_ahead()
        return n_samples_at(self._utterance.sample_rate_hz, report.audio_seconds) if report else 0

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """All chunks in order. Raises the worker's error, WorkerLost when nobody came back to speak, and NoWorker when Redis
        stayed away.
        """
        if self._first is not None:
            yield self._first
        with reachable(), suppress(StopAsyncIteration):
            while True:
                yield await self._next()

    def take_words(self) -> list[TimedWord]:
        """The words that have come since this was last called. Those that are heard in a chunk are there when the chunk is."""
        words, self._words = self._words, []
        return words

    async def close(self) -> None:
        """Leaves. The last to leave an utterance that is not nearly done cancels it."""
        take, self._take = self._take, None
        if take is None:
            return
        if self._chunks is not None:
            await self._chunks.aclose()  # type: ignore[attr-defined]
        await self._delivery.detach(take)

    async def on_quiet(self) -> bool:
        """See Watch: nothing has come for a second. Has the take spoken where nobody would; gives up after the longest wait."""
        assert self._take is not None
        self._n_quiet += 1
        self._delivery.raise_failure(self._take)
        look = await self._ledger.look(self._take)
        if look is None:
            raise StreamLost("What was being spoken is lost.")
        if await self._is_without_worker(look):
            await self._wait_for_worker(self._take)
            return False
        self._lost_at = None
        if look.state is State.PARKED:
            await self._note_read(self._take)
        elif look.state is State.QUEUED and (not look.has_submitter or self._n_quiet % _QUIET_TICKS == 0):
            self._submit(self._utterance, self._take, again=True)
        return look.state is State.FINISHED

    def on_words(self, words: bytes) -> None:
        """See Watch. A take that goes on for another tells all words again."""
        if not self._wants_words:
            return
        for word in read_words(words):
            self._n_words_of_take += 1
            if self._n_words_of_take > self._n_words:
                self._n_words += 1
                self._words.append(word)

    def on_rewind(self) -> None:
        """See Watch."""
        self._n_words_of_take = 0

    async def on_read(self, n_bytes: int, entry: str) -> None:
        """See Watch: says now and then how far it is, so that no more is spoken than is taken."""
        if n_bytes - self._n_noted < self._ledger.read_bytes or self._take is None:
            return
        self._n_noted, self._entry = n_bytes, entry
        with suppress(RedisError):
            await self._note_read(self._take)

    async def _attach(self, *, instead_of: Take | None = None) -> tuple[Found, Take]:
        room = await self._delivery.room()
        while (attached := await self._ledger.attach(self._utterance.id, instead_of=instead_of, room=room)) is None:
            self._utterance = msgspec.structs.replace(self._utterance, apart=secrets.token_hex(4))
        found, take = attached
        if found is Found.MISS:
            self._submit(self._utterance, take, again=instead_of is not None)
        return found, take

    async def _note_read(self, take: Take) -> None:
        if await self._ledger.read(take, self._n_heard, self._entry):
            self._submit(self._utterance, take, again=True)

    async def _is_without_worker(self, look: Look) -> bool:
        """Nobody speaks it, and while it waits in a lane nobody is there who might."""
        if look.state is State.QUEUED:
            return not await self._delivery.has_workers()
        return look.state is State.SPEAKING and not look.has_worker

    async def _wait_for_worker(self, take: Take) -> None:
        """The worker is gone: another takes over, or this one asks for it. After the longest wait the take is over for all its
        readers, so that asking again begins another.
        """
        self._lost_at = self._lost_at or time.monotonic()
        if time.monotonic() - self._lost_at > self._delivery.max_wait_seconds:
            error = await self._delivery.why_no_worker()
            with suppress(RedisError):
                await self._ledger.fail(take, error)
            raise error
        self._submit(self._utterance, take, again=True)

    async def _read(self, take: Take) -> AsyncIterator[bytes]:
        """The chunks of the take; where it is lost, those of another that goes on at the same byte."""
        while True:
            self._n_words_of_take = 0
            reader = self._delivery.reader(take, self, skip_bytes=self._n_heard)
            try:
                async with aclosing(aiter(reader)) as chunks:  # type: ignore[type-var]
                    async for chunk in chunks:
                        self._n_heard += len(chunk)
                        yield chunk
                self.report = reader.report
                return
            except StreamLost:
                if not await self._begin_again(take):
                    raise
                assert self._take is not None
                take = self._take

    async def _begin_again(self, take: Take) -> bool:
        """Another take for the one that Redis has lost. False when too many were lost one soon after the other."""
        now = time.monotonic()
        self._losses = [at for at in self._losses if now - at < self._delivery.max_wait_seconds]
        if len(self._losses) >= _MAX_LOSSES:
            return False
        self._losses.append(now)
        log.warning("stream_lost", utterance_id=take.utterance_id, n_bytes=self._n_heard)
        self._entry = "0"
        async for _ in _ever_slower(self._delivery.max_wait_seconds):
            with suppress(RedisError):
                _, self._take = await self._attach(instead_of=take)
                return True
        return False

    async def _next(self) -> bytes:
        assert self._chunks is not None
        if self._take is not None and time.monotonic() > self._put_off_at:
            await self._ledger.keep(self._take)
            self._put_off_at = time.monotonic() + self._ledger.keep_seconds
        return await anext(self._chunks)


class Delivery:
    """Where the API gets its audio."""

    def __init__(
        self, *, redis: AsyncRedis, bell: Bell, ledger: Ledger, broker: Broker, fleet: FleetView, max_wait_seconds: float
    ) -> None:
        self.ledger = ledger
        self.max_wait_seconds = max_wait_seconds
        self._redis = redis
        self._bell = bell
        self._broker = broker
        self._fleet = fleet
        self._submitting: dict[Take, asyncio.Task[None]] = {}
        self._owed: set[Take] = set()
        self._failures: dict[Take, KoeError] = {}
        """What could not be told through the stream."""
        self._living: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to say that this process lives: without that its readers do not count."""
        self._living = asyncio.create_task(self._live(), name="live")

    async def stop(self) -> None:
        """Ends that. Its readers are gone by now."""
        if self._living is not None:
            self._living.cancel()
            await asyncio.gather(self._living, return_exceptions=True)

    async def open(
        self,
        utterance: Utterance,
        *,
        request_id: str,
        lane: Lane = Lane.INTERACTIVE,
        caller: str = "",
        wants_words: bool = False,
    ) -> Audio:
        """The utterance's audio, as soon as there is any; its words as well, if they are wanted.

        `caller` is whose share of the machine it takes. Raises QueueFull, NoWorker, TimedOut after the longest wait, or what
        the worker raised before its first chunk. When the caller is cancelled the reader leaves, and with the last reader the
        work stops.
        """

        def submit(utterance: Utterance, take: Take, *, again: bool) -> None:
            put = partial(self._broker.submit, utterance, lane, request_id=request_id, caller=caller, again=again)
            self._submit(take, put)

        audio = Audio(self, utterance, submit, wants_words=wants_words)
        try:
            async with asyncio.timeout(self.max_wait_seconds):
                with reachable():
                    await audio.attach()
                    await audio.start()
        except TimeoutError:
            try:
                raise await self._why_nothing_came(audio) from None
            finally:
                await audio.close()
        except BaseException:
            await asyncio.shield(audio.close())
            raise
        return audio

    async def has_workers(self) -> bool:
        """False when no worker lives or can say so, as far as can be seen."""
        try:
            return bool((await self._fleet.now()).cards)
        except QueueStorageFull:
            return False
        except Unavailable:
            return True

    async def why_no_worker(self) -> KoeError:
        """Why an answer that had begun does not go on."""
        try:
            await self._fleet.now()
        except QueueStorageFull as error:
            return error
        except Unavailable:
            pass
        return WorkerLost("The worker that was speaking is gone, and none came back. Please try again.")

    def raise_failure(self, take: Take) -> None:
        """Raises what keeps the take from being submitted, where the stream could not tell it."""
        if error := self._failures.get(take):
            raise error

    async def room(self) -> Room | None:
        """For how many the fleet can begin to speak within the longest wait; None where nobody knows."""
        try:
            return (await self._fleet.now()).room(self.max_wait_seconds)
        except Unavailable:
            return None

    def reader(self, take: Take, watch: Audio, *, skip_bytes: int) -> ChunkReader:
        """Reads a take."""
        patience = self.max_wait_seconds
        return ChunkReader(self._redis, self._bell, take, watch, skip_bytes=skip_bytes, patience_seconds=patience)

    async def detach(self, take: Take) -> None:
        """Counts a reader out, or owes it while Redis is away."""
        self._failures.pop(take, None)
        try:
            if await self.ledger.detach(take):
                log.info("utterance_cancelled", utterance_id=take.utterance_id)
        except RedisError:
            self._owed.add(take)

    async def _live(self) -> None:
        while True:
            with suppress(RedisError):
                await self.ledger.announce()
                await self._pay()
            await asyncio.sleep(_BEAT_SECONDS)

    async def _pay(self) -> None:
        while self._owed:
            take = next(iter(self._owed))
            await self.ledger.detach(take)
            self._owed.discard(take)

    def _submit(self, take: Take, submit: Callable[[], bool]) -> None:
        """Begins to submit, unless it is being done. It belongs to the take and not to who asked first: others may have joined
        when that one leaves, and all of them learn from the stream what became of it.
        """
        if take in self._submitting:
            return
        task = asyncio.create_task(self._submit_until_taken(take, submit), name="submit")
        self._submitting[take] = task
        task.add_done_callback(lambda _: self._submitting.pop(take, None))

    async def _submit_until_taken(self, take: Take, submit: Callable[[], bool]) -> None:
        try:
            async for _ in _ever_slower(self.max_wait_seconds):
                if await self._is_submitted(take, submit):
                    return
        except KoeError as error:
            await self._give_up(take, error)
        except Exception as error:  # noqa: BLE001 - nobody awaits this task: who listens is told through the stream
            log.error("unforeseen_error", **describe(error))
            await self._give_up(take, InternalError())

    async def _is_submitted(self, take: Take, submit: Callable[[], bool]) -> bool:
        """False while an earlier job lets go, or Redis is away: the readers wait, so it is tried again."""
        try:
            return await asyncio.to_thread(submit) or not await self._is_without_worker(take)
        except RedisError as error:
            if is_refusal(error):
                raise trouble_of(error) from error
            return False

    async def _is_without_worker(self, take: Take) -> bool:
        look = await self.ledger.look(take)
        return look is not None and (look.state is State.QUEUED or (look.state is State.SPEAKING and not look.has_worker))

    async def _give_up(self, take: Take, error: KoeError) -> None:
        try:
            await self.ledger.fail(take, error)
        except RedisError:
            self._failures[take] = error

    async def _why_nothing_came(self, audio: Audio) -> KoeError:
        """More than are spoken to at a time were waiting: the queue was longer than it looked. Else it is slow."""
        try:
            fleet = await self._fleet.now()
        except Unavailable as error:
            return error
        if not fleet.cards:
            return NoWorker("No worker is running. `koe worker` starts one.")
        with reachable():
            n_waiting = max(audio.n_before, await self.ledger.n_unheard())
        if n_waiting > fleet.n_threads:
            room = fleet.room(self.max_wait_seconds)
            return QueueFull.after(n_waiting, retry_after_seconds=room.seconds_until_free(n_waiting) if room else 1)
        return TimedOut(f"No audio came within {self.max_wait_seconds:g} s: the server is busy. Please try again.")


async def _ever_slower(seconds: float) -> AsyncIterator[None]:
    """Attempts until the time is over, each after a longer wait."""
    delay, most = _AGAIN_SECONDS
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        yield
        await asyncio.sleep(delay)
        delay = min(most, 1.5 * delay)
