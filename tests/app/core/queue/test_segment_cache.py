"""Kept segments: found again by whoever goes on, within one budget, and gone with their order; and by others that have them."""

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import QueueFull
from app.core.queue.fleet import WorkerCard, announce
from app.core.queue.registry import Claim, Ledger, Report, WorkerLedger
from app.core.queue.segment_cache import TOTAL, Budget, KeptSegments, sweep_kept
from app.core.storage import keys
from tests import replies

pytestmark = pytest.mark.anyio

BUDGET = 100
REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=0)


def kept_of(redis: Redis, name: str = "a", *, budget_bytes: int = BUDGET, take: str = "") -> KeptSegments:
    return KeptSegments(redis, name, budget=Budget(order_bytes=budget_bytes), take=take)


def sharing(
    redis: Redis,
    name: str = "a",
    *,
    segment_bytes: int = BUDGET,
    segment_ttl: int = 60,
    take: str = "",
    is_listened: bool = True,
    order_bytes: int = 1000,
) -> KeptSegments:
    """An order whose segments are kept for others too."""
    budget = Budget(order_bytes=order_bytes, segment_bytes=segment_bytes, segment_ttl=segment_ttl)
    return KeptSegments(redis, name, budget=budget, take=take, is_listened=is_listened)


def shared(redis: Redis) -> dict[str, int]:
    """The account of what is kept for others; what it names is there, and nothing else is."""
    sizes = {name: int(n_bytes) for name, n_bytes in replies.fields(redis, keys.SEGMENT_SIZES).items()}
    names = set(replies.members(redis, keys.SEGMENTS))
    assert names == sizes.keys() - {TOTAL}
    assert set(replies.key_names(redis, keys.segment("*"))) == {keys.segment(name) for name in names}
    assert sizes.pop(TOTAL, 0) == sum(sizes.values())
    return sizes


def account(redis: Redis) -> dict[str, int]:
    return {name: int(n_bytes) for name, n_bytes in replies.fields(redis, keys.KEPT).items()}


@pytest.fixture
def ledger(aredis: AsyncRedis) -> Ledger:
    return Ledger(aredis, api="api", cache_ttl=60, cache_bytes=BUDGET, queued_ttl=60, stream_bytes=BUDGET)


@pytest.fixture
def worker(redis: Redis) -> WorkerLedger:
    announce(redis, WorkerCard(name="w", engines=("tone",)), 60, takes_work=True)
    return WorkerLedger(redis, worker="w", cache_ttl=60, cache_bytes=BUDGET)


@pytest.fixture
async def claim(ledger: Ledger, worker: WorkerLedger) -> Claim:
    await ledger.attach("a")
    claim = worker.claim("a")
    assert claim is not None
    return claim


async def test_what_is_kept_is_found_by_another_and_by_nobody_else(redis: Redis) -> None:
    first = kept_of(redis)
    assert first.find(b"one") is None

    assert first.keep(b"one", b"\x00\xff\r\n")
    assert first.keep(b"empty", b"")

    for kept in (first, kept_of(redis)):
        assert kept.find(b"one") == b"\x00\xff\r\n"
        assert kept.find(b"empty") == b""
        assert kept.find(b"two") is None
    assert kept_of(redis, "b").find(b"one") is None


async def test_all_orders_share_one_budget_and_what_is_beyond_it_is_not_kept(redis: Redis) -> None:
    first, second = kept_of(redis, "a"), kept_of(redis, "b")

    assert first.keep(b"one", bytes(60))
    assert not second.keep(b"two", bytes(41))
    assert second.keep(b"three", bytes(40))
    assert not first.keep(b"four", bytes(1))

    assert second.find(b"two") is None
    assert account(redis) == {"a": 60, "b": 40, TOTAL: 100}


async def test_a_segment_that_is_kept_twice_counts_once(redis: Redis) -> None:
    kept = kept_of(redis)

    assert kept.keep(b"one", bytes(60))
    assert kept.keep(b"one", bytes(60))

    assert account(redis) == {"a": 60, TOTAL: 60}


