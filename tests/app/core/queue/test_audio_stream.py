"""Audio over a stream: all readers get the same audio, whenever they come and whichever workers write it, or an error."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.core.errors import Cancelled, EngineUnavailable, InvalidValue, KoeError, StreamLost, TimedOut
from app.core.queue.audio_stream import MAX_CHUNK_BYTES, ChunkReader, ChunkWriter
from app.core.queue.fleet import Registration, announce
from app.core.queue.registry import Attempt, Lease, Registry, Report, WorkerRegistry
from app.core.speech.word_times import TimedWord, read_words
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async
from app.core.storage.embedded_server import EmbeddedServer
from app.core.storage.notifier import Notifier
from tests import replies

pytestmark = pytest.mark.anyio

REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=10)
PATIENCE = 30.0


class Listener:
    """A reader's watch: notes the calls, and runs what the test wants when nothing comes."""

    def __init__(self) -> None:
        self.n_quiet = 0
        self.read: list[int] = []
        self.entries: list[str] = []
        self.words: list[TimedWord] = []
        self.when_quiet: Callable[[], Awaitable[Any]] | None = None
        self.is_all_written = False
        self.n_rewound = 0

    async def on_quiet(self) -> bool:
        self.n_quiet += 1
        if self.when_quiet is not None:
            await self.when_quiet()
        return self.is_all_written

    def on_rewind(self) -> None:
        self.n_rewound += 1

    def on_words(self, words: bytes) -> None:
        self.words.extend(read_words(words))

    async def on_read(self, n_bytes: int, entry: str) -> None:
        self.read.append(n_bytes)
        self.entries.append(entry)


async def raise_(error: Exception) -> None:
    raise error


def a_registry(aredis: AsyncRedis) -> Registry:
    return Registry(aredis, api="api", cache_ttl=60, cache_bytes=10**9, queued_ttl=60, stream_bytes=10**9)


def a_worker(redis: Redis, name: str = "w") -> WorkerRegistry:
    announce(redis, Registration(name=name, engines=("tone",)), 60, takes_work=True)
    return WorkerRegistry(redis, worker=name, cache_ttl=60, cache_bytes=10**9)


def leased(worker: WorkerRegistry) -> Lease:
    lease = worker.lease("a")
    assert lease is not None
    return lease


def writer_of(redis: Redis, lease: Lease) -> ChunkWriter:
    return ChunkWriter(redis, lease, patience_seconds=PATIENCE)


@pytest.fixture
async def notifier(aredis: AsyncRedis) -> AsyncIterator[Notifier]:
    notifier = Notifier(aredis, keys.NOTIFICATIONS)
    notifier.start()
    yield notifier
    await notifier.stop()


@pytest.fixture
def worker(redis: Redis) -> WorkerRegistry:
    return a_worker(redis)


@pytest.fixture
async def lease(aredis: AsyncRedis, worker: WorkerRegistry) -> Lease:
    """A lease under which nothing is written yet."""
    await a_registry(aredis).attach("a")
    return leased(worker)


@pytest.fixture
def attempt(lease: Lease) -> Attempt:
    return lease.attempt


@pytest.fixture
def writer(redis: Redis, lease: Lease) -> ChunkWriter:
    return writer_of(redis, lease)


Read = Callable[..., ChunkReader]


@pytest.fixture
def read(aredis: AsyncRedis, notifier: Notifier, attempt: Attempt) -> Read:
    def make(listener: Listener | None = None, *, skip_bytes: int = 0) -> ChunkReader:
        return ChunkReader(aredis, notifier, attempt, listener or Listener(), skip_bytes=skip_bytes, patience_seconds=PATIENCE)

    return make


