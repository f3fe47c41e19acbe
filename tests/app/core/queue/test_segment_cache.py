"""Cached segments: found by the worker that continues a task and by other texts, limited by a budget, and deleted with their
task.
"""

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import QueueFull
from app.core.queue.fleet import Registration, announce
from app.core.queue.registry import Lease, Registry, Report, WorkerRegistry
from app.core.queue.segment_cache import TOTAL, Budget, SegmentCache, sweep_segment_cache
from app.core.storage import keys
from tests import replies

pytestmark = pytest.mark.anyio

BUDGET = 100
REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=0)


def cache_of(redis: Redis, name: str = "a", *, budget_bytes: int = BUDGET, attempt: str = "") -> SegmentCache:
    return SegmentCache(redis, name, budget=Budget(task_bytes=budget_bytes), attempt=attempt)


def sharing(
    redis: Redis,
    name: str = "a",
    *,
    segment_bytes: int = BUDGET,
    segment_ttl: int = 60,
    attempt: str = "",
    is_listened: bool = True,
    task_bytes: int = 1000,
) -> SegmentCache:
    """The cache of a task whose segments are also cached for other texts."""
    budget = Budget(task_bytes=task_bytes, segment_bytes=segment_bytes, segment_ttl=segment_ttl)
    return SegmentCache(redis, name, budget=budget, attempt=attempt, is_listened=is_listened)


def shared(redis: Redis) -> dict[str, int]:
    """The sizes of the shared segments. Checks that exactly these segments are in Redis, and that the sum is right."""
    sizes = {name: int(n_bytes) for name, n_bytes in replies.fields(redis, keys.SEGMENT_SIZES).items()}
    names = set(replies.members(redis, keys.SEGMENTS))
    assert names == sizes.keys() - {TOTAL}
    assert set(replies.key_names(redis, keys.segment("*"))) == {keys.segment(name) for name in names}
    assert sizes.pop(TOTAL, 0) == sum(sizes.values())
    return sizes


def account(redis: Redis) -> dict[str, int]:
    return {name: int(n_bytes) for name, n_bytes in replies.fields(redis, keys.CACHED_SEGMENTS).items()}


@pytest.fixture
def registry(aredis: AsyncRedis) -> Registry:
    return Registry(aredis, api="api", cache_ttl=60, cache_bytes=BUDGET, queued_ttl=60, stream_bytes=BUDGET)


@pytest.fixture
def worker(redis: Redis) -> WorkerRegistry:
    announce(redis, Registration(name="w", engines=("tone",)), 60, takes_work=True)
    return WorkerRegistry(redis, worker="w", cache_ttl=60, cache_bytes=BUDGET)


@pytest.fixture
async def lease(registry: Registry, worker: WorkerRegistry) -> Lease:
    await registry.attach("a")
    lease = worker.lease("a")
    assert lease is not None
    return lease


async def test_a_cached_segment_is_found_by_its_own_task_only(redis: Redis) -> None:
    first = cache_of(redis)
    assert first.get(b"one") is None

    assert first.put(b"one", b"\x00\xff\r\n")
    assert first.put(b"empty", b"")

    for cache in (first, cache_of(redis)):
        assert cache.get(b"one") == b"\x00\xff\r\n"
        assert cache.get(b"empty") == b""
        assert cache.get(b"two") is None
    assert cache_of(redis, "b").get(b"one") is None


async def test_all_tasks_share_one_budget_and_segments_beyond_it_are_not_cached(redis: Redis) -> None:
    first, second = cache_of(redis, "a"), cache_of(redis, "b")

    assert first.put(b"one", bytes(60))
    assert not second.put(b"two", bytes(41))
    assert second.put(b"three", bytes(40))
    assert not first.put(b"four", bytes(1))

    assert second.get(b"two") is None
    assert account(redis) == {"a": 60, "b": 40, TOTAL: 100}


async def test_a_segment_that_is_cached_twice_counts_once(redis: Redis) -> None:
    cache = cache_of(redis)

    assert cache.put(b"one", bytes(60))
    assert cache.put(b"one", bytes(60))

    assert account(redis) == {"a": 60, TOTAL: 60}