async def test_what_is_dropped_makes_room(redis: Redis) -> None:
    first, second = kept_of(redis, "a"), kept_of(redis, "b")
    first.keep(b"one", bytes(60))
    first.keep(b"two", bytes(40))

    first.drop()
    first.drop()

    assert first.find(b"one") is None
    assert account(redis) == {TOTAL: 0}
    assert second.keep(b"three", bytes(100))


async def test_what_is_kept_for_an_utterance_goes_when_it_is_finished(redis: Redis, claim: Claim, worker: WorkerLedger) -> None:
    kept_of(redis).keep(b"one", bytes(10))

    worker.finish(claim, REPORT)

    assert kept_of(redis).find(b"one") is None
    assert account(redis) == {TOTAL: 0}


async def test_and_when_it_is_cancelled(redis: Redis, claim: Claim, ledger: Ledger) -> None:
    kept_of(redis).keep(b"one", bytes(10))

    assert await ledger.detach(claim.take)

    assert kept_of(redis).find(b"one") is None
    assert account(redis) == {TOTAL: 0}


async def test_after_a_failure_it_is_there_for_a_while(
    redis: Redis, claim: Claim, ledger: Ledger, worker: WorkerLedger
) -> None:
    kept_of(redis).keep(b"one", bytes(10))

    worker.fail(claim, QueueFull("Full."))
    await ledger.attach("a")

    assert kept_of(redis).find(b"one") == bytes(10)
    assert 0 < redis.ttl(keys.kept("a")) <= 60


@pytest.mark.parametrize("is_finished", [True, False])
async def test_what_an_engine_ends_when_its_take_is_over_is_not_kept(
    is_finished: bool, redis: Redis, claim: Claim, ledger: Ledger, worker: WorkerLedger
) -> None:
    """Nobody would drop it: the budget would be spent on what nobody wants."""
    kept = kept_of(redis, take=claim.take.token)
    assert kept.keep(b"one", bytes(10))

    if is_finished:
        worker.finish(claim, REPORT)
    else:
        await ledger.detach(claim.take)

    assert not kept.keep(b"two", bytes(10))
    assert not redis.exists(keys.kept("a"))
    assert account(redis) == {TOTAL: 0}


async def test_what_has_expired_is_swept_out_of_the_account(redis: Redis) -> None:
    kept_of(redis, "a").keep(b"one", bytes(60))
    kept_of(redis, "b").keep(b"two", bytes(30))
    redis.delete(keys.kept("a"))
    assert not kept_of(redis, "c").keep(b"three", bytes(50))

    sweep_kept(redis)

    assert account(redis) == {"b": 30, TOTAL: 30}
    assert kept_of(redis, "b").find(b"two") == bytes(30)
    assert kept_of(redis, "c").keep(b"three", bytes(50))


async def test_nothing_is_kept_for_ever(redis: Redis) -> None:
    kept_of(redis).keep(b"one", bytes(10))

    assert 0 < redis.ttl(keys.kept("a")) <= 7200


async def test_what_one_order_has_spoken_another_finds_by_its_name_though_the_first_has_ended(redis: Redis) -> None:
    first, second = sharing(redis, "a"), sharing(redis, "b")
    assert first.keep(b"one", bytes(60), "name")
    first.drop()

    assert second.find(b"other", "other name") is None
    assert second.find(b"one") is None
    assert second.find(b"one", "name") == bytes(60)

    assert account(redis) == {"b": 60, TOTAL: 60}
    assert shared(redis) == {"name": 60}


async def test_what_another_order_has_spoken_is_kept_for_whoever_goes_on_with_this_one(redis: Redis) -> None:
    """What was heard is what is joined, whatever has been forgotten or spoken anew meanwhile."""
    sharing(redis, "a").keep(b"one", b"heard", "name")
    assert sharing(redis, "b").find(b"one", "name") == b"heard"
    sharing(redis, "c").keep(b"one", b"anew", "name")

    assert sharing(redis, "b").find(b"one", "name") == b"heard"
    assert sharing(redis, "d").find(b"one", "name") == b"anew"

    redis.delete(keys.segment("name"))
    assert sharing(redis, "b").find(b"one", "name") == b"heard"
    assert sharing(redis, "e").find(b"one", "name") is None


