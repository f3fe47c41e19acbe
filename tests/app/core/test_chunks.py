"""Audio over a stream: whoever reads, whenever they come, gets all of it or learns why not."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core import keys
from app.core.chunks import MAX_CHUNK_BYTES, Bell, ChunkReader, ChunkWriter
from app.core.connections import connect
from app.core.errors import Cancelled, EngineUnavailable, InvalidValue, KoeError, WorkerLost
from app.core.fleet import WorkerCard, announce, withdraw
from app.core.ledger import Ledger, Report, Take, WorkerLedger

pytestmark = pytest.mark.anyio

REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=10)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as redis:
        announce(redis, WorkerCard(name="w", engines=("tone",)), 60, takes_work=True)
        yield redis


@pytest.fixture
async def bell(aredis: AsyncRedis) -> AsyncIterator[Bell]:
    bell = Bell(aredis)
    bell.start()
    yield bell
    await bell.stop()


@pytest.fixture
def worker(redis: Redis) -> WorkerLedger:
    return WorkerLedger(redis, worker="w", cache_ttl=60, cache_bytes=10**9)


@pytest.fixture
async def take(aredis: AsyncRedis, worker: WorkerLedger) -> Take:
    """Claimed, nothing written."""
    await Ledger(aredis, cache_ttl=60, queued_ttl=60).attach("a")
    take = worker.claim("a")
    assert take is not None
    return take


@pytest.fixture
def read(aredis: AsyncRedis, bell: Bell, take: Take) -> Callable[[], ChunkReader]:
    return lambda: ChunkReader(aredis, bell, take)


async def chunks_of(reader: ChunkReader) -> list[bytes]:
    return [chunk async for chunk in reader]


async def test_who_comes_late_hears_it_from_the_beginning(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger
) -> None:
    writer = ChunkWriter(redis, take)
    said = [str(number).encode() for number in range(100)]
    for chunk in said:
        writer.write(chunk)
    worker.finish(take, REPORT)
    reader = read()

    heard = await chunks_of(reader)

    assert b"".join(heard) == b"".join(said)
    assert reader.report == REPORT
    assert writer.n_bytes == sum(map(len, said))


async def test_who_comes_in_the_middle_hears_the_beginning_and_then_the_rest_as_it_comes(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger
) -> None:
    writer = ChunkWriter(redis, take)
    writer.write(b"one")
    writer.write(b"two")
    reader = read()
    chunks = aiter(reader)

    assert await anext(chunks) == b"onetwo"
    waiting = asyncio.ensure_future(anext(chunks))
    writer.write(b"three")
    assert await waiting == b"three"
    assert reader.report is None

    worker.finish(take, REPORT)
    assert [chunk async for chunk in chunks] == []
    assert reader.report == REPORT


async def test_a_reader_may_be_there_before_the_writer(
    aredis: AsyncRedis, bell: Bell, redis: Redis, worker: WorkerLedger
) -> None:
    _, take = await Ledger(aredis, cache_ttl=60, queued_ttl=60).attach("a")
    heard = asyncio.ensure_future(chunks_of(ChunkReader(aredis, bell, take)))

    worker.claim("a")
    ChunkWriter(redis, take).write(b"one")
    worker.finish(take, REPORT)

    assert await heard == [b"one"]


async def test_much_at_once_is_divided_and_joins_to_the_same(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger
) -> None:
    said = os.urandom(20 * MAX_CHUNK_BYTES + 1)
    ChunkWriter(redis, take).write(said)
    worker.finish(take, REPORT)

    heard = await chunks_of(read())

    assert max(len(fields[b"data"]) for _, fields in redis.xrange(take.stream) if b"data" in fields) == MAX_CHUNK_BYTES
    assert b"".join(heard) == said


async def test_nothing_written_is_no_chunk(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger
) -> None:
    ChunkWriter(redis, take).write(b"")
    worker.finish(take, REPORT)

    assert await chunks_of(read()) == []


@pytest.mark.parametrize(
    "error", [EngineUnavailable("Run `koe fetch`."), InvalidValue("No such voice: ☃.", param="voice")], ids=lambda e: e.code
)
async def test_an_error_arrives_as_its_class_after_what_was_said(
    error: KoeError, read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger
) -> None:
    ChunkWriter(redis, take).write(b"one")
    worker.fail(take, error)
    chunks = aiter(read())

    assert await anext(chunks) == b"one"
    with pytest.raises(type(error)) as caught:
        await anext(chunks)

    assert (caught.value.message, caught.value.param) == (error.message, error.param)


async def test_a_writer_that_nobody_hears_any_more_is_cancelled(take: Take, redis: Redis) -> None:
    writer = ChunkWriter(redis, take)
    writer.write(b"one")
    redis.delete(take.stream)

    with pytest.raises(Cancelled):
        writer.write(b"two")

    assert writer.n_bytes == 3
    assert not redis.exists(take.stream)


async def test_a_reader_of_a_worker_that_is_gone_is_told(read: Callable[[], ChunkReader], take: Take, redis: Redis) -> None:
    ChunkWriter(redis, take).write(b"one")
    chunks = aiter(read())
    await anext(chunks)

    withdraw(redis, "w")

    with pytest.raises(WorkerLost):
        await anext(chunks)


async def test_a_reader_whose_stream_is_gone_is_told(read: Callable[[], ChunkReader], take: Take, redis: Redis) -> None:
    ChunkWriter(redis, take).write(b"one")
    chunks = aiter(read())
    await anext(chunks)

    redis.delete(take.stream)

    with pytest.raises(WorkerLost):
        await anext(chunks)


async def test_a_worker_that_takes_its_time_is_waited_for(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.chunks._TICK_SECONDS", 0.001)
    heard = asyncio.ensure_future(chunks_of(read()))
    redis.config_resetstat()
    await _until(lambda: _calls(redis, "exists") >= 10)

    ChunkWriter(redis, take).write(b"one")
    worker.finish(take, REPORT)

    assert await heard == [b"one"]


def _calls(redis: Redis, command: str) -> int:
    stats = redis.info("commandstats").get(f"cmdstat_{command}")
    return int(stats["calls"]) if stats else 0


async def test_a_ring_that_is_lost_delays_and_loses_nothing(aredis: AsyncRedis, take: Take, redis: Redis) -> None:
    redis.config_resetstat()
    deaf = Bell(aredis)
    chunks = aiter(ChunkReader(aredis, deaf, take))
    waiting = asyncio.ensure_future(anext(chunks))
    # The start, and then nothing: the reader waits.
    await _until(lambda: _calls(redis, "xrange") == 2)

    redis.xadd(take.stream, {"kind": "chunk", "data": b"one"})

    assert await waiting == b"one"
    await chunks.aclose()


async def test_a_bell_that_lost_its_connection_rings_again(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger
) -> None:
    chunks = aiter(read())
    writer = ChunkWriter(redis, take)
    writer.write(b"one")
    await anext(chunks)
    await _until(lambda: redis.pubsub_numsub(keys.BELL)[0][1] == 1)

    redis.client_kill_filter(_type="pubsub")
    await _until(lambda: redis.pubsub_numsub(keys.BELL)[0][1] == 1)
    writer.write(b"two")
    worker.finish(take, REPORT)

    assert [chunk async for chunk in chunks] == [b"two"]


async def _until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.01)


async def test_two_hundred_hear_the_same_over_few_connections(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, worker: WorkerLedger, bell: Bell
) -> None:
    said = [os.urandom(100) for _ in range(50)]
    writer = ChunkWriter(redis, take)
    readers = [asyncio.ensure_future(chunks_of(read())) for _ in range(200)]

    for chunk in said:
        writer.write(chunk)
        await asyncio.sleep(0)
    worker.finish(take, REPORT)

    assert all(b"".join(heard) == b"".join(said) for heard in await asyncio.gather(*readers))
    assert redis.info("clients")["connected_clients"] < 100
    assert not bell._events


async def test_a_reader_that_leaves_is_forgotten_by_the_bell(
    read: Callable[[], ChunkReader], take: Take, redis: Redis, bell: Bell
) -> None:
    ChunkWriter(redis, take).write(b"one")
    chunks = aiter(read())
    await anext(chunks)

    await chunks.aclose()

    assert not bell._events