@pytest.fixture
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader without a notification looks again at once."""
    monkeypatch.setattr("app.core.queue.audio_stream._TICK_SECONDS", 0.02)


async def chunks_of(reader: ChunkReader) -> list[bytes]:
    return [chunk async for chunk in reader]


def entries(redis: Redis, attempt: Attempt) -> list[tuple[int, bytes]]:
    """Offset and audio of each chunk in the stream."""
    chunks = [fields for _, fields in replies.entries(redis, attempt.stream) if fields[b"kind"] == b"chunk"]
    return [(int(fields[b"at"]), fields[b"data"]) for fields in chunks]


async def _until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


def _calls(redis: Redis, command: str) -> int:
    stats = redis.info("commandstats").get(f"cmdstat_{command}")
    return int(stats["calls"]) if stats else 0


async def test_a_late_reader_reads_it_from_the_beginning(
    read: Read, writer: ChunkWriter, lease: Lease, worker: WorkerRegistry
) -> None:
    said = [str(number).encode() for number in range(100)]
    for chunk in said:
        writer.write(chunk)
    worker.finish(lease, REPORT)
    reader = read()

    heard = await chunks_of(reader)

    assert b"".join(heard) == b"".join(said)
    assert reader.report == REPORT
    assert writer.n_bytes == reader.n_bytes == sum(map(len, said))


async def test_a_reader_that_joins_in_the_middle_reads_the_beginning_and_then_the_rest_as_it_comes(
    read: Read, writer: ChunkWriter, lease: Lease, worker: WorkerRegistry
) -> None:
    writer.write(b"one")
    writer.write(b"two")
    reader = read()
    chunks = aiter(reader)

    assert await anext(chunks) == b"onetwo"
    waiting = asyncio.ensure_future(anext(chunks))
    writer.write(b"three")
    assert await waiting == b"three"
    assert reader.report is None

    worker.finish(lease, REPORT)
    assert [chunk async for chunk in chunks] == []
    assert reader.report == REPORT


async def test_a_reader_may_be_there_before_the_writer(
    aredis: AsyncRedis, notifier: Notifier, redis: Redis, worker: WorkerRegistry
) -> None:
    attached = await a_registry(aredis).attach("a")
    assert attached is not None
    reader = ChunkReader(aredis, notifier, attached[1], Listener(), skip_bytes=0, patience_seconds=PATIENCE)
    heard = asyncio.ensure_future(chunks_of(reader))

    lease = leased(worker)
    writer_of(redis, lease).write(b"one")
    worker.finish(lease, REPORT)

    assert await heard == [b"one"]


async def test_much_at_once_is_divided_and_joins_to_the_same(
    read: Read, writer: ChunkWriter, lease: Lease, redis: Redis, worker: WorkerRegistry
) -> None:
    said = os.urandom(20 * MAX_CHUNK_BYTES + 1)
    writer.write(said)
    worker.finish(lease, REPORT)

    heard = await chunks_of(read())

    assert max(len(data) for _, data in entries(redis, lease.attempt)) == MAX_CHUNK_BYTES
    assert b"".join(heard) == said


async def test_nothing_written_is_no_chunk(read: Read, writer: ChunkWriter, lease: Lease, worker: WorkerRegistry) -> None:
    writer.write(b"")
    worker.finish(lease, REPORT)

    assert await chunks_of(read()) == []


@pytest.mark.parametrize(
    "error", [EngineUnavailable("Run `koe fetch`."), InvalidValue("No such voice: ☃.", param="voice")], ids=lambda e: e.code
)
async def test_an_error_arrives_as_its_class_after_the_audio(
    error: KoeError, read: Read, writer: ChunkWriter, lease: Lease, worker: WorkerRegistry
) -> None:
    writer.write(b"one")
    worker.fail(lease, error)
    chunks = aiter(read())

    assert await anext(chunks) == b"one"
    with pytest.raises(type(error)) as caught:
        await anext(chunks)

    assert (caught.value.message, caught.value.param) == (error.message, error.param)


async def test_a_worker_that_takes_over_skips_the_audio_that_is_there(
    aredis: AsyncRedis, redis: Redis, lease: Lease, writer: ChunkWriter
) -> None:
    writer.write(b"0123456789")
    redis.delete(keys.worker("w"))
    second = writer_of(redis, leased(a_worker(redis, "other")))

    for data in (b"01234", b"56789abc", b"", b"def"):
        second.write(data)

    assert entries(redis, lease.attempt) == [(0, b"0123456789"), (10, b"abc"), (13, b"def")]
    assert second.n_bytes == 16


async def test_two_workers_that_write_in_turn_in_pieces_of_any_size_make_one_stream(
    read: Read, lease: Lease, redis: Redis, worker: WorkerRegistry
) -> None:
    said = os.urandom(8 * MAX_CHUNK_BYTES)
    pieces = random.Random(7)
    current, former = lease, "w"
    for number in range(4):
        writer = writer_of(redis, current)
        while writer.n_bytes < (number + 1) * len(said) // 4:
            writer.write(said[writer.n_bytes :][: pieces.randint(1, 50_000)])
        redis.delete(keys.worker(former))
        former = f"w{number}"
        current = leased(a_worker(redis, former))
    last = writer_of(redis, current)
    last.write(said)
    worker.finish(current, REPORT)

    assert b"".join(await chunks_of(read())) == said
    places = entries(redis, lease.attempt)
    assert [at for at, _ in places] == [sum(len(data) for _, data in places[:number]) for number in range(len(places))]


async def test_a_writer_that_begins_again_adds_nothing_twice(writer: ChunkWriter, attempt: Attempt, redis: Redis) -> None:
    writer.write(b"0123456789")

    writer.rewind()
    writer.write(b"01234567")
    writer.write(b"89ab")

    assert entries(redis, attempt) == [(0, b"0123456789"), (10, b"ab")]
    assert writer.n_bytes == 12


async def test_an_append_whose_answer_was_lost_adds_nothing_when_it_is_repeated(
    writer: ChunkWriter, attempt: Attempt, redis: Redis
) -> None:
    writer.write(b"one")

    writer._write_one(0, b"one")
    writer._write_one(0, b"onetwo")

    assert entries(redis, attempt) == [(0, b"one"), (3, b"two")]
    writer.rewind()
    writer.write(b"onetwothree")
    assert entries(redis, attempt)[2:] == [(6, b"three")]


async def test_the_writer_knows_how_much_is_not_read_yet(writer: ChunkWriter, attempt: Attempt, aredis: AsyncRedis) -> None:
    writer.write(bytes(100))
    assert writer.unread_bytes == 100

    await a_registry(aredis).read(attempt, 70, "0")
    writer.write(bytes(5))

    assert writer.unread_bytes == 35


async def test_a_writer_without_readers_is_cancelled(writer: ChunkWriter, attempt: Attempt, redis: Redis) -> None:
    writer.write(b"one")
    redis.delete(attempt.stream)

    with pytest.raises(Cancelled):
        writer.write(b"two")

    assert writer.n_bytes == 3
    assert not redis.exists(attempt.stream)


async def test_a_writer_whose_bytes_redis_has_lost_gets_an_error_and_may_write_them_again(
    read: Read, writer: ChunkWriter, lease: Lease, redis: Redis, worker: WorkerRegistry
) -> None:
    """The state after a restart of Redis that lost the last second of writes."""
    writer.write(b"one")
    writer.write(b"two")
    (last, _) = replies.entries(redis, lease.attempt.stream)[-1]
    redis.xdel(lease.attempt.stream, last)
    redis.hincrby(keys.utterance("a"), "bytes", -3)

    with pytest.raises(StreamLost):
        writer.write(b"three")
    writer.rewind()
    writer.write(b"onetwothree")
    worker.finish(lease, REPORT)

    assert b"".join(await chunks_of(read())) == b"onetwothree"


async def test_a_reader_drops_audio_that_it_has_read_already(
    read: Read, attempt: Attempt, redis: Redis, lease: Lease, worker: WorkerRegistry
) -> None:
    for at, data in [(0, b"0123"), (0, b"01"), (2, b"2345"), (6, b"6"), (0, b"01234567")]:
        redis.xadd(attempt.stream, {"kind": "chunk", "at": at, "data": data})
    worker.finish(lease, REPORT)

    assert b"".join(await chunks_of(read())) == b"01234567"


@pytest.mark.parametrize(("skip_bytes", "heard"), [(0, b"0123456789"), (4, b"456789"), (5, b"56789"), (10, b"")])
async def test_a_reader_skips_the_given_number_of_bytes(
    skip_bytes: int, heard: bytes, read: Read, writer: ChunkWriter, lease: Lease, worker: WorkerRegistry
) -> None:
    writer.write(b"01234")
    writer.write(b"56789")
    worker.finish(lease, REPORT)
    reader = read(skip_bytes=skip_bytes)

    assert b"".join(await chunks_of(reader)) == heard
    assert reader.report == REPORT


async def test_a_gap_in_the_audio_is_never_passed_over(read: Read, attempt: Attempt, redis: Redis) -> None:
    redis.xadd(attempt.stream, {"kind": "chunk", "at": 0, "data": b"0123"})
    chunks = aiter(read())
    assert await anext(chunks) == b"0123"

    redis.xadd(attempt.stream, {"kind": "chunk", "at": 5, "data": b"5"})

    with pytest.raises(StreamLost):
        await anext(chunks)


@pytest.mark.usefixtures("short_ticks")
async def test_the_watch_is_called_while_nothing_comes_and_may_end_the_reading(
    read: Read, writer: ChunkWriter, notifier: Notifier
) -> None:
    writer.write(b"one")
    listener = Listener()
    chunks = aiter(read(listener))
    await anext(chunks)
    waiting = asyncio.ensure_future(anext(chunks))
    await _until(lambda: listener.n_quiet >= 3)

    listener.when_quiet = lambda: raise_(TimedOut("Too long."))

    with pytest.raises(TimedOut):
        await waiting
    assert not notifier._events


@pytest.mark.usefixtures("short_ticks")
async def test_a_worker_that_takes_its_time_is_waited_for(
    read: Read, writer: ChunkWriter, lease: Lease, worker: WorkerRegistry
) -> None:
    listener = Listener()
    heard = asyncio.ensure_future(chunks_of(read(listener)))
    await _until(lambda: listener.n_quiet >= 10)

    writer.write(b"one")
    worker.finish(lease, REPORT)

    assert await heard == [b"one"]


@pytest.mark.usefixtures("short_ticks")
async def test_an_error_that_is_written_while_the_attempt_is_checked_is_raised(
    read: Read, lease: Lease, worker: WorkerRegistry
) -> None:
    async def fail_and_lose() -> None:
        worker.fail(lease, EngineUnavailable("Run `koe fetch`."))
        raise StreamLost("It is over.")

    listener = Listener()
    listener.when_quiet = fail_and_lose

    with pytest.raises(EngineUnavailable):
        await chunks_of(read(listener))


@pytest.mark.usefixtures("short_ticks")
async def test_a_stream_that_is_lost_ends_the_reading_when_nothing_more_is_there(read: Read) -> None:
    listener = Listener()
    listener.when_quiet = lambda: raise_(StreamLost("It is over."))

    with pytest.raises(StreamLost):
        await chunks_of(read(listener))


async def test_progress_is_reported_once_the_audio_is_taken(
    read: Read, writer: ChunkWriter, attempt: Attempt, redis: Redis
) -> None:
    listener = Listener()
    chunks = aiter(read(listener))
    writer.write(b"one")
    await anext(chunks)
    assert listener.read == []

    writer.write(b"three")
    await anext(chunks)
    assert listener.read == [3]

    waiting = asyncio.ensure_future(anext(chunks))
    await _until(lambda: len(listener.read) == 2)
    waiting.cancel()
    assert listener.read == [3, 8]
    assert listener.entries == [entry.decode() for entry, fields in replies.entries(redis, attempt.stream) if b"data" in fields]


async def test_a_lost_notification_delays_a_reader_and_loses_nothing(
    aredis: AsyncRedis, attempt: Attempt, redis: Redis
) -> None:
    redis.config_resetstat()
    deaf = Notifier(aredis, keys.NOTIFICATIONS)
    chunks = aiter(ChunkReader(aredis, deaf, attempt, Listener(), skip_bytes=0, patience_seconds=PATIENCE))
    waiting = asyncio.ensure_future(anext(chunks))
    # The start, and then nothing: the reader waits.
    await _until(lambda: _calls(redis, "xrange") == 2)

    redis.xadd(attempt.stream, {"kind": "chunk", "at": 0, "data": b"one"})

    assert await waiting == b"one"
    await chunks.aclose()


async def test_a_notifier_that_lost_its_connection_notifies_again(
    read: Read, writer: ChunkWriter, lease: Lease, redis: Redis, worker: WorkerRegistry
) -> None:
    chunks = aiter(read())
    writer.write(b"one")
    await anext(chunks)
    await _until(lambda: redis.pubsub_numsub(keys.NOTIFICATIONS)[0][1] == 1)

    redis.client_kill_filter(_type="pubsub")
    await _until(lambda: redis.pubsub_numsub(keys.NOTIFICATIONS)[0][1] == 1)
    writer.write(b"two")
    worker.finish(lease, REPORT)

    assert [chunk async for chunk in chunks] == [b"two"]


async def test_two_hundred_readers_read_the_same_over_few_connections(
    read: Read, writer: ChunkWriter, lease: Lease, redis: Redis, worker: WorkerRegistry, notifier: Notifier
) -> None:
    said = [os.urandom(100) for _ in range(50)]
    readers = [asyncio.ensure_future(chunks_of(read())) for _ in range(200)]

    for chunk in said:
        writer.write(chunk)
        await asyncio.sleep(0)
    worker.finish(lease, REPORT)

    assert all(b"".join(heard) == b"".join(said) for heard in await asyncio.gather(*readers))
    assert redis.info("clients")["connected_clients"] < 100
    assert not notifier._events


async def test_a_reader_that_leaves_is_unsubscribed_from_the_notifier(
    read: Read, writer: ChunkWriter, notifier: Notifier
) -> None:
    writer.write(b"one")
    chunks = aiter(read())
    await anext(chunks)

    await chunks.aclose()

    assert not notifier._events


class Both:
    """A writer and a reader of a Valkey that a test may stop."""

    def __init__(self, server: EmbeddedServer, redis: Redis, aredis: AsyncRedis, notifier: Notifier, lease: Lease) -> None:
        self.server = server
        self.redis = redis
        self.lease = lease
        self._aredis = aredis
        self._notifier = notifier

    def writer(self, patience_seconds: float) -> ChunkWriter:
        return ChunkWriter(self.redis, self.lease, patience_seconds=patience_seconds)

    def reader(self, patience_seconds: float) -> ChunkReader:
        listener = Listener()
        return ChunkReader(
            self._aredis, self._notifier, self.lease.attempt, listener, skip_bytes=0, patience_seconds=patience_seconds
        )


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(data)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def both_at(server: EmbeddedServer) -> AsyncIterator[Both]:
    with connect(server.url) as redis:
        async with connect_async(server.url) as aredis:
            notifier = Notifier(aredis, keys.NOTIFICATIONS)
            notifier.start()
            await a_registry(aredis).attach("a")
            yield Both(server, redis, aredis, notifier, leased(a_worker(redis)))
            await notifier.stop()


async def test_a_redis_that_is_away_for_a_while_costs_neither_side_anything(server: EmbeddedServer) -> None:
    async with both_at(server) as both:
        writer, reader = both.writer(PATIENCE), both.reader(PATIENCE)
        chunks = aiter(reader)
        writer.write(b"one")
        assert await anext(chunks) == b"one"
        waiting = asyncio.ensure_future(anext(chunks))

        await asyncio.to_thread(server.stop)
        writing = asyncio.ensure_future(asyncio.to_thread(writer.write, b"two"))
        await _until(lambda: reader._away_since is not None)
        assert not writing.done()
        await asyncio.to_thread(server.start)

        assert await waiting == b"two"
        assert reader._away_since is None
        await writing
        assert entries(both.redis, both.lease.attempt) == [(0, b"one"), (3, b"two")]


async def test_a_redis_that_stays_away_is_given_up_by_both(server: EmbeddedServer) -> None:
    async with both_at(server) as both:
        writer, chunks = both.writer(0), aiter(both.reader(0.1))
        writer.write(b"one")
        assert await anext(chunks) == b"one"

        server.stop()

        with pytest.raises(RedisError):
            writer.write(b"two")
        with pytest.raises(RedisError):
            await anext(chunks)


WORDS = [TimedWord("One", 0.0, 0.25), TimedWord("two", 0.3, 0.5), TimedWord("three", 0.5, 0.75)]


async def test_words_are_appended_once_though_another_worker_continues(
    read: Read, writer: ChunkWriter, lease: Lease, redis: Redis, worker: WorkerRegistry
) -> None:
    writer.append_words(WORDS[:1])
    writer.write(b"one")
    redis.delete(keys.worker("w"))
    other = a_worker(redis, "other")
    taken_over = leased(other)
    after = writer_of(redis, taken_over)

    for word, data in zip(WORDS, (b"one", b"two", b"three"), strict=True):
        after.append_words([word])
        after.write(data)
    other.finish(taken_over, REPORT)

    listener = Listener()
    assert b"".join(await chunks_of(read(listener))) == b"onetwothree"
    assert listener.words == WORDS
    with pytest.raises(Cancelled):
        writer.append_words(WORDS[1:2])


async def test_words_are_there_before_the_audio_they_are_heard_in(
    read: Read, writer: ChunkWriter, lease: Lease, worker: WorkerRegistry
) -> None:
    writer.append_words(WORDS)
    writer.write(b"all")
    worker.finish(lease, REPORT)

    listener = Listener()
    async for _ in read(listener):
        assert listener.words == WORDS


async def test_a_writer_that_begins_again_appends_no_words_twice(writer: ChunkWriter, attempt: Attempt, redis: Redis) -> None:
    writer.append_words(WORDS[:1])
    writer.rewind()
    writer.append_words(WORDS[:1])
    writer.append_words(WORDS[1:])

    written = [fields[b"words"] for _, fields in replies.entries(redis, attempt.stream) if fields[b"kind"] == b"words"]
    assert [read_words(words) for words in written] == [WORDS[:1], WORDS[1:]]
