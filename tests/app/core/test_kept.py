"""Kept segments: found again by whoever goes on, within one budget, and gone with their order."""

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core import keys
from app.core.errors import QueueFull
from app.core.fleet import WorkerCard, announce
from app.core.kept import TOTAL, KeptSegments, sweep_kept
from app.core.ledger import Claim, Ledger, Report, WorkerLedger

pytestmark = pytest.mark.anyio

BUDGET = 100
REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=0)


def kept_of(redis: Redis, name: str = "a", *, budget_bytes: int = BUDGET, take: str = "") -> KeptSegments:
    return KeptSegments(redis, name, budget_bytes=budget_bytes, take=take)


def account(redis: Redis) -> dict[str, int]:
    return {name.decode(): int(n_bytes) for name, n_bytes in redis.hgetall(keys.KEPT).items()}


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
