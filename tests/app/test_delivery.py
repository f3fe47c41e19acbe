"""Delivery: found, joined or submitted, and what a listener gets in each case."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import Redis

from app.core import keys
from app.core.broker import Broker, Lane, lane_queue
from app.core.chunks import Bell
from app.core.connections import connect, connect_async
from app.core.errors import EngineFailed, KoeError, NoWorker, QueueFull, TimedOut
from app.core.fleet import RedisFleet, WorkerCard, announce
from app.core.ledger import Found, Ledger, WorkerLedger
from app.core.utterance import Utterance
from app.core.voices import load_catalogue
from app.delivery import Audio, Delivery
from tests.engines import GatedEngine, text_of
from tests.house import House, open_house, wait_until

pytestmark = pytest.mark.anyio

VOICE = load_catalogue().parse("af_heart")[0]


def an_utterance(text: str) -> Utterance:
    return Utterance(text=text, engine="tone", voice=VOICE, language="en-US", format="pcm")


@asynccontextmanager
async def open_delivery(url: str, *, max_wait_seconds: float = 30.0, max_queue: int = 100) -> AsyncIterator[Delivery]:
    async with connect_async(url) as redis:
        with connect(url) as blocking:
            bell = Bell(redis)
            bell.start()
            yield Delivery(
                redis=redis,
                bell=bell,
                ledger=Ledger(redis, cache_ttl=60, queued_ttl=60),
                broker=Broker(blocking, max_queue=max_queue),
                fleet=RedisFleet(redis),
                max_wait_seconds=max_wait_seconds,
            )
            await bell.stop()


@pytest.fixture
async def delivery(house: House) -> AsyncIterator[Delivery]:
    async with open_delivery(house.redis_url) as delivery:
        yield delivery


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A queue without a worker."""
    with connect(redis_url) as redis:
        yield redis


async def heard(audio: Audio) -> bytes:
    said = b"".join([chunk async for chunk in audio])
    await audio.close()
    return said


async def until(holds: Callable[[], Any]) -> None:
    await asyncio.to_thread(wait_until, holds)


def readers(redis: Redis, utterance: Utterance) -> int:
    return int(redis.hget(keys.utterance(utterance.id), "readers") or 0)


async def test_asked_for_twice_it_is_a_miss_and_then_a_hit_with_the_same_sound(delivery: Delivery) -> None:
    utterance = an_utterance("asked for twice")

    first = await delivery.open(utterance, request_id="req_1")
    said = await heard(first)
    second = await delivery.open(utterance, request_id="req_2")

    assert (first.found, second.found) == (Found.MISS, Found.HIT)
    assert await heard(second) == said
    assert first.report == second.report
    assert first.report is not None
    assert first.report.n_bytes == len(said)


async def test_who_comes_while_it_is_spoken_joins_and_hears_it_all(data: Any) -> None:
    engine = GatedEngine()
    utterance = an_utterance(text_of(3))
    with open_house(data, {"tone": engine}) as house:
        async with open_delivery(house.redis_url) as delivery:
            engine.release(1)
            first = await delivery.open(utterance, request_id="req_1")
            second = await delivery.open(utterance, request_id="req_2")
            engine.release(2)

            said = await asyncio.gather(heard(first), heard(second))

    assert (first.found, second.found) == (Found.MISS, Found.JOIN)
    assert said[0] == said[1]
    assert len(engine.spoken) == 3


async def test_the_last_to_leave_stops_the_work_and_the_next_begins_anew(data: Any) -> None:
    engine = GatedEngine()
    utterance = an_utterance(text_of(5))
    with open_house(data, {"tone": engine}) as house, house.redis() as redis:
        async with open_delivery(house.redis_url) as delivery:
            engine.release(1)
            first = await delivery.open(utterance, request_id="req_1")
            second = await delivery.open(utterance, request_id="req_2")

            await first.close()
            assert redis.exists(keys.utterance(utterance.id))
            await second.close()
            await second.close()
            assert not redis.exists(keys.utterance(utterance.id))

            engine.release(100)
            again = await delivery.open(utterance, request_id="req_3")
            await heard(again)

    assert again.found is Found.MISS
    assert again.report is not None
    assert again.report.n_segments == 5


async def test_a_caller_that_is_cancelled_while_it_waits_leaves(redis: Redis, redis_url: str) -> None:
    utterance = an_utterance("cancelled")
    async with open_delivery(redis_url) as delivery:
        opening = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
        await until(lambda: lane_queue(redis, Lane.INTERACTIVE).count == 1)

        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    assert not redis.exists(keys.utterance(utterance.id))


async def test_with_nobody_to_speak_it_is_no_worker_after_the_longest_wait(redis: Redis, redis_url: str) -> None:
    async with open_delivery(redis_url, max_wait_seconds=0.1) as delivery:
        with pytest.raises(NoWorker, match="koe worker"):
            await delivery.open(an_utterance("nobody"), request_id="req_1")

    assert redis.keys("koe:utterance:*") == []


