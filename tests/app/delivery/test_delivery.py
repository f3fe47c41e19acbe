"""Delivery: an utterance is found, joined or submitted, and its listeners get the audio or the error."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import EngineFailed, KoeError, NoWorker, QueueFull, TimedOut, WorkerLost
from app.core.queue.audio_stream import ChunkWriter
from app.core.queue.broker import Broker, QueueName, rq_queue
from app.core.queue.fleet import RedisFleet, Registration, announce, withdraw
from app.core.queue.registry import Found, Lease, Registry, Report, State, WorkerRegistry
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async
from app.core.storage.embedded_server import EmbeddedServer
from app.core.storage.notifier import Notifier
from app.delivery.delivery import Delivery
from app.delivery.listener import Listener
from tests import replies
from tests.engines import GatedEngine, RelayEngine, text_of
from tests.harness import Harness, open_harness, wait_until
from workers.engines.tone import ToneEngine

pytestmark = pytest.mark.anyio

VOICE = load_catalogue().parse("af_heart")[0]
STREAM_BYTES = 65_536
REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=6)


def an_utterance(text: str) -> Utterance:
    return Utterance(text=text, engine="tone", voice=VOICE, language="en-US", format="pcm")


@asynccontextmanager
async def open_delivery(url: str, *, max_wait_seconds: float = 30.0, max_queue: int = 100) -> AsyncIterator[Delivery]:
    async with connect_async(url) as redis:
        with connect(url) as blocking:
            notifier = Notifier(redis, keys.NOTIFICATIONS)
            notifier.start()
            delivery = Delivery(
                redis=redis,
                notifier=notifier,
                registry=a_registry(redis, "api"),
                broker=Broker(blocking, max_queue=max_queue),
                fleet=RedisFleet(redis),
                max_wait_seconds=max_wait_seconds,
            )
            await delivery.start()
            yield delivery
            await delivery.stop()
            await notifier.stop()


def a_registry(redis: AsyncRedis, api: str) -> Registry:
    return Registry(redis, api=api, cache_ttl=60, cache_bytes=10**9, queued_ttl=60, stream_bytes=STREAM_BYTES)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A queue without a worker."""
    with connect(redis_url) as redis:
        yield redis


@contextmanager
def gated_harness(data: Path, **environ: str) -> Iterator[tuple[Harness, GatedEngine]]:
    relay = RelayEngine()
    relay.now = engine = GatedEngine()
    with open_harness(
        data, {"tone": relay}, **{"KOE_SLOTS": "2", "KOE_BATCH_SLOTS": "1", "KOE_THREADS": "1"} | environ
    ) as harness:
        yield harness, engine
        engine.release(10_000)


async def heard(audio: Listener) -> bytes:
    said = b"".join([chunk async for chunk in audio])
    await audio.close()
    return said


async def until(holds: Callable[[], Any]) -> None:
    await asyncio.to_thread(wait_until, holds)


def readers(redis: Redis, utterance: Utterance) -> int:
    return int(redis.hget(keys.utterance(utterance.id), "readers:api") or 0)


def state(redis: Redis, utterance: Utterance) -> State | None:
    found = replies.field(redis, keys.utterance(utterance.id), "state")
    return State(found.decode()) if found else None


@pytest.fixture
def short_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a reader without new chunks look again soon, and an API send heartbeats often."""
    monkeypatch.setattr("app.core.queue.audio_stream._TICK_SECONDS", 0.05)
    monkeypatch.setattr("app.delivery.readers._HEARTBEAT_SECONDS", 0.05)


@pytest.fixture(autouse=True)
def hasty_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes workers check often, so that they soon notice that they must end."""
    monkeypatch.setattr("workers.process.slot.POP_SECONDS", 0.2)
    monkeypatch.setattr("workers.process.pool.BEAT_SECONDS", 0.2)


async def test_asked_for_twice_it_is_a_miss_and_then_a_hit_with_the_same_sound(data: Path) -> None:
    utterance = an_utterance("asked for twice")
    with gated_harness(data) as (harness, engine):
        engine.release(1)
        async with open_delivery(harness.redis_url) as delivery:
            first = await delivery.open(utterance, request_id="req_1")
            said = await heard(first)
            second = await delivery.open(utterance, request_id="req_2")

            assert (first.found, second.found) == (Found.MISS, Found.HIT)
            assert await heard(second) == said
    assert first.report == second.report
    assert first.report is not None
    assert first.report.n_bytes == len(said)


