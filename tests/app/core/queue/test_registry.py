"""The registry: readers, cancellation, leases, and the cache of finished audio, with a real Valkey."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import Cancelled, QueueFull
from app.core.queue.audio_stream import ChunkWriter
from app.core.queue.fleet import Capacity, Registration, announce
from app.core.queue.registry import (
    MAX_DEATHS,
    MAX_WITHOUT_PROGRESS,
    Attempt,
    Found,
    Lease,
    Registry,
    Report,
    State,
    WorkerRegistry,
)
from app.core.queue.segment_cache import Budget, SegmentCache
from app.core.storage import keys
from tests import replies

pytestmark = pytest.mark.anyio

REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=10)
BUDGET = 100
STREAM_BYTES = 1000

MakeWorker = Callable[[str], WorkerRegistry]


def registry_of(aredis: AsyncRedis, api: str) -> Registry:
    return Registry(aredis, api=api, cache_ttl=60, cache_bytes=BUDGET, queued_ttl=60, stream_bytes=STREAM_BYTES)


@pytest.fixture
def registry(aredis: AsyncRedis) -> Registry:
    return registry_of(aredis, "api")


@pytest.fixture
def a_worker(redis: Redis) -> MakeWorker:
    def make(name: str) -> WorkerRegistry:
        announce(redis, Registration(name=name, engines=("tone",)), 60, takes_work=True)
        return WorkerRegistry(redis, worker=name, cache_ttl=60, cache_bytes=BUDGET)

    return make


@pytest.fixture
def worker(a_worker: MakeWorker) -> WorkerRegistry:
    return a_worker("w")


def die(redis: Redis, worker: str = "w") -> None:
    """Deletes the worker's registration, as other workers see it after a death."""
    redis.delete(keys.worker(worker))


async def attached(registry: Registry, utterance_id: str = "a") -> tuple[Found, Attempt]:
    found = await registry.attach(utterance_id)
    assert found is not None
    return found


def leased(worker: WorkerRegistry, utterance_id: str = "a") -> Lease:
    lease = worker.lease(utterance_id)
    assert lease is not None
    return lease


def write(redis: Redis, lease: Lease, data: bytes) -> ChunkWriter:
    writer = ChunkWriter(redis, lease, patience_seconds=0)
    writer.write(data)
    return writer


async def finished(
    registry: Registry, worker: WorkerRegistry, redis: Redis, utterance_id: str = "a", *, n_bytes: int = 10, leave: bool = True
) -> Attempt:
    _, attempt = await attached(registry, utterance_id)
    lease = leased(worker, utterance_id)
    assert lease.attempt == attempt
    write(redis, lease, bytes(n_bytes))
    worker.ending(lease)
    assert worker.finish(lease, msgspec.structs.replace(REPORT, n_bytes=n_bytes)) == 0
    if leave:
        await registry.detach(attempt)
    return attempt


def record(redis: Redis, utterance_id: str = "a") -> dict[str, str]:
    return replies.fields(redis, keys.utterance(utterance_id))


def n_readers(redis: Redis, utterance_id: str = "a") -> int:
    return sum(int(n) for name, n in record(redis, utterance_id).items() if name.startswith("readers:"))


def cached(redis: Redis) -> set[str]:
    return set(replies.members(redis, keys.CACHE))


def sizes(redis: Redis) -> dict[str, int]:
    return {name: int(size) for name, size in replies.fields(redis, keys.CACHE_SIZES).items()}


def asked_for_at(redis: Redis, utterance_id: str, seconds_ago: int) -> None:
    now = redis.time()[0]
    redis.zadd(keys.CACHE, {utterance_id: now - seconds_ago}, xx=True)


async def test_the_first_is_a_miss_the_second_joins_and_after_the_end_it_is_a_hit(
    registry: Registry, worker: WorkerRegistry
) -> None:
    first = await attached(registry)
    second = await attached(registry)
    lease = leased(worker)
    third = await attached(registry)
    worker.finish(lease, REPORT)
    fourth = await attached(registry)

    assert [found for found, _ in (first, second, third, fourth)] == [Found.MISS, Found.JOIN, Found.JOIN, Found.HIT]
    assert {attempt for _, attempt in (first, second, third, fourth)} == {lease.attempt}