async def test_with_workers_that_are_busy_it_is_a_timeout_after_the_longest_wait(redis: Redis, redis_url: str) -> None:
    announce(redis, WorkerCard(name="busy", engines=("tone",)), 60, takes_work=True)
    async with open_delivery(redis_url, max_wait_seconds=0.1) as delivery:
        with pytest.raises(TimedOut, match=r"0\.1 s"):
            await delivery.open(an_utterance("busy"), request_id="req_1")

    assert redis.keys("koe:utterance:*") == []


async def test_a_full_queue_reaches_the_one_who_asked_and_leaves_nothing(redis: Redis, redis_url: str) -> None:
    async with open_delivery(redis_url, max_queue=1) as delivery:
        first = asyncio.ensure_future(delivery.open(an_utterance("first"), request_id="req_1"))
        await until(lambda: lane_queue(redis, Lane.INTERACTIVE).count == 1)

        with pytest.raises(QueueFull):
            await delivery.open(an_utterance("second"), request_id="req_2")

        assert not redis.exists(keys.utterance(an_utterance("second").id))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_submission_that_fails_reaches_all_who_joined_it(redis: Redis, redis_url: str) -> None:
    """The queue is full for whoever asks first; the others have joined by the time that shows."""
    async with open_delivery(redis_url, max_queue=1) as delivery:
        redis.rpush(lane_queue(redis, Lane.INTERACTIVE).key, "another")

        answers = await asyncio.gather(
            *(delivery.open(an_utterance("full"), request_id=f"req_{number}") for number in range(10)), return_exceptions=True
        )

    assert {type(answer) for answer in answers} == {QueueFull}
    assert not redis.exists(keys.utterance(an_utterance("full").id))


async def _claimed(redis: Redis, utterance: Utterance) -> tuple[WorkerLedger, Any]:
    worker = WorkerLedger(redis, worker="w", cache_ttl=60, cache_bytes=1000)
    await until(lambda: redis.exists(keys.utterance(utterance.id)))
    take = worker.claim(utterance.id)
    assert take is not None
    return worker, take


@pytest.mark.parametrize("n_listeners", [1, 3])
async def test_a_failure_before_the_first_chunk_reaches_every_listener_as_itself(
    n_listeners: int, redis: Redis, redis_url: str
) -> None:
    utterance = an_utterance("fails")
    async with open_delivery(redis_url) as delivery:
        openings = [
            asyncio.ensure_future(delivery.open(utterance, request_id=f"req_{number}")) for number in range(n_listeners)
        ]
        await until(lambda: readers(redis, utterance) == n_listeners)
        worker, take = await _claimed(redis, utterance)

        worker.fail(take, EngineFailed())

        answers: list[Any] = await asyncio.gather(*openings, return_exceptions=True)
    assert all(isinstance(answer, KoeError) and answer.code == "internal_error" for answer in answers)


async def test_redis_away_is_no_worker(data: Any) -> None:
    async with open_delivery(f"unix://{data}/nothing.sock") as delivery:
        with pytest.raises(NoWorker, match="cannot be reached"):
            await delivery.open(an_utterance("away"), request_id="req_1")


async def _still_held(redis: Redis, redis_url: str, utterance: Utterance) -> None:
    """A job of the same id that a slot has taken, and that is neither done nor claimed."""
    Broker(redis, max_queue=10).submit(utterance, Lane.INTERACTIVE, request_id="req_0")
    queue = lane_queue(redis, Lane.INTERACTIVE)
    redis.delete(queue.key)
    redis.hset(queue.job_class.key_for(utterance.id), "status", "started")


async def test_a_job_that_was_taken_for_a_cancelled_take_may_speak_the_new_one(redis: Redis, redis_url: str) -> None:
    """Between taking a job and claiming its utterance a worker can be overtaken: it then claims what was asked for since."""
    utterance = an_utterance("overtaken")
    await _still_held(redis, redis_url, utterance)
    announce(redis, WorkerCard(name="w", engines=("tone",)), 60, takes_work=True)
    async with open_delivery(redis_url) as delivery:
        opening = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
        _, take = await _claimed(redis, utterance)

        redis.xadd(take.stream, {"kind": "chunk", "data": b"sound"})

        audio = await opening
        await audio.close()


async def test_who_joined_is_served_though_the_one_who_asked_first_has_left(redis: Redis, redis_url: str) -> None:
    utterance = an_utterance("left")
    await _still_held(redis, redis_url, utterance)
    queue = lane_queue(redis, Lane.INTERACTIVE)
    async with open_delivery(redis_url, max_wait_seconds=1.0) as delivery:
        first = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
        await until(lambda: readers(redis, utterance) == 1)
        second = asyncio.ensure_future(delivery.open(utterance, request_id="req_2"))
        await until(lambda: readers(redis, utterance) == 2)

        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        redis.hset(queue.job_class.key_for(utterance.id), "status", "finished")
        with pytest.raises(NoWorker):
            await second

    assert queue.job_ids == [utterance.id]
