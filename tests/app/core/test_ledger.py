"""The ledger: who is counted in, who is let go, and what is kept, with a real Valkey."""

import asyncio

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core import keys
from app.core.chunks import Bell, ChunkReader
from app.core.errors import QueueFull
from app.core.fleet import WorkerCard, announce
from app.core.ledger import Found, Ledger, Report, Take, WorkerLedger

pytestmark = pytest.mark.anyio

REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=10)
BUDGET = 100


@pytest.fixture
def ledger(aredis: AsyncRedis) -> Ledger:
    return Ledger(aredis, cache_ttl=60, queued_ttl=60)


@pytest.fixture
def worker(redis: Redis) -> WorkerLedger:
    announce(redis, WorkerCard(name="w", engines=("tone",)), 60, takes_work=True)
    return WorkerLedger(redis, worker="w", cache_ttl=60, cache_bytes=BUDGET)


async def finished(ledger: Ledger, worker: WorkerLedger, utterance_id: str, *, n_bytes: int = 10, leave: bool = True) -> Take:
    _, take = await ledger.attach(utterance_id)
    assert worker.claim(utterance_id) == take
    worker.ending(take)
    assert worker.finish(take, msgspec.structs.replace(REPORT, n_bytes=n_bytes))
    if leave:
        await ledger.detach(take)
    return take


def cached(redis: Redis) -> set[str]:
    return {name.decode() for name in redis.zrange(keys.CACHE, 0, -1)}


def sizes(redis: Redis) -> dict[str, int]:
    return {name.decode(): int(size) for name, size in redis.hgetall(keys.CACHE_SIZES).items()}


def asked_for_at(redis: Redis, utterance_id: str, seconds_ago: int) -> None:
    now = redis.time()[0]
    redis.zadd(keys.CACHE, {utterance_id: now - seconds_ago}, xx=True)


async def test_the_first_is_a_miss_the_second_joins_and_after_the_end_it_is_a_hit(ledger: Ledger, worker: WorkerLedger) -> None:
    first = await ledger.attach("a")
    second = await ledger.attach("a")
    take = worker.claim("a")
    third = await ledger.attach("a")
    assert take is not None
    worker.finish(take, REPORT)
    fourth = await ledger.attach("a")

    assert [found for found, _ in (first, second, third, fourth)] == [Found.MISS, Found.JOIN, Found.JOIN, Found.HIT]
    assert {found_take for _, found_take in (first, second, third, fourth)} == {take}


async def test_other_utterances_are_other_misses(ledger: Ledger) -> None:
    assert (await ledger.attach("a"))[0] is Found.MISS
    assert (await ledger.attach("b"))[0] is Found.MISS


async def test_fifty_at_once_are_one_miss_and_one_take(ledger: Ledger) -> None:
    answers = await asyncio.gather(*(ledger.attach("a") for _ in range(50)))

    assert sorted(found for found, _ in answers) == [Found.JOIN] * 49 + [Found.MISS]
    assert len({take for _, take in answers}) == 1