async def test_other_utterances_are_other_misses(registry: Registry) -> None:
    assert (await attached(registry, "a"))[0] is Found.MISS
    assert (await attached(registry, "b"))[0] is Found.MISS


async def test_fifty_at_once_are_one_miss_and_one_attempt(registry: Registry) -> None:
    answers = await asyncio.gather(*(attached(registry) for _ in range(50)))

    assert sorted(found for found, _ in answers) == [Found.JOIN] * 49 + [Found.MISS]
    assert len({attempt for _, attempt in answers}) == 1


async def test_the_last_reader_that_leaves_cancels(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    _, attempt = await attached(registry)
    worker.lease("a")
    SegmentCache(redis, "a", budget=Budget(task_bytes=BUDGET)).put(b"digest", b"pcm")
    with redis.pubsub(ignore_subscribe_messages=True) as cancellations:
        cancellations.subscribe(keys.CANCELLED)
        cancellations.get_message(timeout=5)

        cancelled = await registry.detach(attempt)

        message = cancellations.get_message(timeout=5)
    assert cancelled
    assert message is not None
    assert message["data"].decode() == f"a:{attempt.token}"
    assert not redis.exists(*attempt.both, keys.cached_segments("a"))


async def test_a_queued_utterance_is_cancelled_too_and_leased_by_no_worker(registry: Registry, worker: WorkerRegistry) -> None:
    _, attempt = await attached(registry)

    assert await registry.detach(attempt)

    assert worker.lease("a") is None


async def test_one_of_two_readers_that_leaves_cancels_nothing(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    _, attempt = await attached(registry)
    await attached(registry)
    worker.lease("a")

    assert not await registry.detach(attempt)
    assert redis.exists(*attempt.both) == 2

    assert await registry.detach(attempt)


async def test_an_utterance_that_is_nearly_finished_is_finished_though_all_readers_leave(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    _, attempt = await attached(registry)
    lease = leased(worker)
    worker.ending(lease)

    cancelled = await registry.detach(attempt)

    assert not cancelled
    assert redis.exists(attempt.stream)
    assert worker.finish(lease, REPORT) is not None
    assert (await attached(registry))[0] is Found.HIT


async def test_a_reader_that_leaves_a_finished_utterance_does_not_delete_it(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    await finished(registry, worker, redis)

    assert (await attached(registry))[0] is Found.HIT


async def test_a_reader_of_an_old_attempt_does_not_count_in_the_new_one(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    _, old = await attached(registry)
    await attached(registry)
    await registry.fail(old, QueueFull("Full."))
    found, new = await attached(registry)

    late = [await registry.detach(old), await registry.detach(old)]

    assert found is Found.MISS
    assert late == [False, False]
    assert leased(worker).attempt == new
    assert n_readers(redis) == 1


async def test_after_a_failure_asking_again_begins_another_attempt(registry: Registry, worker: WorkerRegistry) -> None:
    _, first = await attached(registry)
    worker.fail(leased(worker), QueueFull("Full."))

    found, second = await attached(registry)

    assert found is Found.MISS
    assert second.token != first.token
    assert second.stream != first.stream


@pytest.mark.parametrize("by", ["api", "worker"])
async def test_a_failure_is_in_the_stream_for_its_readers(
    by: str, registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    _, attempt = await attached(registry)
    if by == "worker":
        worker.fail(leased(worker), QueueFull("Full."))
    else:
        await registry.fail(attempt, QueueFull("Full."))

    (_, last) = replies.entries(redis, attempt.stream)[-1]
    assert (last[b"kind"], last[b"code"], last[b"message"]) == (b"error", b"queue_full", b"Full.")
    assert await registry.look(attempt) is None


async def test_while_its_worker_lives_nobody_else_gets_it(
    registry: Registry, worker: WorkerRegistry, a_worker: MakeWorker, redis: Redis
) -> None:
    _, attempt = await attached(registry)

    assert leased(worker).attempt == attempt
    assert a_worker("other").lease("a") is None
    assert worker.lease("a") is None
    assert record(redis)["worker"] == "w"


async def test_when_its_worker_is_dead_another_continues_where_the_stream_ends(
    registry: Registry, worker: WorkerRegistry, a_worker: MakeWorker, redis: Redis
) -> None:
    _, attempt = await attached(registry)
    first = leased(worker)
    write(redis, first, b"0123456789")

    die(redis)
    second = leased(a_worker("other"))

    assert (first.n_bytes, first.listening_seconds, first.is_poison) == (0, 0, False)
    assert second.attempt == attempt
    assert second.number != first.number
    assert second.n_bytes == 10
    assert second.listening_seconds >= 0
    assert not second.is_poison
    assert record(redis)["worker"] == "other"


async def test_nothing_that_the_old_lease_does_counts_any_more(
    registry: Registry, worker: WorkerRegistry, a_worker: MakeWorker, redis: Redis
) -> None:
    _, attempt = await attached(registry)
    old = leased(worker)
    writer = write(redis, old, b"one")
    die(redis)
    new = leased(a_worker("other"))
    before = record(redis), redis.xlen(attempt.stream)

    with pytest.raises(Cancelled):
        writer.write(b"two")
    worker.fail(old, QueueFull("Full."))
    worker.ending(old)
    worker.risk(old, 1, is_spoken=True)

    assert worker.finish(old, REPORT) is None
    assert not worker.release(old, State.QUEUED)
    assert (record(redis), redis.xlen(attempt.stream)) == before
    assert worker.finish(new, REPORT) is not None


async def test_a_released_attempt_is_leased_again_and_the_old_lease_is_rejected(
    registry: Registry, worker: WorkerRegistry, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(registry)
    lease = leased(worker)
    writer = write(redis, lease, b"one")

    assert worker.release(lease, State.QUEUED)

    assert not worker.release(lease, State.QUEUED)
    with pytest.raises(Cancelled):
        writer.write(b"two")
    assert leased(a_worker("other")).n_bytes == 3


async def test_a_paused_utterance_is_leased_by_no_worker(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    _, attempt = await attached(registry)
    worker.release(leased(worker), State.PAUSED)

    assert worker.lease("a") is None
    look = await registry.look(attempt)
    assert look is not None
    assert look.state is State.PAUSED


async def test_a_lease_whose_answer_was_lost_is_made_again(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    await attached(registry)
    first = worker.lease("a", lease_id="one")

    again = worker.lease("a", lease_id="one")

    assert first is not None
    assert again is not None
    assert record(redis).get("takeovers") is None
    assert worker.lease("a", lease_id="two") is None
    assert worker.finish(first, REPORT) is None
    assert worker.finish(again, REPORT) is not None


async def takeovers(redis: Redis, a_worker: MakeWorker, n_times: int, *, n_at_risk: int) -> list[Lease]:
    """Lets `n_times` workers die one after the other, each with `n_at_risk` segments at risk. Returns the leases of their
    successors.
    """
    leases: list[Lease] = []
    for number in range(n_times):
        former = f"w{number}"
        worker = a_worker(former)
        if not leases:
            leases.append(leased(worker))
        worker.risk(leases[-1], -1)
        if n_at_risk:
            worker.risk(leases[-1], n_at_risk)
        die(redis, former)
        leases.append(leased(a_worker(f"w{number + 1}")))
    return leases[1:]


async def test_an_utterance_that_killed_two_workers_is_poison(registry: Registry, a_worker: MakeWorker, redis: Redis) -> None:
    await attached(registry)

    leases = await takeovers(redis, a_worker, MAX_DEATHS, n_at_risk=1)

    assert [lease.is_poison for lease in leases] == [False, True]


async def test_to_die_while_preparing_it_counts_as_well(registry: Registry, a_worker: MakeWorker, redis: Redis) -> None:
    await attached(registry)
    leases: list[Lease] = []
    for name in ("x", "y", "z"):
        leases.append(leased(a_worker(name)))
        die(redis, name)

    assert [lease.is_poison for lease in leases] == [False, False, True]


async def test_workers_that_die_while_it_only_waits_are_not_its_fault_five_in_vain_are(
    registry: Registry, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(registry)

    leases = await takeovers(redis, a_worker, MAX_WITHOUT_PROGRESS, n_at_risk=0)

    assert [lease.is_poison for lease in leases] == [False] * (MAX_WITHOUT_PROGRESS - 1) + [True]


@pytest.mark.parametrize(("n_at_risk", "n_before"), [(1, MAX_DEATHS - 1), (0, MAX_WITHOUT_PROGRESS - 1)])
async def test_a_segment_that_is_spoken_clears_it(
    n_at_risk: int, n_before: int, registry: Registry, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(registry)
    (*_, last) = await takeovers(redis, a_worker, n_before, n_at_risk=n_at_risk)
    worker = a_worker(f"w{n_before}")
    worker.risk(last, 1)
    worker.risk(last, -1, is_spoken=True)
    die(redis, f"w{n_before}")

    after = leased(a_worker("last"))

    assert not after.is_poison
    assert record(redis).get("deaths", "1") == "1"
    assert record(redis)["fruitless"] == "1"


async def test_a_worker_that_finishes_gets_the_number_of_segments_spoken_on_all_workers(
    registry: Registry, worker: WorkerRegistry, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(registry)
    first = leased(worker)
    for _ in range(2):
        worker.risk(first, -1, is_spoken=True)
    die(redis)
    second = leased(a_worker("other"))
    worker.risk(second, -1, is_spoken=True)

    assert worker.finish(second, REPORT) == 3
    assert worker.finish(second, REPORT) == 3


async def test_an_unknown_or_finished_utterance_cannot_be_leased(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    await finished(registry, worker, redis)

    assert worker.lease("a") is None
    assert worker.lease("unknown") is None


async def test_the_end_of_a_cancelled_attempt_changes_nothing(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    await attached(registry)
    cancelled = leased(worker)
    await registry.detach(cancelled.attempt)
    _, current = await attached(registry)
    before = record(redis)

    worker.ending(cancelled)
    worker.fail(cancelled, QueueFull("Full."))
    kept = worker.finish(cancelled, REPORT)

    assert kept is None
    assert record(redis) == before
    assert not redis.exists(cancelled.attempt.stream)
    assert cached(redis) == set()
    assert leased(worker).attempt == current


async def test_a_waiting_reader_sees_the_state_of_its_attempt(
    registry: Registry, worker: WorkerRegistry, aredis: AsyncRedis, redis: Redis
) -> None:
    async def look() -> tuple[State, bool, bool] | None:
        seen = await registry.look(attempt)
        return (seen.state, seen.has_worker, seen.has_submitter) if seen else None

    _, attempt = await attached(registry_of(aredis, "submitter"))
    await attached(registry)
    assert await look() == (State.QUEUED, False, True)
    redis.delete(keys.api("submitter"))
    assert await look() == (State.QUEUED, False, False)
    lease = leased(worker)
    assert await look() == (State.SPEAKING, True, False)
    die(redis)
    assert await look() == (State.SPEAKING, False, False)
    worker.finish(lease, REPORT)
    assert (await look() or [None])[0] is State.FINISHED
    redis.delete(attempt.stream)
    assert await look() is None


async def test_readers_of_an_api_that_died_do_not_keep_an_utterance_from_being_cancelled(
    registry: Registry, worker: WorkerRegistry, aredis: AsyncRedis, redis: Redis
) -> None:
    await attached(registry_of(aredis, "dead"))
    _, attempt = await attached(registry)
    worker.lease("a")
    redis.delete(keys.api("dead"))

    assert await registry.detach(attempt)


async def test_an_utterance_that_only_a_dead_api_process_read_is_abandoned(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    _, attempt = await attached(registry)
    worker.lease("a")
    SegmentCache(redis, "a", budget=Budget(task_bytes=BUDGET)).put(b"digest", b"pcm")

    assert not worker.abandon(attempt)
    redis.delete(keys.api("api"))
    assert worker.abandon(attempt)

    assert not redis.exists(*attempt.both, keys.cached_segments("a"))
    assert not worker.abandon(attempt)


async def test_an_utterance_paused_for_a_dead_api_process_is_found_and_abandoned(
    registry: Registry, worker: WorkerRegistry, aredis: AsyncRedis, redis: Redis
) -> None:
    _, lost = await attached(registry_of(aredis, "dead"), "lost")
    _, read = await attached(registry, "read")
    for attempt in (lost, read):
        worker.release(leased(worker, attempt.utterance_id), State.PAUSED)
    redis.delete(keys.api("dead"))

    assert set(worker.paused()) == {lost, read}
    assert [worker.abandon(lost), worker.abandon(read)] == [True, False]

    assert worker.paused() == [read]
    assert redis.exists(*lost.both) == 0


async def test_an_utterance_that_is_no_longer_paused_leaves_the_set_of_paused_ones_and_continues(
    registry: Registry, worker: WorkerRegistry
) -> None:
    _, attempt = await attached(registry)
    worker.release(leased(worker), State.PAUSED)
    assert await registry.read(attempt, 0, "0")

    assert not worker.abandon(attempt)

    assert worker.paused() == []
    assert leased(worker).attempt == attempt


async def test_an_utterance_that_only_a_dead_api_process_read_is_not_leased(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    _, attempt = await attached(registry)
    redis.delete(keys.api("api"))

    assert worker.lease("a") is None
    assert not redis.exists(keys.utterance("a"), attempt.stream)


async def test_an_api_that_says_that_it_lives_counts_again(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    _, attempt = await attached(registry)
    redis.delete(keys.api("api"))

    await registry.announce()

    assert leased(worker).attempt == attempt


async def test_an_utterance_that_only_a_dead_api_process_reads_may_be_evicted(
    registry: Registry, worker: WorkerRegistry, aredis: AsyncRedis, redis: Redis
) -> None:
    dead = registry_of(aredis, "dead")
    unread = await finished(dead, worker, redis, "unread", n_bytes=60, leave=False)
    read = await finished(registry, worker, redis, "read", n_bytes=30, leave=False)
    redis.delete(keys.api("dead"))

    await finished(registry, worker, redis, "new", n_bytes=60)

    assert cached(redis) == {"read", "new"}
    assert not redis.exists(*unread.both)
    assert redis.exists(*read.both) == 2


async def test_the_budget_evicts_the_longest_unused_utterance(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    attempts = {name: await finished(registry, worker, redis, name, n_bytes=40) for name in ("old", "older")}
    asked_for_at(redis, "old", 20)
    asked_for_at(redis, "older", 30)

    await finished(registry, worker, redis, "new", n_bytes=40)

    assert cached(redis) == {"old", "new"}
    assert not redis.exists(*attempts["older"].both)
    assert redis.exists(*attempts["old"].both) == 2
    assert (await attached(registry, "older"))[0] is Found.MISS


async def test_asking_again_makes_it_young(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    for name, age in (("a", 30), ("b", 20)):
        await finished(registry, worker, redis, name, n_bytes=40)
        asked_for_at(redis, name, age)

    _, attempt = await attached(registry, "a")
    await registry.detach(attempt)
    await finished(registry, worker, redis, "c", n_bytes=40)

    assert cached(redis) == {"a", "c"}


async def test_an_utterance_that_is_being_read_is_never_evicted(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    read = await finished(registry, worker, redis, "read", n_bytes=40, leave=False)
    await finished(registry, worker, redis, "unread", n_bytes=40)
    asked_for_at(redis, "read", 30)
    asked_for_at(redis, "unread", 20)

    await finished(registry, worker, redis, "new", n_bytes=40)

    assert cached(redis) == {"read", "new"}
    assert redis.exists(read.stream)


async def test_an_utterance_larger_than_the_budget_stays_while_it_is_read(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    large = await finished(registry, worker, redis, "large", n_bytes=BUDGET + 1, leave=False)
    assert redis.exists(large.stream)

    await registry.detach(large)

    assert cached(redis) == set()
    assert not redis.exists(*large.both)


async def test_the_total_is_the_sum_of_the_sizes(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    for number, n_bytes in enumerate([10, 50, 30, 60, 20, 90]):
        await finished(registry, worker, redis, str(number), n_bytes=n_bytes, leave=number != 1)
        asked_for_at(redis, str(number), 30 - number)

        held = sizes(redis)
        total = held.pop("total")
        assert total == sum(held.values())
        assert set(held) == cached(redis)


async def test_a_second_attempt_is_counted_in_place_of_the_first(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    attempt = await finished(registry, worker, redis, n_bytes=10)
    redis.delete(attempt.stream)

    await finished(registry, worker, redis, n_bytes=30)

    assert sizes(redis) == {"a": 30, "total": 30}


async def test_an_expired_utterance_is_no_longer_counted(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    attempt = await finished(registry, worker, redis, "expired", n_bytes=40)
    asked_for_at(redis, "expired", 61)
    redis.delete(*attempt.both)

    await finished(registry, worker, redis, "new", n_bytes=30)

    assert sizes(redis) == {"new": 30, "total": 30}


async def test_a_record_whose_audio_is_lost_is_a_miss(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    attempt = await finished(registry, worker, redis)
    redis.delete(attempt.stream)

    assert (await attached(registry))[0] is Found.MISS


async def test_an_attempt_whose_audio_is_lost_is_replaced_once(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    """Redis evicts audio before records when its memory is full. Each of the two readers notices the loss by itself."""
    _, lost = await attached(registry)
    await attached(registry)
    lease = leased(worker)
    redis.delete(lost.stream)

    first = await registry.attach("a", instead_of=lost)
    second = await registry.attach("a", instead_of=lost)

    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == (Found.MISS, Found.JOIN)
    assert first[1] == second[1] != lost
    assert n_readers(redis) == 2
    with pytest.raises(Cancelled):
        write(redis, lease, b"more")
    assert leased(worker).attempt == first[1]


async def test_a_hit_prolongs_the_life_of_record_and_audio(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    attempt = await finished(registry, worker, redis)
    for name in attempt.both:
        redis.expire(name, 5)

    await attached(registry)

    assert redis.ttl(keys.utterance("a")) > 5
    assert redis.ttl(attempt.stream) > 5


async def speaking_of(
    registry: Registry, worker: WorkerRegistry, redis: Redis, n_chunks: int, chunk_bytes: int
) -> tuple[Lease, list[str]]:
    """A lease with one reader and `n_chunks` chunks written, and the ids of their entries."""
    await attached(registry)
    lease = leased(worker)
    writer = ChunkWriter(redis, lease, patience_seconds=0)
    for _ in range(n_chunks):
        writer.write(bytes(chunk_bytes))
    entries = replies.entries(redis, lease.attempt.stream)
    return lease, [entry.decode() for entry, fields in entries if fields[b"kind"] == b"chunk"]


async def test_a_paused_utterance_is_to_be_submitted_again_once_half_is_read(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    lease, entries = await speaking_of(registry, worker, redis, 3, STREAM_BYTES // 2)
    worker.release(lease, State.PAUSED)

    assert not await registry.read(lease.attempt, STREAM_BYTES // 2, entries[0])
    assert worker.lease("a") is None
    assert await registry.read(lease.attempt, STREAM_BYTES, entries[1])
    assert not await registry.read(lease.attempt, STREAM_BYTES, entries[1])

    assert leased(worker).n_bytes == 3 * STREAM_BYTES // 2


async def test_audio_that_the_only_reader_has_read_of_a_long_stream_is_deleted_and_then_nobody_can_join(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    lease, entries = await speaking_of(registry, worker, redis, 4, STREAM_BYTES // 2)

    await registry.read(lease.attempt, STREAM_BYTES, entries[1])
    assert redis.xlen(lease.attempt.stream) == 5
    await registry.read(lease.attempt, 3 * STREAM_BYTES // 2, entries[2])

    assert [entry.decode() for entry, _ in replies.entries(redis, lease.attempt.stream)] == entries[2:]
    assert await registry.attach("a") is None
    assert n_readers(redis) == 1


async def test_no_audio_of_a_stream_with_two_readers_is_deleted(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    await attached(registry)
    lease, entries = await speaking_of(registry, worker, redis, 4, STREAM_BYTES // 2)

    await registry.read(lease.attempt, 2 * STREAM_BYTES, entries[3])

    assert redis.xlen(lease.attempt.stream) == 5
    assert (await attached(registry))[0] is Found.JOIN


async def test_no_audio_of_a_finished_stream_is_deleted_and_the_next_reader_gets_it_all(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    lease, entries = await speaking_of(registry, worker, redis, 4, STREAM_BYTES // 2)
    worker.finish(lease, REPORT)

    await registry.read(lease.attempt, 2 * STREAM_BYTES, entries[3])

    assert redis.xlen(lease.attempt.stream) == 6
    assert (await attached(registry))[0] is Found.HIT


async def test_a_stream_without_its_beginning_is_not_cached_once_it_is_read(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    lease, entries = await speaking_of(registry, worker, redis, 4, STREAM_BYTES // 2)
    await registry.read(lease.attempt, 3 * STREAM_BYTES // 2, entries[2])

    worker.finish(lease, REPORT)

    assert sizes(redis) == {}
    assert await registry.attach("a") is None
    assert not await registry.detach(lease.attempt)
    assert not redis.exists(*lease.attempt.both)
    assert (await attached(registry))[0] is Found.MISS


async def test_every_key_except_the_indexes_expires(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    await attached(registry, "queued")
    await attached(registry, "speaking")
    write(redis, leased(worker, "speaking"), b"one")
    SegmentCache(redis, "speaking", budget=Budget(task_bytes=BUDGET)).put(b"digest", b"pcm")
    await attached(registry, "parked")
    worker.release(leased(worker, "parked"), State.PAUSED)
    await finished(registry, worker, redis, "finished")
    await attached(registry, "failed")
    worker.fail(leased(worker, "failed"), QueueFull("Full."))
    _, never_begun = await attached(registry, "never begun")
    await registry.fail(never_begun, QueueFull("Full."))

    immortal = {name.decode() for name in redis.scan_iter("koe:*") if redis.ttl(name) < 0}

    assert immortal == {keys.CACHE, keys.CACHE_SIZES, keys.CACHED_SEGMENTS, keys.PAUSED, keys.WORKERS, keys.ANNOUNCED}


def counted(redis: Redis, event: str) -> int:
    return int(replies.fields(redis, keys.METRICS).get(event, 0))


async def test_a_takeover_is_counted_and_a_first_lease_is_not(
    registry: Registry, redis: Redis, worker: WorkerRegistry, a_worker: MakeWorker
) -> None:
    await attached(registry)
    first = leased(worker)
    assert counted(redis, "koe_takeovers_total") == 0
    die(redis)
    second = leased(a_worker("x"))

    assert counted(redis, "koe_takeovers_total") == 1
    assert first.waited_seconds is not None
    assert 0 <= first.waited_seconds < 60
    assert second.waited_seconds is None


async def test_a_preempted_attempt_waits_again(registry: Registry, redis: Redis, worker: WorkerRegistry) -> None:
    await attached(registry)
    worker.release(leased(worker), State.QUEUED)
    redis.hincrby(keys.utterance("a"), "queued", -5000)

    assert leased(worker).waited_seconds == pytest.approx(5, abs=2)


async def test_only_the_last_reader_that_leaves_cancels(registry: Registry, redis: Redis, worker: WorkerRegistry) -> None:
    _, attempt = await attached(registry)
    await attached(registry)
    leased(worker)

    await registry.detach(attempt)
    assert counted(redis, "koe_cancelled_total") == 0
    await registry.detach(attempt)
    assert counted(redis, "koe_cancelled_total") == 1

    await finished(registry, worker, redis, "b")
    assert counted(redis, "koe_cancelled_total") == 1


async def is_admitted(
    registry: Registry, utterance_id: str, n_most: int, instead_of: Attempt | None = None, owner: str = ""
) -> bool:
    try:
        await registry.attach(utterance_id, capacity=Capacity(n_most, 2.5), instead_of=instead_of, owner=owner)
    except QueueFull:
        return False
    return True


async def test_no_more_requests_wait_for_their_first_audio_than_the_capacity_allows(registry: Registry, redis: Redis) -> None:
    admitted = [await is_admitted(registry, name, 3) for name in "abcde"]

    assert admitted == [True, True, True, False, False]
    assert n_readers(redis, "d") == 0


async def test_a_refused_request_gets_a_retry_time(registry: Registry) -> None:
    for name in "abcd":
        await registry.attach(name)

    with pytest.raises(QueueFull) as refused:
        await registry.attach("e", capacity=Capacity(3, 2.5))

    assert refused.value.retry_after_seconds == 5
    assert refused.value.message == "The queue is full: 4 requests wait. Please try again in 5 s."


async def test_two_api_processes_share_one_capacity(registry: Registry, aredis: AsyncRedis) -> None:
    other = registry_of(aredis, "other")

    admitted = await asyncio.gather(*(is_admitted((registry, other)[n % 2], str(n), 10) for n in range(40)))

    assert sum(admitted) == 10


async def test_an_owner_with_many_requests_leaves_capacity_for_others(registry: Registry) -> None:
    async def n_admitted(owner: str, n_asked: int) -> int:
        return sum([await is_admitted(registry, f"{owner}-{n}", 10, owner=owner) for n in range(n_asked)])

    assert await n_admitted("many", 40) == 10
    assert await n_admitted("few", 1) == 1
    # Owners take turns: one more request of this owner comes after one more of "many".
    assert await n_admitted("some", 40) == 4
    assert not await is_admitted(registry, "many-40", 10, owner="many")


async def waiting_when_too_late(registry: Registry, attempt: Attempt, n_in_time: int | None) -> int:
    look = await registry.look(attempt, n_in_time=n_in_time)
    assert look is not None
    return look.n_waiting


async def test_a_waiting_reader_sees_that_too_many_are_before_it(
    registry: Registry, worker: WorkerRegistry, redis: Redis
) -> None:
    for name in "abc":
        await registry.attach(name)
    _, last = await attached(registry, "d")
    await registry.attach("later")

    assert [await waiting_when_too_late(registry, last, n) for n in (3, 4, None)] == [5, 0, 0]
    write(redis, leased(worker, "a"), b"sound")
    assert await waiting_when_too_late(registry, last, 3) == 0
    write(redis, leased(worker, "d"), b"sound")
    assert await waiting_when_too_late(registry, last, 0) == 0


async def test_the_only_request_of_an_owner_is_not_after_all_of_another(registry: Registry) -> None:
    many = [await registry.attach(f"many-{n}", owner="many") for n in range(10)]
    only = await registry.attach("only", owner="only")
    assert only is not None
    assert many[-1] is not None

    assert await waiting_when_too_late(registry, only[1], 2) == 0
    assert await waiting_when_too_late(registry, only[1], 1) == 11
    assert await waiting_when_too_late(registry, many[-1][1], 9) == 11
    assert await waiting_when_too_late(registry, many[-1][1], 10) == 0


async def test_a_request_that_joins_or_hits_needs_no_capacity(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    await finished(registry, worker, redis, "done")
    await registry.attach("a")

    assert [await is_admitted(registry, name, 1) for name in ("a", "done", "new")] == [True, True, False]


async def test_the_first_audio_frees_capacity(registry: Registry, worker: WorkerRegistry, redis: Redis) -> None:
    await registry.attach("a")
    lease = leased(worker)
    assert not await is_admitted(registry, "b", 1)

    write(redis, lease, b"sound")

    assert await is_admitted(registry, "b", 1)


@pytest.mark.parametrize("how", ["leaving", "a failure", "a claim that nobody waits for", "an API that died"])
async def test_any_end_of_the_waiting_frees_capacity(
    registry: Registry, worker: WorkerRegistry, redis: Redis, how: str
) -> None:
    _, attempt = await attached(registry)
    if how == "leaving":
        await registry.detach(attempt)
    elif how == "a failure":
        await registry.fail(attempt, QueueFull("Full."))
    elif how == "a claim that nobody waits for":
        redis.delete(keys.api("api"))
        assert worker.lease("a") is None
    else:
        leased(worker)
        redis.delete(keys.api("api"))
        assert worker.abandon(attempt)

    assert not redis.exists(keys.WAITING_FOR_FIRST_AUDIO)


async def test_an_utterance_that_was_lost_is_admitted_again(registry: Registry) -> None:
    _, attempt = await attached(registry)

    assert await is_admitted(registry, "a", 0, instead_of=attempt)


async def test_requests_whose_time_is_over_need_no_capacity(registry: Registry, redis: Redis) -> None:
    await registry.attach("a")
    redis.zincrby(keys.WAITING_FOR_FIRST_AUDIO, -61, "a")

    assert await is_admitted(registry, "b", 1)


async def test_an_attempt_that_a_living_worker_has_released_is_leased_by_another_though_the_record_names_the_first(
    registry: Registry, a_worker: MakeWorker, redis: Redis
) -> None:
    """A record may be in this state after a fail-over: the new primary lacks the last writes to the old one."""
    first, second = a_worker("first"), a_worker("second")
    _, attempt = await attached(registry)
    lease = leased(first)
    first.risk(lease, 1)
    seen = await registry.look(attempt)
    assert seen is not None
    assert seen.has_worker
    assert second.lease("a") is None

    announce(redis, Registration(name="first", engines=("tone",)), 60, takes_work=True, in_flight=["another attempt"])

    seen = await registry.look(attempt)
    assert seen is not None
    assert not seen.has_worker
    for _ in range(MAX_DEATHS + 1):
        again = leased(second)
        assert again.attempt == attempt
        assert not again.is_poison  # No worker has died of it.
        redis.delete(keys.in_flight("second"))
