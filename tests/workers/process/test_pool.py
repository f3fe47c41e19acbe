"""The pool: it registers a living worker, stops cancelled work, requeues the tasks of dead workers, and ends in order."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from app.core.errors import Misconfigured
from app.core.queue.activity import read_activities
from app.core.queue.broker import Broker, QueueName, rq_queue
from app.core.queue.fleet import Registration
from app.core.queue.overview import read_overview
from app.core.queue.registry import Attempt, Found, Registry, WorkerRegistry
from app.core.queue.segment_cache import Budget, SegmentCache
from app.core.settings import Settings, read_settings
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async
from app.core.storage.embedded_server import EmbeddedServer, embedded_url
from tests import replies
from tests.engines import GatedEngine, text_of
from tests.harness import wait_until
from workers.engines.base import Engine
from workers.engines.idle import EngineFacts, IdleEngine
from workers.engines.registry import Loaded
from workers.process import runtime
from workers.process.pool import Pool
from workers.process.replacement import Predecessor
from workers.process.unstarted_tasks import UnstartedTasks
from workers.synthesis import stream_task

VOICE = load_catalogue().parse("af_heart")[0]
SMALL = {"KOE_SLOTS": "2", "KOE_BATCH_SLOTS": "1", "KOE_THREADS": "1", "KOE_CACHE_TTL": "60"}


def an_utterance(text: str) -> Utterance:
    return Utterance(text=text, engine="tone", voice=VOICE, language="en-US", format="pcm")


def settings_of(**environ: str) -> Settings:
    return read_settings(SMALL | environ)


@pytest.fixture
def gate() -> GatedEngine:
    return GatedEngine()


@pytest.fixture
def open_pool(gate: GatedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pool]]:
    monkeypatch.setattr("workers.process.slot.POP_SECONDS", 0.2)
    monkeypatch.setattr("workers.process.pool.BEAT_SECONDS", 0.2)
    pools: list[Pool] = []

    def open_one(
        url: str,
        missing: str | None = None,
        engine: Engine = gate,
        predecessor: Predecessor | None = None,
        **environ: str,
    ) -> Pool:
        pool = Pool(settings_of(KOE_DATA=str(tmp_path), **environ), url, Loaded({"tone": engine}, missing))
        pool.warm_up(predecessor)
        pool.start(predecessor)
        pools.append(pool)
        return pool

    yield open_one
    gate.release(10_000)
    for pool in pools:
        if not pool._stopped.is_set():
            pool.stop()


_Result = TypeVar("_Result")


def _with_registry(url: str, act: Callable[[Registry], Awaitable[_Result]]) -> _Result:
    async def run() -> _Result:
        async with connect_async(url) as redis:
            registry = Registry(
                redis, api="api", cache_ttl=60, cache_bytes=10**9, queued_ttl=60, stream_bytes=10**9, api_ttl=60
            )
            return await act(registry)

    return asyncio.run(run())


def ask(redis: Redis, url: str, utterance: Utterance) -> Attempt:
    """Attaches a reader and submits the utterance, as the API does."""
    attached = _with_registry(url, lambda registry: registry.attach(utterance.id))
    assert attached is not None
    found, attempt = attached
    assert found is Found.MISS
    Broker(redis, max_queue=100).submit(utterance, QueueName.INTERACTIVE, request_id="req_1")
    return attempt


def registrations(redis: Redis) -> list[Registration]:
    found = [redis.get(keys.worker(name)) for name in replies.members(redis, keys.WORKERS)]
    return [msgspec.json.decode(registration, type=Registration) for registration in found if registration]


def kinds(redis: Redis, attempt: Attempt) -> list[bytes]:
    return [fields[b"kind"] for _, fields in replies.entries(redis, attempt.stream)]


def release_until(gate: GatedEngine, is_done: Callable[[], bool]) -> None:
    """Releases one segment after the other, each when the one before is begun, until `is_done` is true."""
    while not is_done():
        n_begun = gate.n_begun
        gate.release(1)
        wait_until(lambda: is_done() or gate.n_begun > n_begun)  # noqa: B023 - called at once


def status(redis: Redis, utterance: Utterance) -> JobStatus | None:
    return Job.fetch(utterance.id, connection=redis, serializer=JSONSerializer).get_status()


def test_a_worker_says_who_it_is_and_withdraws_when_it_ends(
    redis: Redis, redis_url: str, open_pool: Callable[..., Pool]
) -> None:
    pool = open_pool(redis_url, missing="Run `koe fetch`.")
    wait_until(lambda: registrations(redis) and read_activities(redis))

    (registration,) = registrations(redis)
    assert (registration.name, registration.engines, registration.missing, registration.n_slots) == (
        pool.name,
        ("tone",),
        "Run `koe fetch`.",
        3,
    )
    assert registration.wire == WIRE_VERSION
    assert runtime.current() is pool.runtime

    pool.stop()

    assert registrations(redis) == []
    assert redis.keys("koe:*") == []
    assert redis.smembers("rq:workers") == set()
    with pytest.raises(RuntimeError):
        runtime.current()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith((pool.name, "compute", "gone", "heart"))]


def test_a_worker_that_was_forgotten_is_known_again_at_its_next_beat(
    redis: Redis, redis_url: str, open_pool: Callable[..., Pool]
) -> None:
    open_pool(redis_url)
    wait_until(lambda: registrations(redis))

    redis.flushall()

    wait_until(lambda: registrations(redis))


def test_it_speaks_what_is_asked(redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]) -> None:
    open_pool(redis_url)
    utterance = an_utterance(text_of(3))
    gate.release(3)

    attempt = ask(redis, redis_url, utterance)

    wait_until(lambda: kinds(redis, attempt)[-1:] == [b"stop"])
    assert kinds(redis, attempt)[0] == b"start"
    wait_until(lambda: status(redis, utterance) == JobStatus.FINISHED)


def test_as_many_utterances_run_at_a_time_as_there_are_slots(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]
) -> None:
    open_pool(redis_url)

    attempts = [ask(redis, redis_url, an_utterance(f"number {number}")) for number in range(4)]

    wait_until(lambda: sum(redis.exists(attempt.stream) for attempt in attempts) == 2)
    assert rq_queue(redis, QueueName.INTERACTIVE).count == 2
    gate.release(4)
    wait_until(lambda: all(kinds(redis, attempt)[-1:] == [b"stop"] for attempt in attempts))


def test_a_cancelled_utterance_frees_its_slot_while_it_waits_for_the_engine(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]
) -> None:
    open_pool(redis_url)
    wait_until(lambda: redis.pubsub_numsub(keys.CANCELLED)[0][1] == 1)
    ahead, utterance = an_utterance("ahead"), an_utterance(text_of(5))
    ask(redis, redis_url, ahead)
    gate.wait_begun(1)
    attempt = ask(redis, redis_url, utterance)
    wait_until(lambda: redis.exists(attempt.stream))

    assert _with_registry(redis_url, lambda registry: registry.detach(attempt))

    # `ahead` still holds the engine, but the slot is free again.
    wait_until(lambda: status(redis, utterance) == JobStatus.FINISHED)
    gate.release(1)
    wait_until(lambda: status(redis, ahead) == JobStatus.FINISHED)
    assert [segment.text for segment in gate.spoken] == ["ahead"]


def test_a_pool_that_is_told_to_stop_leaves_the_fleet_and_finishes_its_running_work(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]
) -> None:
    # The only slot is busy: an idle slot could still take a task with its last pop, and would finish it.
    pool = open_pool(redis_url, KOE_SLOTS="1")
    utterance = an_utterance(text_of(3))
    attempt = ask(redis, redis_url, utterance)
    gate.wait_begun(1)

    stopping = threading.Thread(target=pool.stop)
    stopping.start()
    wait_until(lambda: redis.zcard(keys.WORKERS) == 0)
    late = an_utterance("late")
    ask(redis, redis_url, late)

    assert redis.exists(keys.worker(pool.name))
    (worker,), (spoken,) = read_overview(redis).workers, read_overview(redis).spoken
    assert (worker.state, worker.n_busy, spoken.id) == ("draining", 1, utterance.id)
    gate.release(3)
    stopping.join()
    assert kinds(redis, attempt)[-1] == b"stop"
    assert status(redis, utterance) == JobStatus.FINISHED
    assert status(redis, late) == JobStatus.QUEUED


def test_a_worker_stays_in_the_fleet_until_the_one_that_replaces_it_is_there(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool], tmp_path: Path
) -> None:
    def an_idle_engine(facts: EngineFacts | None = None) -> IdleEngine:
        return IdleEngine(lambda: gate, speaks=lambda _: True, idle_seconds=600, facts=facts, clock=lambda: now)

    def names() -> list[str]:
        return replies.members(redis, keys.WORKERS)

    now = 0.0
    before = open_pool(redis_url, engine=(engine := an_idle_engine()))
    wait_until(lambda: names() == [before.name])
    assert not before.is_replaceable
    now = 700.0
    engine.unload_if_idle()
    assert not before.is_replaceable
    now = 3000.0
    wait_until(lambda: before.is_replaceable)

    before.stop(is_followed=lambda: True)
    assert names() == [before.name]
    predecessor = before.predecessor()
    assert predecessor == Predecessor(before.name, before.runtime.limits.pace.seconds, {"tone": EngineFacts.of(gate)})
    following = an_idle_engine(predecessor.facts["tone"])
    after = open_pool(redis_url, engine=following, predecessor=predecessor)

    assert names() == [after.name]
    assert gate.spoken == []
    assert not after.is_replaceable
    gate.release(1)
    ask(redis, redis_url, utterance := an_utterance("Hello."))
    wait_until(lambda: status(redis, utterance) == JobStatus.FINISHED)
    assert following.is_loaded


def test_a_worker_that_must_end_while_it_is_being_replaced_leaves_the_fleet(
    redis: Redis, redis_url: str, open_pool: Callable[..., Pool]
) -> None:
    pool = open_pool(redis_url)
    wait_until(lambda: registrations(redis))
    must_end = threading.Event()
    stopping = threading.Thread(target=partial(pool.stop, is_followed=lambda: not must_end.is_set()))
    stopping.start()
    must_end.set()
    stopping.join()
    assert redis.keys("koe:*") == []


def test_a_job_whose_process_died_is_given_to_another(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]
) -> None:
    utterance = an_utterance("abandoned")
    attempt = ask(redis, redis_url, utterance)
    assert WorkerRegistry(redis, worker="gone", cache_ttl=60, cache_bytes=1).lease(utterance.id)
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    redis.delete(queue.key)
    Job.fetch(utterance.id, connection=redis, serializer=JSONSerializer).set_status(JobStatus.STARTED)
    started = StartedJobRegistry(queue.name, connection=redis, serializer=JSONSerializer)
    redis.zadd(started.key, {f"{utterance.id}:gone": redis.time()[0] - 1})
    gate.release(1)

    open_pool(redis_url)

    wait_until(lambda: kinds(redis, attempt)[-1:] == [b"stop"])
    wait_until(lambda: status(redis, utterance) == JobStatus.FINISHED)


def test_a_job_whose_worker_died_before_starting_it_is_put_back(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]
) -> None:
    utterance = an_utterance("popped")
    attempt = ask(redis, redis_url, utterance)
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    redis.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")
    gate.release(1)

    open_pool(redis_url, KOE_WORKER_TIMEOUT="1")

    wait_until(lambda: kinds(redis, attempt)[-1:] == [b"stop"])
    assert redis.llen(queue.intermediate_queue_key) == 0


def test_a_job_that_has_just_been_taken_is_not_put_back(redis: Redis, redis_url: str) -> None:
    ask(redis, redis_url, an_utterance("popped"))
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    redis.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")
    patient, hasty = UnstartedTasks(redis, after_seconds=60), UnstartedTasks(redis, after_seconds=0)

    for _ in range(2):
        patient.put_back()
    assert queue.job_ids == []

    def is_given_back() -> bool:
        hasty.put_back()
        return queue.job_ids == [an_utterance("popped").id]

    hasty.put_back()
    wait_until(is_given_back)


def test_when_all_slots_are_busy_the_tasks_learn_how_many_wait(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]
) -> None:
    pool = open_pool(redis_url, KOE_WORKER_TIMEOUT="1")
    attempts = [ask(redis, redis_url, an_utterance(f"number {number}")) for number in range(2)]
    wait_until(lambda: sum(redis.exists(attempt.stream) for attempt in attempts) == 2)
    assert not pool.runtime.limits.try_preempt()

    attempts.append(ask(redis, redis_url, an_utterance("one more")))

    wait_until(pool.runtime.limits.try_preempt)
    gate.release(3)
    wait_until(lambda: all(kinds(redis, attempt)[-1:] == [b"stop"] for attempt in attempts))


def test_a_waiting_utterance_is_spoken_though_long_texts_have_all_the_slots(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_task, "_QUANTUM_SECONDS", 0)
    monkeypatch.setattr(stream_task, "_LEAD_SECONDS", 10)
    open_pool(redis_url, KOE_SLOTS="1")
    book, guest = an_utterance(text_of(40)), an_utterance("A guest.")
    read = ask(redis, redis_url, book)
    gate.release(4)
    gate.wait_begun(5)

    asked = ask(redis, redis_url, guest)
    release_until(gate, lambda: kinds(redis, asked)[-1:] == [b"stop"])

    assert kinds(redis, read)[-1] != b"stop"
    gate.release(100)
    wait_until(lambda: kinds(redis, read)[-1:] == [b"stop"])
    spoken = [segment.text for segment in gate.spoken if segment.text != "A guest."]
    assert list(dict.fromkeys(spoken)) == book.text.replace("background. ", "background.\n").splitlines()


def test_an_attempt_without_living_readers_is_abandoned(
    redis: Redis, redis_url: str, gate: GatedEngine, open_pool: Callable[..., Pool]
) -> None:
    open_pool(redis_url, KOE_WORKER_TIMEOUT="1")
    utterance = an_utterance(text_of(5))
    attempt = ask(redis, redis_url, utterance)
    gate.wait_begun(1)

    redis.delete(keys.api("api"))

    wait_until(lambda: not redis.exists(*attempt.both))
    gate.release(100)
    wait_until(lambda: status(redis, utterance) == JobStatus.FINISHED)


def test_the_recorded_size_of_the_segment_cache_is_corrected(
    redis: Redis, redis_url: str, open_pool: Callable[..., Pool]
) -> None:
    SegmentCache(redis, "expired", budget=Budget(task_bytes=100)).put(b"one", bytes(60))
    redis.delete(keys.cached_segments("expired"))

    open_pool(redis_url)

    wait_until(lambda: redis.hget(keys.CACHED_SEGMENTS, "total") == b"0")


def test_the_warm_up_estimates_the_pace_with_all_threads_at_work(
    redis_url: str, open_pool: Callable[..., Pool], gate: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, n_warm_ups = threading.Barrier(2), iter(range(3))

    def warm_up() -> None:
        if next(n_warm_ups):
            both.wait(60)  # Breaks unless both threads warm up at the same time.

    monkeypatch.setattr(gate, "warm_up", warm_up)
    pool = open_pool(redis_url, KOE_THREADS="2")

    assert pool.runtime.limits.pace.seconds > 0


def test_it_waits_for_a_redis_that_is_not_there_yet(data: Path, gate: GatedEngine) -> None:
    pool = Pool(settings_of(), embedded_url(data), Loaded({"tone": gate}))
    warming_up = threading.Thread(target=pool.warm_up)
    warming_up.start()

    server = EmbeddedServer(data)
    server.start()
    warming_up.join()
    pool.start()

    with connect(server.url) as redis:
        wait_until(lambda: registrations(redis))
    pool.stop()
    server.stop()


def test_it_outlives_a_restart_of_redis(data: Path, gate: GatedEngine, open_pool: Callable[..., Pool]) -> None:
    server = EmbeddedServer(data)
    server.start()
    pool = open_pool(server.url)
    with connect(server.url) as redis:
        wait_until(lambda: registrations(redis))

        server.stop()
        server.start()
        gate.release(10)
        attempt = ask(redis, server.url, an_utterance("after"))

        wait_until(lambda: kinds(redis, attempt)[-1:] == [b"stop"], 60)
        wait_until(lambda: registrations(redis))
    pool.stop()
    server.stop()


def test_it_can_leave_though_redis_is_away(data: Path, open_pool: Callable[..., Pool]) -> None:
    server = EmbeddedServer(data)
    server.start()
    pool = open_pool(server.url)

    server.stop()

    pool.stop()


def test_without_an_encoder_there_is_no_worker(redis_url: str, gate: GatedEngine, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="KOE_FFMPEG"):
        Pool(settings_of(KOE_FFMPEG=str(tmp_path / "absent")), redis_url, Loaded({"tone": gate}))