async def test_the_last_to_leave_cancels(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await ledger.attach("a")
    worker.claim("a")
    with redis.pubsub(ignore_subscribe_messages=True) as gone:
        gone.subscribe(keys.GONE)
        gone.get_message(timeout=5)

        cancelled = await ledger.detach(take)

        message = gone.get_message(timeout=5)
    assert cancelled
    assert message is not None
    assert message["data"].decode() == f"a:{take.token}"
    assert not redis.exists(keys.utterance("a"), take.stream)


async def test_what_is_still_queued_is_cancelled_too_and_claimed_by_nobody(ledger: Ledger, worker: WorkerLedger) -> None:
    _, take = await ledger.attach("a")

    assert await ledger.detach(take)

    assert worker.claim("a") is None


async def test_one_of_two_who_leaves_cancels_nothing(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await ledger.attach("a")
    await ledger.attach("a")
    worker.claim("a")

    assert not await ledger.detach(take)
    assert redis.exists(keys.utterance("a"), take.stream) == 2

    assert await ledger.detach(take)


async def test_what_is_nearly_done_is_finished_though_all_leave(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await ledger.attach("a")
    worker.claim("a")
    worker.ending(take)

    cancelled = await ledger.detach(take)

    assert not cancelled
    assert redis.exists(take.stream)
    assert worker.finish(take, REPORT)
    assert (await ledger.attach("a"))[0] is Found.HIT


async def test_leaving_what_is_finished_keeps_it(ledger: Ledger, worker: WorkerLedger) -> None:
    await finished(ledger, worker, "a")

    assert (await ledger.attach("a"))[0] is Found.HIT


async def test_a_reader_of_an_old_take_does_not_count_in_the_new_one(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    _, old = await ledger.attach("a")
    await ledger.attach("a")
    await ledger.fail(old, QueueFull("Full."))
    found, new = await ledger.attach("a")

    late = [await ledger.detach(old), await ledger.detach(old)]

    assert found is Found.MISS
    assert late == [False, False]
    assert worker.claim("a") == new
    assert redis.hget(keys.utterance("a"), "readers") == b"1"


async def test_after_a_failure_asking_again_begins_another_take(ledger: Ledger, worker: WorkerLedger) -> None:
    _, first = await ledger.attach("a")
    worker.claim("a")
    worker.fail(first, QueueFull("Full."))

    found, second = await ledger.attach("a")

    assert found is Found.MISS
    assert second.token != first.token
    assert second.stream != first.stream


@pytest.mark.parametrize("by", ["api", "worker"])
async def test_a_failure_reaches_those_who_read(by: str, ledger: Ledger, worker: WorkerLedger, aredis: AsyncRedis) -> None:
    _, take = await ledger.attach("a")
    if by == "worker":
        worker.claim("a")
        worker.fail(take, QueueFull("Full."))
    else:
        await ledger.fail(take, QueueFull("Full."))

    with pytest.raises(QueueFull, match="Full"):
        await anext(aiter(ChunkReader(aredis, Bell(aredis), take)))


async def test_it_is_claimed_once(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await ledger.attach("a")
    other = WorkerLedger(redis, worker="other", cache_ttl=60, cache_bytes=BUDGET)

    assert worker.claim("a") == take
    assert other.claim("a") is None
    assert worker.claim("a") is None
    assert redis.hget(keys.utterance("a"), "worker") == b"w"


async def test_what_nobody_asked_for_or_is_finished_cannot_be_claimed(ledger: Ledger, worker: WorkerLedger) -> None:
    await finished(ledger, worker, "a")

    assert worker.claim("a") is None
    assert worker.claim("unknown") is None


async def test_the_end_of_a_cancelled_take_changes_nothing(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, cancelled = await ledger.attach("a")
    worker.claim("a")
    await ledger.detach(cancelled)
    _, current = await ledger.attach("a")
    before = redis.hgetall(keys.utterance("a"))

    worker.ending(cancelled)
    worker.fail(cancelled, QueueFull("Full."))
    kept = worker.finish(cancelled, REPORT)

    assert not kept
    assert redis.hgetall(keys.utterance("a")) == before
    assert not redis.exists(cancelled.stream)
    assert cached(redis) == set()
    assert worker.claim("a") == current


async def test_the_budget_evicts_what_was_unused_longest(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    takes = {name: await finished(ledger, worker, name, n_bytes=40) for name in ("old", "older")}
    asked_for_at(redis, "old", 20)
    asked_for_at(redis, "older", 30)

    await finished(ledger, worker, "new", n_bytes=40)

    assert cached(redis) == {"old", "new"}
    assert not redis.exists(keys.utterance("older"), takes["older"].stream)
    assert redis.exists(keys.utterance("old"), takes["old"].stream) == 2
    assert (await ledger.attach("older"))[0] is Found.MISS


async def test_asking_again_makes_it_young(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    for name, age in (("a", 30), ("b", 20)):
        await finished(ledger, worker, name, n_bytes=40)
        asked_for_at(redis, name, age)

    _, take = await ledger.attach("a")
    await ledger.detach(take)
    await finished(ledger, worker, "c", n_bytes=40)

    assert cached(redis) == {"a", "c"}


async def test_what_is_being_read_is_never_evicted(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    read = await finished(ledger, worker, "read", n_bytes=40, leave=False)
    await finished(ledger, worker, "unread", n_bytes=40)
    asked_for_at(redis, "read", 30)
    asked_for_at(redis, "unread", 20)

    await finished(ledger, worker, "new", n_bytes=40)

    assert cached(redis) == {"read", "new"}
    assert redis.exists(read.stream)


async def test_what_is_larger_than_the_budget_is_kept_while_it_is_read(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    large = await finished(ledger, worker, "large", n_bytes=BUDGET + 1, leave=False)
    assert redis.exists(large.stream)

    await ledger.detach(large)
    await finished(ledger, worker, "small")

    assert cached(redis) == {"small"}


async def test_the_total_is_the_sum_of_the_sizes(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    for number, n_bytes in enumerate([10, 50, 30, 60, 20, 90]):
        await finished(ledger, worker, str(number), n_bytes=n_bytes, leave=number != 1)
        asked_for_at(redis, str(number), 30 - number)

        held = sizes(redis)
        total = held.pop("total")
        assert total == sum(held.values())
        assert set(held) == cached(redis)


async def test_a_second_take_is_counted_in_place_of_the_first(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, "a", n_bytes=10)
    redis.delete(take.stream)

    await finished(ledger, worker, "a", n_bytes=30)

    assert sizes(redis) == {"a": 30, "total": 30}


async def test_what_expired_is_no_longer_counted(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, "expired", n_bytes=40)
    asked_for_at(redis, "expired", 61)
    redis.delete(keys.utterance("expired"), take.stream)

    await finished(ledger, worker, "new", n_bytes=30)

    assert sizes(redis) == {"new": 30, "total": 30}


async def test_a_record_whose_audio_is_gone_is_a_miss(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, "a")
    redis.delete(take.stream)

    assert (await ledger.attach("a"))[0] is Found.MISS


async def test_a_hit_prolongs_the_life_of_record_and_audio(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, "a")
    for name in (keys.utterance("a"), take.stream):
        redis.expire(name, 5)

    await ledger.attach("a")

    assert redis.ttl(keys.utterance("a")) > 5
    assert redis.ttl(take.stream) > 5


async def test_everything_but_the_cache_s_books_is_forgotten_some_day(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    await ledger.attach("queued")
    await ledger.attach("speaking")
    worker.claim("speaking")
    await finished(ledger, worker, "finished")
    _, failed = await ledger.attach("failed")
    worker.claim("failed")
    worker.fail(failed, QueueFull("Full."))
    _, never_begun = await ledger.attach("never begun")
    await ledger.fail(never_begun, QueueFull("Full."))

    immortal = {name.decode() for name in redis.scan_iter("koe:*") if redis.ttl(name) < 0}

    assert immortal == {keys.CACHE, keys.CACHE_SIZES, keys.WORKERS}