async def test_dropped_segments_free_the_budget(redis: Redis) -> None:
    first, second = cache_of(redis, "a"), cache_of(redis, "b")
    first.put(b"one", bytes(60))
    first.put(b"two", bytes(40))

    first.drop()
    first.drop()

    assert first.get(b"one") is None
    assert account(redis) == {TOTAL: 0}
    assert second.put(b"three", bytes(100))


async def test_segments_of_an_utterance_are_deleted_when_it_is_finished(
    redis: Redis, lease: Lease, worker: WorkerRegistry
) -> None:
    cache_of(redis).put(b"one", bytes(10))

    worker.finish(lease, REPORT)

    assert cache_of(redis).get(b"one") is None
    assert account(redis) == {TOTAL: 0}


async def test_and_when_it_is_cancelled(redis: Redis, lease: Lease, registry: Registry) -> None:
    cache_of(redis).put(b"one", bytes(10))

    assert await registry.detach(lease.attempt)

    assert cache_of(redis).get(b"one") is None
    assert account(redis) == {TOTAL: 0}


async def test_after_a_failure_it_is_there_for_a_while(
    redis: Redis, lease: Lease, registry: Registry, worker: WorkerRegistry
) -> None:
    cache_of(redis).put(b"one", bytes(10))

    worker.fail(lease, QueueFull("Full."))
    await registry.attach("a")

    assert cache_of(redis).get(b"one") == bytes(10)
    assert 0 < redis.ttl(keys.cached_segments("a")) <= 60


@pytest.mark.parametrize("is_finished", [True, False])
async def test_a_segment_that_ends_after_its_attempt_is_not_cached(
    is_finished: bool, redis: Redis, lease: Lease, registry: Registry, worker: WorkerRegistry
) -> None:
    """Nothing would delete the segment, and it would take up the budget for ever."""
    cache = cache_of(redis, attempt=lease.attempt.token)
    assert cache.put(b"one", bytes(10))

    if is_finished:
        worker.finish(lease, REPORT)
    else:
        await registry.detach(lease.attempt)

    assert not cache.put(b"two", bytes(10))
    assert not redis.exists(keys.cached_segments("a"))
    assert account(redis) == {TOTAL: 0}


async def test_expired_segments_are_swept_out_of_the_sum(redis: Redis) -> None:
    cache_of(redis, "a").put(b"one", bytes(60))
    cache_of(redis, "b").put(b"two", bytes(30))
    redis.delete(keys.cached_segments("a"))
    assert not cache_of(redis, "c").put(b"three", bytes(50))

    sweep_segment_cache(redis)

    assert account(redis) == {"b": 30, TOTAL: 30}
    assert cache_of(redis, "b").get(b"two") == bytes(30)
    assert cache_of(redis, "c").put(b"three", bytes(50))


async def test_every_cached_segment_expires(redis: Redis) -> None:
    cache_of(redis).put(b"one", bytes(10))

    assert 0 < redis.ttl(keys.cached_segments("a")) <= 7200


async def test_a_task_finds_a_segment_of_another_task_by_its_name_though_that_has_ended(redis: Redis) -> None:
    first, second = sharing(redis, "a"), sharing(redis, "b")
    assert first.put(b"one", bytes(60), "name")
    first.drop()

    assert second.get(b"other", "other name") is None
    assert second.get(b"one") is None
    assert second.get(b"one", "name") == bytes(60)

    assert account(redis) == {"b": 60, TOTAL: 60}
    assert shared(redis) == {"name": 60}


async def test_a_segment_of_another_task_is_cached_for_the_worker_that_continues_this_one(redis: Redis) -> None:
    """A task keeps the samples that its listeners received, even if the shared copy was deleted or spoken again meanwhile."""
    sharing(redis, "a").put(b"one", b"heard", "name")
    assert sharing(redis, "b").get(b"one", "name") == b"heard"
    sharing(redis, "c").put(b"one", b"anew", "name")

    assert sharing(redis, "b").get(b"one", "name") == b"heard"
    assert sharing(redis, "d").get(b"one", "name") == b"anew"

    redis.delete(keys.segment("name"))
    assert sharing(redis, "b").get(b"one", "name") == b"heard"
    assert sharing(redis, "e").get(b"one", "name") is None