async def test_a_request_during_the_speech_joins_and_gets_all_of_it(data: Path) -> None:
    utterance = an_utterance(text_of(3))
    with gated_harness(data) as (harness, engine):
        async with open_delivery(harness.redis_url) as delivery:
            engine.release(1)
            first = await delivery.open(utterance, request_id="req_1")
            second = await delivery.open(utterance, request_id="req_2")
            engine.release(2)

            said = await asyncio.gather(heard(first), heard(second))

    assert (first.found, second.found) == (Found.MISS, Found.JOIN)
    assert said[0] == said[1]
    assert len(engine.spoken) == 3


async def test_the_last_reader_that_leaves_stops_the_work_and_the_next_one_begins_again(data: Path) -> None:
    utterance = an_utterance(text_of(5))
    with gated_harness(data) as (harness, engine), harness.redis() as redis:
        async with open_delivery(harness.redis_url) as delivery:
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
        await until(lambda: rq_queue(redis, QueueName.INTERACTIVE).count == 1)

        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening

    assert not redis.exists(keys.utterance(utterance.id))


async def test_what_continues_something_that_is_heard_waits_in_a_full_queue(redis: Redis, redis_url: str) -> None:
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    async with open_delivery(redis_url, max_queue=1) as delivery:
        first = asyncio.ensure_future(delivery.open(an_utterance("first"), request_id="req_1"))
        await until(lambda: queue.count == 1)

        later = asyncio.ensure_future(delivery.open(an_utterance("later"), request_id="req_2", heard_seconds=2.0))
        await until(lambda: queue.count == 2)

        for opening in (first, later):
            opening.cancel()
        await asyncio.wait([first, later])


