"""Stream tasks: when they give up their slot, what they cache, and what they skip while Redis is unreachable."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.core.errors import Cancelled, Paused, Preempted
from app.core.queue.broker import QueueName
from app.core.queue.fleet import Registration, announce
from app.core.queue.registry import Registry, WorkerRegistry
from app.core.queue.segment_cache import Budget, SegmentCache
from app.core.speech.boundaries import Ending
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async
from app.core.storage.embedded_server import EmbeddedServer
from tests import replies
from workers.engines.base import Segment
from workers.synthesis import stream_task
from workers.synthesis.audio import Sound
from workers.synthesis.stream_task import Limits, StreamTask

VOICE = load_catalogue().parse("af_heart")[0]
UTTERANCE = Utterance(text="Hello.", engine="tone", voice=VOICE, language="en-US", format="pcm")
STREAM_BYTES = 1000
LONG = stream_task._LEAD_SECONDS + 1


def a_segment(text: str) -> Segment:
    return Segment(text=text, phonemes=text, voice=VOICE, language="en-US", speed=1.0, ending=Ending.SENTENCE)


def with_registry(url: str, act: Callable[[Registry], Any]) -> Any:
    async def run() -> Any:
        async with connect_async(url) as redis:
            return await act(
                Registry(redis, api="api", cache_ttl=60, cache_bytes=10**9, queued_ttl=60, stream_bytes=STREAM_BYTES)
            )

    return asyncio.run(run())


def limits_of(**changes: Any) -> Limits:
    usual: dict[str, Any] = {"stream_bytes": STREAM_BYTES, "cache_budget": Budget(task_bytes=100), "patience_seconds": 0}
    return Limits(**(usual | changes))


def a_task(
    redis: Redis, url: str, limits: Limits | None = None, *, worker: str = "w", heard_seconds: float = 0.0
) -> StreamTask:
    """Returns a task with a listener. This worker has just taken its lease."""
    if not redis.exists(keys.utterance(UTTERANCE.id)):
        with_registry(url, lambda registry: registry.attach(UTTERANCE.id))
    announce(redis, Registration(name=worker, engines=("tone",)), 60, takes_work=True)
    registry = WorkerRegistry(redis, worker=worker, cache_ttl=60, cache_bytes=10**9)
    lease = registry.lease(UTTERANCE.id)
    assert lease is not None
    limits = limits or limits_of()
    return StreamTask(
        UTTERANCE,
        QueueName.INTERACTIVE,
        "",
        heard_seconds=heard_seconds,
        redis=redis,
        registry=registry,
        lease=lease,
        limits=limits,
    )


def record(redis: Redis) -> dict[str, str]:
    return replies.fields(redis, keys.utterance(UTTERANCE.id))


@pytest.mark.parametrize(("heard_seconds", "is_measured"), [(0.0, True), (2.0, False)])
def test_what_continues_something_that_is_heard_does_not_count_for_the_pace(
    redis: Redis, redis_url: str, heard_seconds: float, is_measured: bool
) -> None:
    limits = limits_of()
    a_task(redis, redis_url, limits, heard_seconds=heard_seconds).write(b"sound")
    assert (limits.pace.seconds > 0) is is_measured


@pytest.fixture
def task(redis: Redis, redis_url: str) -> StreamTask:
    return a_task(redis, redis_url)


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(data)
    server.start()
    yield server
    server.stop()


def test_as_many_tasks_give_way_as_listeners_wait_for_a_slot() -> None:
    limits = limits_of()
    assert not limits.try_preempt()

    limits.set_waiting(2)

    assert [limits.try_preempt() for _ in range(4)] == [True, True, False, False]
    limits.set_waiting(1)
    assert [limits.try_preempt() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("quantum_seconds", "lead_seconds", "n_waiting", "preempts"),
    [(0, LONG, 1, True), (0, LONG, 0, False), (0, LONG - 2, 1, False), (60, LONG, 1, False)],
    ids=["has enough audio", "nobody waits", "has too little audio", "has only begun"],
)
def test_a_task_gives_way_if_it_held_its_slot_long_enough_and_its_listener_has_enough_audio(
    quantum_seconds: float,
    lead_seconds: float,
    n_waiting: int,
    preempts: bool,
    redis: Redis,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_task, "_QUANTUM_SECONDS", quantum_seconds)
    limits = limits_of()
    task = a_task(redis, redis_url, limits)
    limits.set_waiting(n_waiting)

    if preempts:
        with pytest.raises(Preempted):
            task.check(lead_seconds)
    else:
        task.check(lead_seconds)

    assert limits.try_preempt() is (n_waiting > 0 and not preempts)


def test_a_task_pauses_while_its_reader_is_far_behind(task: StreamTask, redis_url: str) -> None:
    task.write(bytes(STREAM_BYTES))
    task.check(0)

    task.write(b"1")
    with pytest.raises(Paused):
        task.check(0)

    with_registry(redis_url, lambda registry: registry.read(task.lease.attempt, 500, "0"))
    task.write(b"2")
    task.check(0)


def test_what_is_cancelled_goes_no_further(task: StreamTask) -> None:
    task.check(0)

    task.cancelled.set()

    with pytest.raises(Cancelled):
        task.check(0)


def test_a_task_finds_the_segments_that_an_earlier_task_cached(task: StreamTask, redis: Redis, redis_url: str) -> None:
    one, two = a_segment("one"), a_segment("two")
    assert task.find(one) is None
    task.begin(one)
    task.cache_segment(one, Sound(b"sound"))

    redis.delete(keys.worker("w"))
    after = a_task(redis, redis_url, worker="other")

    assert after.find(one) == Sound(b"sound")
    assert after.find(two) is None
    assert after.name != task.name
    assert record(redis)["spoken"] == "1"


def test_what_another_utterance_has_spoken_is_found_and_counted_as_found(redis: Redis, redis_url: str) -> None:
    one, two = a_segment("one"), a_segment("two")
    budget = Budget(task_bytes=100, segment_bytes=100)
    SegmentCache(redis, "another", budget=budget).put(one.digest, Sound(b"sound").to_bytes(), one.name)

    task = a_task(redis, redis_url, limits_of(cache_budget=budget))

    assert task.find(two) is None
    assert task.find(one) == Sound(b"sound")
    assert task.n_found == 1
    assert "spoken" not in record(redis)


def test_segments_in_flight_are_counted(task: StreamTask, redis: Redis) -> None:
    """First the preparation counts, then each segment while an engine speaks it."""
    segments = [a_segment(str(number)) for number in range(2)]
    seen = [record(redis)["at_risk"]]

    steps: list[Callable[[], object]] = [
        lambda: task.check(0),
        lambda: task.check(0),
        lambda: task.begin(segments[0]),
        lambda: task.begin(segments[1]),
        lambda: task.cache_segment(segments[0], Sound(b"")),
        lambda: task.cache_segment(segments[1], Sound(b"")),
    ]
    for step in steps:
        step()
        seen.append(record(redis)["at_risk"])

    assert seen == ["1", "0", "0", "1", "2", "1", "0"]


def test_a_segment_that_an_engine_ends_after_everybody_left_is_not_kept(task: StreamTask, redis: Redis, redis_url: str) -> None:
    task.begin(a_segment("one"))
    assert with_registry(redis_url, lambda registry: registry.detach(task.lease.attempt))

    task.cache_segment(a_segment("one"), Sound(b"sound"))

    assert redis.keys("koe:kept:*") == []
    assert redis.hgetall(keys.CACHED_SEGMENTS) == {}


def test_a_task_with_only_encoding_left_is_finished_though_all_readers_leave(task: StreamTask, redis_url: str) -> None:
    task.on_spoken()

    assert not with_registry(redis_url, lambda registry: registry.detach(task.lease.attempt))


def test_a_task_that_begins_again_writes_nothing_twice(task: StreamTask, redis: Redis) -> None:
    data = os.urandom(300)
    task.write(data[:200])

    task.begin_again()
    for start in range(0, 300, 70):
        task.write(data[start : start + 70])

    chunks = [fields[b"data"] for _, fields in replies.entries(redis, task.lease.attempt.stream) if b"data" in fields]
    assert b"".join(chunks) == data


def test_without_redis_it_speaks_on_and_only_writing_waits(server: EmbeddedServer) -> None:
    with connect(server.url) as redis:
        task = a_task(redis, server.url)
        server.stop()

        task.check(0)
        task.begin(a_segment("one"))
        task.cache_segment(a_segment("one"), Sound(b"sound"))
        task.on_spoken()
        assert task.find(a_segment("two")) is None

        with pytest.raises(RedisError):
            task.write(b"data")