async def test_the_longest_unused_makes_room(redis: Redis) -> None:
    kept = sharing(redis, "a")
    for name in ("one", "two", "three"):
        kept.keep(name.encode(), bytes(30), name)
    assert sharing(redis, "b").find(b"one", "one") == bytes(30)

    kept.keep(b"four", bytes(40), "four")

    assert shared(redis) == {"one": 30, "three": 30, "four": 40}
    assert kept.find(b"two", "two") == bytes(30)
    assert sharing(redis, "c").find(b"two", "two") is None


async def test_what_is_larger_than_all_the_room_there_is_drives_nothing_out(redis: Redis) -> None:
    kept = sharing(redis, "a")
    kept.keep(b"one", bytes(60), "one")

    assert kept.keep(b"two", bytes(BUDGET + 1), "two")

    assert shared(redis) == {"one": 60}


async def test_without_room_nothing_is_kept_for_others_nor_found(redis: Redis) -> None:
    sharing(redis, "a").keep(b"one", bytes(60), "one")
    none = sharing(redis, "b", segment_bytes=0)

    assert none.find(b"one", "one") is None
    assert none.keep(b"two", bytes(60), "two")

    assert shared(redis) == {"one": 60}


async def test_when_no_more_is_kept_for_orders_others_find_it_all_the_same(redis: Redis) -> None:
    assert not sharing(redis, "a", order_bytes=0).keep(b"one", bytes(60), "one")

    assert sharing(redis, "b", order_bytes=0).find(b"one", "one") == bytes(60)
    assert account(redis) == {}


async def test_a_segment_of_a_job_makes_room_before_what_listeners_asked_for_earlier(redis: Redis) -> None:
    sharing(redis, "a").keep(b"one", bytes(60), "one")
    job = sharing(redis, "job", is_listened=False)
    job.keep(b"two", bytes(40), "two")
    job.keep(b"three", bytes(40), "three")
    assert shared(redis) == {"one": 60, "three": 40}

    assert sharing(redis, "b").find(b"three", "three") == bytes(40)
    assert job.find(b"one", "one") == bytes(60)
    job.keep(b"four", bytes(40), "four")

    assert shared(redis) == {"one": 60, "three": 40}


async def test_what_nobody_asks_for_is_forgotten_and_what_somebody_does_is_not(redis: Redis) -> None:
    kept = sharing(redis, "a")
    for name in ("one", "two", "three"):
        kept.keep(name.encode(), bytes(10), name)
    assert 0 < redis.ttl(keys.segment("one")) <= 60
    for name in ("one", "two"):
        redis.expire(keys.segment(name), 5)
        redis.zincrby(keys.SEGMENTS, -61, name)
    redis.delete(keys.segment("one"))

    assert sharing(redis, "b").find(b"one", "one") is None
    assert sharing(redis, "b").find(b"two", "two") == bytes(10)
    kept.keep(b"four", bytes(10), "four")

    assert redis.ttl(keys.segment("two")) > 5
    assert shared(redis) == {"two": 10, "three": 10, "four": 10}


async def test_what_redis_has_made_room_of_by_itself_is_kept_again(redis: Redis) -> None:
    kept = sharing(redis, "a")
    kept.keep(b"one", bytes(10), "one")
    redis.delete(keys.segment("one"))

    kept.keep(b"one", bytes(10), "one")

    assert shared(redis) == {"one": 10}
    assert sharing(redis, "b").find(b"one", "one") == bytes(10)


async def test_what_is_found_for_a_take_that_is_over_is_not_kept_for_it(
    redis: Redis, claim: Claim, worker: WorkerLedger
) -> None:
    sharing(redis, "b").keep(b"one", bytes(10), "one")
    kept = sharing(redis, take=claim.take.token)
    worker.finish(claim, REPORT)

    assert kept.find(b"one", "one") == bytes(10)
    assert not kept.keep(b"two", bytes(10), "two")

    assert account(redis) == {"b": 10, TOTAL: 10}
    assert shared(redis) == {"one": 10, "two": 10}