async def test_the_longest_unused_segment_is_evicted(redis: Redis) -> None:
    cache = sharing(redis, "a")
    for name in ("one", "two", "three"):
        cache.put(name.encode(), bytes(30), name)
    assert sharing(redis, "b").get(b"one", "one") == bytes(30)

    cache.put(b"four", bytes(40), "four")

    assert shared(redis) == {"one": 30, "three": 30, "four": 40}
    assert cache.get(b"two", "two") == bytes(30)
    assert sharing(redis, "c").get(b"two", "two") is None


async def test_a_segment_larger_than_the_budget_evicts_nothing(redis: Redis) -> None:
    cache = sharing(redis, "a")
    cache.put(b"one", bytes(60), "one")

    assert cache.put(b"two", bytes(BUDGET + 1), "two")

    assert shared(redis) == {"one": 60}


async def test_without_a_budget_nothing_is_shared_nor_found(redis: Redis) -> None:
    sharing(redis, "a").put(b"one", bytes(60), "one")
    none = sharing(redis, "b", segment_bytes=0)

    assert none.get(b"one", "one") is None
    assert none.put(b"two", bytes(60), "two")

    assert shared(redis) == {"one": 60}


async def test_a_segment_beyond_the_budget_of_tasks_is_still_shared(redis: Redis) -> None:
    assert not sharing(redis, "a", task_bytes=0).put(b"one", bytes(60), "one")

    assert sharing(redis, "b", task_bytes=0).get(b"one", "one") == bytes(60)
    assert account(redis) == {}


async def test_a_segment_of_a_job_is_evicted_before_earlier_segments_of_listeners(redis: Redis) -> None:
    sharing(redis, "a").put(b"one", bytes(60), "one")
    job = sharing(redis, "job", is_listened=False)
    job.put(b"two", bytes(40), "two")
    job.put(b"three", bytes(40), "three")
    assert shared(redis) == {"one": 60, "three": 40}

    assert sharing(redis, "b").get(b"three", "three") == bytes(40)
    assert job.get(b"one", "one") == bytes(60)
    job.put(b"four", bytes(40), "four")

    assert shared(redis) == {"one": 60, "three": 40}


async def test_a_segment_that_is_not_requested_expires_and_a_requested_one_does_not(redis: Redis) -> None:
    cache = sharing(redis, "a")
    for name in ("one", "two", "three"):
        cache.put(name.encode(), bytes(10), name)
    assert 0 < redis.ttl(keys.segment("one")) <= 60
    for name in ("one", "two"):
        redis.expire(keys.segment(name), 5)
        redis.zincrby(keys.SEGMENTS, -61, name)
    redis.delete(keys.segment("one"))

    assert sharing(redis, "b").get(b"one", "one") is None
    assert sharing(redis, "b").get(b"two", "two") == bytes(10)
    cache.put(b"four", bytes(10), "four")

    assert redis.ttl(keys.segment("two")) > 5
    assert shared(redis) == {"two": 10, "three": 10, "four": 10}


async def test_a_segment_that_redis_itself_evicted_is_cached_again(redis: Redis) -> None:
    cache = sharing(redis, "a")
    cache.put(b"one", bytes(10), "one")
    redis.delete(keys.segment("one"))

    cache.put(b"one", bytes(10), "one")

    assert shared(redis) == {"one": 10}
    assert sharing(redis, "b").get(b"one", "one") == bytes(10)


async def test_a_segment_found_for_an_attempt_that_is_over_is_not_cached_for_it(
    redis: Redis, lease: Lease, worker: WorkerRegistry
) -> None:
    sharing(redis, "b").put(b"one", bytes(10), "one")
    cache = sharing(redis, attempt=lease.attempt.token)
    worker.finish(lease, REPORT)

    assert cache.get(b"one", "one") == bytes(10)
    assert not cache.put(b"two", bytes(10), "two")

    assert account(redis) == {"b": 10, TOTAL: 10}
    assert shared(redis) == {"one": 10, "two": 10}