async def test_a_caller_that_is_cancelled_before_redis_has_answered_leaves_too(redis: Redis, redis_url: str) -> None:
    utterance = an_utterance("cancelled early")
    counted, answer = asyncio.Event(), asyncio.Event()

    async def answer_late(attach: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> Any:
        attached = await attach(*args, **options)
        counted.set()
        await answer.wait()
        return attached

    async with open_delivery(redis_url) as delivery:
        registry = delivery._backend.registry
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(registry, "attach", partial(answer_late, registry.attach))
            opening = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
            await counted.wait()
            opening.cancel()
            asyncio.get_running_loop().call_soon(answer.set)
            with pytest.raises(asyncio.CancelledError):
                await opening
        await until(lambda: not redis.exists(keys.utterance(utterance.id)))


async def test_a_request_that_leaves_the_queue_takes_its_place_and_its_message_with_it(redis: Redis, redis_url: str) -> None:
    left, stays = an_utterance("leaves"), an_utterance("stays")
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    async with open_delivery(redis_url, max_queue=2) as delivery:
        opening = [asyncio.ensure_future(delivery.open(one, request_id="req_1", owner="owner")) for one in (left, stays)]
        await until(lambda: queue.count == 2)

        opening[0].cancel()
        await asyncio.wait(opening[:1])

        assert queue.job_ids == [stays.id]
        assert not redis.exists(f"rq:job:{left.id}")
        assert replies.fields(redis, keys.OWNERS).keys() == {stays.id}
        # There is a place for it again.
        opening[0] = asyncio.ensure_future(delivery.open(left, request_id="req_2"))
        await until(lambda: queue.job_ids == [stays.id, left.id])
        for one in opening:
            one.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
    assert not redis.keys("rq:job:*")


async def test_with_nobody_to_speak_it_is_no_worker_after_the_longest_wait(redis: Redis, redis_url: str) -> None:
    async with open_delivery(redis_url, max_wait_seconds=0.1) as delivery:
        with pytest.raises(NoWorker, match="koe worker"):
            await delivery.open(an_utterance("nobody"), request_id="req_1")

    assert redis.keys("koe:utterance:*") == []


async def test_with_workers_that_are_busy_it_is_a_timeout_after_the_longest_wait(redis: Redis, redis_url: str) -> None:
    announce(redis, Registration(name="busy", engines=("tone",), wire=WIRE_VERSION), 60, takes_work=True)
    async with open_delivery(redis_url, max_wait_seconds=0.1) as delivery:
        with pytest.raises(TimedOut, match=r"0\.1 s"):
            await delivery.open(an_utterance("busy"), request_id="req_1")

    assert redis.keys("koe:utterance:*") == []


async def test_where_more_wait_than_are_spoken_to_it_is_a_full_queue_after_the_longest_wait(
    redis: Redis, redis_url: str
) -> None:
    announce(redis, Registration(name="busy", engines=("tone",), n_threads=1, wire=WIRE_VERSION), 60, takes_work=True)
    async with open_delivery(redis_url, max_wait_seconds=1) as delivery:
        answers = await asyncio.gather(
            *(delivery.open(an_utterance(f"busy {number}"), request_id="req_1") for number in range(3)), return_exceptions=True
        )

    assert sum(isinstance(answer, QueueFull) for answer in answers) >= 2
    assert all(isinstance(answer, QueueFull | TimedOut) for answer in answers)
    assert redis.keys("koe:utterance:*") == []


async def test_requests_that_a_slower_fleet_cannot_serve_in_time_are_told_before_the_longest_wait(
    redis: Redis, redis_url: str, short_ticks: None
) -> None:
    def announce_pace(seconds: float) -> None:
        registration = Registration(name="slow", engines=("tone",), first_sound_seconds=seconds, wire=WIRE_VERSION)
        announce(redis, registration, 60, takes_work=True)

    announce_pace(1.0)
    async with open_delivery(redis_url, max_wait_seconds=600) as delivery:
        waiting = {
            utterance.id: asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
            for utterance in (an_utterance(f"number {number}") for number in range(9))
        }
        await until(lambda: redis.zcard(keys.WAITING_FOR_FIRST_AUDIO) == 9)
        in_order = [waiting[id_] for id_ in replies.members(redis, keys.WAITING_FOR_FIRST_AUDIO)]

        announce_pace(180.0)

        answers = await asyncio.gather(*in_order[4:], return_exceptions=True)
        assert {type(answer) for answer in answers} == {QueueFull}
        assert not any(opening.done() for opening in in_order[:4])
        for opening in in_order:
            opening.cancel()
        await asyncio.gather(*in_order, return_exceptions=True)


async def test_a_full_queue_is_raised_to_its_request_and_leaves_nothing(redis: Redis, redis_url: str) -> None:
    async with open_delivery(redis_url, max_queue=1) as delivery:
        first = asyncio.ensure_future(delivery.open(an_utterance("first"), request_id="req_1"))
        await until(lambda: rq_queue(redis, QueueName.INTERACTIVE).count == 1)

        with pytest.raises(QueueFull):
            await delivery.open(an_utterance("second"), request_id="req_2")

        assert not redis.exists(keys.utterance(an_utterance("second").id))
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_a_submission_that_fails_is_raised_to_all_readers_that_joined_it(redis: Redis, redis_url: str) -> None:
    """The queue is full for the first request. The others have joined before the error appears."""
    async with open_delivery(redis_url, max_queue=1) as delivery:
        redis.rpush(rq_queue(redis, QueueName.INTERACTIVE).key, "another")

        answers = await asyncio.gather(
            *(delivery.open(an_utterance("full"), request_id=f"req_{number}") for number in range(10)), return_exceptions=True
        )

    assert {type(answer) for answer in answers} == {QueueFull}
    assert not redis.exists(keys.utterance(an_utterance("full").id))


async def _leased(redis: Redis, utterance: Utterance, name: str = "w") -> tuple[WorkerRegistry, Lease]:
    announce(redis, Registration(name=name, engines=("tone",), wire=WIRE_VERSION), 60, takes_work=True)
    worker = WorkerRegistry(redis, worker=name, cache_ttl=60, cache_bytes=1000)
    await until(lambda: redis.exists(keys.utterance(utterance.id)))
    lease = worker.lease(utterance.id)
    assert lease is not None
    return worker, lease


def write(redis: Redis, lease: Lease, data: bytes) -> None:
    ChunkWriter(redis, lease, patience_seconds=0).write(data)


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
        worker, lease = await _leased(redis, utterance)

        worker.fail(lease, EngineFailed())

        answers: list[Any] = await asyncio.gather(*openings, return_exceptions=True)
    assert all(isinstance(answer, KoeError) and answer.code == "internal_error" for answer in answers)


async def test_redis_away_is_no_worker(data: Path) -> None:
    async with open_delivery(f"unix://{data}/nothing.sock") as delivery:
        with pytest.raises(NoWorker, match="cannot be reached"):
            await delivery.open(an_utterance("away"), request_id="req_1")


async def _still_held(redis: Redis, redis_url: str, utterance: Utterance) -> None:
    """Adds a job of the same id, which a slot has taken. It is not done, and its utterance is not leased."""
    assert Broker(redis, max_queue=10).submit(utterance, QueueName.INTERACTIVE, request_id="req_0")
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    redis.delete(queue.key)
    redis.hset(queue.job_class.key_for(utterance.id), "status", "started")


async def test_a_job_that_was_taken_for_a_cancelled_attempt_may_speak_the_new_one(redis: Redis, redis_url: str) -> None:
    """A new attempt may begin after a worker took a job and before it leases the utterance. The worker leases the new one."""
    utterance = an_utterance("overtaken")
    await _still_held(redis, redis_url, utterance)
    async with open_delivery(redis_url) as delivery:
        opening = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
        _, lease = await _leased(redis, utterance)

        write(redis, lease, b"sound")

        audio = await opening
        await audio.close()


async def test_a_reader_that_joined_is_served_though_the_first_one_has_left(redis: Redis, redis_url: str) -> None:
    utterance = an_utterance("left")
    await _still_held(redis, redis_url, utterance)
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    async with open_delivery(redis_url) as delivery:
        first = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
        await until(lambda: readers(redis, utterance) == 1)
        second = asyncio.ensure_future(delivery.open(utterance, request_id="req_2"))
        await until(lambda: readers(redis, utterance) == 2)

        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        redis.hset(queue.job_class.key_for(utterance.id), "status", "finished")
        await until(lambda: queue.job_ids == [utterance.id])
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second


async def undisturbed(harness: Harness, utterance: Utterance) -> bytes:
    """Returns the audio of the utterance when nothing goes wrong."""
    assert harness.pool is not None
    relay = harness.pool.runtime.engines["tone"]
    assert isinstance(relay, RelayEngine)
    gate, relay.now = relay.now, ToneEngine()
    async with open_delivery(harness.redis_url) as delivery:
        said = await heard(await delivery.open(msgspec.structs.replace(utterance, apart="undisturbed"), request_id="req_0"))
    relay.now = gate
    return said


@pytest.mark.usefixtures("short_ticks")
@pytest.mark.parametrize("lost", ["all", "the stream"])
async def test_an_utterance_that_redis_has_lost_continues_at_the_same_byte(lost: str, data: Path) -> None:
    utterance = an_utterance(text_of(6))
    with gated_harness(data) as (harness, engine), harness.redis() as redis:
        whole = await undisturbed(harness, utterance)
        async with open_delivery(harness.redis_url) as delivery:
            engine.release(3)
            audios = [await delivery.open(utterance, request_id=f"req_{number}") for number in range(2)]
            first = audios[0]._attempt
            chunks = aiter(audios[0])
            said = await anext(chunks)
            await asyncio.to_thread(engine.wait_begun, 4)

            if lost == "all":
                redis.flushall()
            else:
                redis.delete(*redis.keys("koe:audio:*"))
            engine.release(1000)
            async for chunk in chunks:
                said += chunk
            other = await heard(audios[1])

            assert said == other == whole
            assert audios[0]._attempt != first
            assert audios[0].report == audios[1].report
            assert readers(redis, utterance) == 1
            await audios[0].close()
            assert readers(redis, utterance) == 0


@pytest.mark.usefixtures("short_ticks")
async def test_an_utterance_that_is_lost_again_and_again_is_given_up(redis: Redis, redis_url: str) -> None:
    utterance = an_utterance("lost")
    async with open_delivery(redis_url) as delivery:
        opening = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
        _, lease = await _leased(redis, utterance)
        write(redis, lease, b"one")
        audio = await opening
        redis.flushall()
        hearing = asyncio.ensure_future(heard(audio))
        attempts = {lease.attempt}
        for number in range(3):
            _, again = await _leased(redis, utterance, f"other-{number}")
            attempts.add(again.attempt)

            redis.flushall()

        assert len(attempts) == 4
        with pytest.raises(WorkerLost):
            await hearing
        await audio.close()


@pytest.mark.usefixtures("short_ticks")
async def test_a_queued_attempt_whose_submitter_died_is_submitted_by_a_waiting_reader(data: Path) -> None:
    utterance = an_utterance("orphan")
    with gated_harness(data) as (harness, engine):
        engine.release(1)
        async with open_delivery(harness.redis_url) as delivery, connect_async(harness.redis_url) as aredis:
            await a_registry(aredis, "dead").attach(utterance.id)
            await aredis.delete(keys.api("dead"))

            audio = await delivery.open(utterance, request_id="req_1")

            assert audio.found is Found.JOIN
            await heard(audio)
    assert audio.report is not None


@pytest.mark.usefixtures("short_ticks")
async def test_a_worker_that_dies_is_taken_over_from_at_the_reader_s_own_request(redis: Redis, redis_url: str) -> None:
    utterance = an_utterance("taken over")
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    async with open_delivery(redis_url) as delivery:
        opening = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
        await until(lambda: queue.job_ids)
        _, lease = await _leased(redis, utterance)
        write(redis, lease, b"one")
        audio = await opening
        hearing = asyncio.ensure_future(heard(audio))
        redis.delete(queue.key, queue.job_class.key_for(utterance.id))

        withdraw(redis, "w")
        await until(lambda: queue.job_ids == [utterance.id])
        worker, heir = await _leased(redis, utterance, "heir")
        write(redis, heir, b"onetwo")
        worker.finish(heir, REPORT)

        assert await hearing == b"onetwo"


@pytest.mark.usefixtures("short_ticks")
@pytest.mark.parametrize("left_as", [State.SPEAKING, State.QUEUED])
async def test_when_no_worker_comes_back_all_readers_get_an_error_and_a_new_request_begins_again(
    left_as: State, redis: Redis, redis_url: str
) -> None:
    utterance = an_utterance("left alone")
    async with open_delivery(redis_url, max_wait_seconds=1.0) as delivery:
        openings = [asyncio.ensure_future(delivery.open(utterance, request_id=f"req_{number}")) for number in range(3)]
        await until(lambda: readers(redis, utterance) == 3)
        worker, lease = await _leased(redis, utterance)
        write(redis, lease, b"one")
        audios = await asyncio.gather(*openings)
        if left_as is State.QUEUED:
            worker.release(lease, State.QUEUED)

        withdraw(redis, "w")

        answers = await asyncio.gather(*(heard(audio) for audio in audios), return_exceptions=True)
        assert {type(answer) for answer in answers} == {WorkerLost}
        for audio in audios:
            await audio.close()
        found = await delivery.registry.attach(utterance.id)
        assert found is not None
        assert found[0] is Found.MISS


@pytest.mark.usefixtures("short_ticks")
async def test_a_reader_that_leaves_while_redis_is_unreachable_is_removed_later(data: Path) -> None:
    utterance = an_utterance("left")
    server = EmbeddedServer(data)
    server.start()
    with connect(server.url) as redis:
        async with open_delivery(server.url) as delivery:
            opening = asyncio.ensure_future(delivery.open(utterance, request_id="req_1"))
            _, lease = await _leased(redis, utterance)
            write(redis, lease, b"one")
            audio = await opening

            await asyncio.to_thread(server.stop)
            await audio.close()
            await asyncio.to_thread(server.start)

            await until(lambda: not redis.exists(*lease.attempt.both))
    server.stop()


@pytest.mark.usefixtures("short_ticks")
async def test_a_reader_that_takes_nothing_has_no_more_spoken_and_misses_nothing(data: Path) -> None:
    """The only slot is free for other work meanwhile. The part of a long stream that was read is deleted."""
    utterance, other = an_utterance(text_of(12)), an_utterance("Somebody else.")
    with gated_harness(data, KOE_SLOTS="1", KOE_STREAM_BYTES=str(STREAM_BYTES)) as (harness, engine), harness.redis() as redis:
        whole = await undisturbed(harness, utterance)
        engine.release(1000)
        async with open_delivery(harness.redis_url) as delivery:
            audio = await delivery.open(utterance, request_id="req_1")
            await until(lambda: state(redis, utterance) is State.PAUSED)
            assert len(engine.spoken) < 12

            await heard(await delivery.open(other, request_id="req_2"))
            assert state(redis, utterance) is State.PAUSED
            said = await heard(audio)

            assert said == whole
            assert audio.report is not None
            assert audio.report.n_segments == 12


@pytest.mark.usefixtures("short_ticks")
async def test_a_request_for_a_stream_without_its_beginning_is_spoken_separately(data: Path) -> None:
    utterance = an_utterance(text_of(12))
    with gated_harness(data, KOE_STREAM_BYTES=str(STREAM_BYTES)) as (harness, engine), harness.redis() as redis:
        whole = await undisturbed(harness, utterance)
        async with open_delivery(harness.redis_url) as delivery:
            engine.release(6)
            first = await delivery.open(utterance, request_id="req_1")
            hearing = asyncio.ensure_future(heard(first))
            await until(lambda: redis.hexists(keys.utterance(utterance.id), "trimmed"))
            assert not hearing.done()

            engine.release(1000)
            second = await delivery.open(utterance, request_id="req_2")

            assert second.found is Found.MISS
            assert second._attempt is not None
            assert second._attempt.utterance_id != utterance.id
            assert await heard(second) == await hearing == whole
        await until(lambda: not redis.exists(keys.utterance(utterance.id)))


@pytest.mark.usefixtures("short_ticks")
async def test_a_process_says_again_and_again_that_it_lives(redis: Redis, redis_url: str) -> None:
    async with open_delivery(redis_url):
        await until(lambda: redis.exists(keys.api("api")))
        redis.delete(keys.api("api"))

        await until(lambda: redis.exists(keys.api("api")))
