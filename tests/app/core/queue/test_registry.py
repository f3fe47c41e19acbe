"""The ledger: who is counted in, who is let go, who holds a take, and what is kept, with a real Valkey."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import Cancelled, QueueFull
from app.core.queue.audio_stream import ChunkWriter
from app.core.queue.fleet import Room, WorkerCard, announce
from app.core.queue.registry import MOST_DEATHS, MOST_FRUITLESS, Claim, Found, Ledger, Report, State, Take, WorkerLedger
from app.core.queue.segment_cache import Budget, KeptSegments
from app.core.storage import keys
from tests import replies

pytestmark = pytest.mark.anyio

REPORT = Report(n_segments=1, n_phonemes=5, audio_seconds=0.3, n_bytes=10)
BUDGET = 100
STREAM_BYTES = 1000

MakeWorker = Callable[[str], WorkerLedger]


def ledger_of(aredis: AsyncRedis, api: str) -> Ledger:
    return Ledger(aredis, api=api, cache_ttl=60, cache_bytes=BUDGET, queued_ttl=60, stream_bytes=STREAM_BYTES)


@pytest.fixture
def ledger(aredis: AsyncRedis) -> Ledger:
    return ledger_of(aredis, "api")


@pytest.fixture
def a_worker(redis: Redis) -> MakeWorker:
    def make(name: str) -> WorkerLedger:
        announce(redis, WorkerCard(name=name, engines=("tone",)), 60, takes_work=True)
        return WorkerLedger(redis, worker=name, cache_ttl=60, cache_bytes=BUDGET)

    return make


@pytest.fixture
def worker(a_worker: MakeWorker) -> WorkerLedger:
    return a_worker("w")


def die(redis: Redis, worker: str = "w") -> None:
    """What another worker sees of it: its card is gone."""
    redis.delete(keys.worker(worker))


async def attached(ledger: Ledger, utterance_id: str = "a") -> tuple[Found, Take]:
    found = await ledger.attach(utterance_id)
    assert found is not None
    return found


def claimed(worker: WorkerLedger, utterance_id: str = "a") -> Claim:
    claim = worker.claim(utterance_id)
    assert claim is not None
    return claim


def write(redis: Redis, claim: Claim, data: bytes) -> ChunkWriter:
    writer = ChunkWriter(redis, claim, patience_seconds=0)
    writer.write(data)
    return writer


async def finished(
    ledger: Ledger, worker: WorkerLedger, redis: Redis, utterance_id: str = "a", *, n_bytes: int = 10, leave: bool = True
) -> Take:
    _, take = await attached(ledger, utterance_id)
    claim = claimed(worker, utterance_id)
    assert claim.take == take
    write(redis, claim, bytes(n_bytes))
    worker.ending(claim)
    assert worker.finish(claim, msgspec.structs.replace(REPORT, n_bytes=n_bytes)) == 0
    if leave:
        await ledger.detach(take)
    return take


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


async def test_the_first_is_a_miss_the_second_joins_and_after_the_end_it_is_a_hit(ledger: Ledger, worker: WorkerLedger) -> None:
    first = await attached(ledger)
    second = await attached(ledger)
    claim = claimed(worker)
    third = await attached(ledger)
    worker.finish(claim, REPORT)
    fourth = await attached(ledger)

    assert [found for found, _ in (first, second, third, fourth)] == [Found.MISS, Found.JOIN, Found.JOIN, Found.HIT]
    assert {take for _, take in (first, second, third, fourth)} == {claim.take}


async def test_other_utterances_are_other_misses(ledger: Ledger) -> None:
    assert (await attached(ledger, "a"))[0] is Found.MISS
    assert (await attached(ledger, "b"))[0] is Found.MISS


async def test_fifty_at_once_are_one_miss_and_one_take(ledger: Ledger) -> None:
    answers = await asyncio.gather(*(attached(ledger) for _ in range(50)))

    assert sorted(found for found, _ in answers) == [Found.JOIN] * 49 + [Found.MISS]
    assert len({take for _, take in answers}) == 1


async def test_the_last_to_leave_cancels(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await attached(ledger)
    worker.claim("a")
    KeptSegments(redis, "a", budget=Budget(order_bytes=BUDGET)).keep(b"digest", b"pcm")
    with redis.pubsub(ignore_subscribe_messages=True) as gone:
        gone.subscribe(keys.GONE)
        gone.get_message(timeout=5)

        cancelled = await ledger.detach(take)

        message = gone.get_message(timeout=5)
    assert cancelled
    assert message is not None
    assert message["data"].decode() == f"a:{take.token}"
    assert not redis.exists(*take.both, keys.kept("a"))


async def test_what_is_still_queued_is_cancelled_too_and_claimed_by_nobody(ledger: Ledger, worker: WorkerLedger) -> None:
    _, take = await attached(ledger)

    assert await ledger.detach(take)

    assert worker.claim("a") is None


async def test_one_of_two_who_leaves_cancels_nothing(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await attached(ledger)
    await attached(ledger)
    worker.claim("a")

    assert not await ledger.detach(take)
    assert redis.exists(*take.both) == 2

    assert await ledger.detach(take)


async def test_what_is_nearly_done_is_finished_though_all_leave(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await attached(ledger)
    claim = claimed(worker)
    worker.ending(claim)

    cancelled = await ledger.detach(take)

    assert not cancelled
    assert redis.exists(take.stream)
    assert worker.finish(claim, REPORT) is not None
    assert (await attached(ledger))[0] is Found.HIT


async def test_leaving_what_is_finished_keeps_it(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    await finished(ledger, worker, redis)

    assert (await attached(ledger))[0] is Found.HIT


async def test_a_reader_of_an_old_take_does_not_count_in_the_new_one(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    _, old = await attached(ledger)
    await attached(ledger)
    await ledger.fail(old, QueueFull("Full."))
    found, new = await attached(ledger)

    late = [await ledger.detach(old), await ledger.detach(old)]

    assert found is Found.MISS
    assert late == [False, False]
    assert claimed(worker).take == new
    assert n_readers(redis) == 1


async def test_after_a_failure_asking_again_begins_another_take(ledger: Ledger, worker: WorkerLedger) -> None:
    _, first = await attached(ledger)
    worker.fail(claimed(worker), QueueFull("Full."))

    found, second = await attached(ledger)

    assert found is Found.MISS
    assert second.token != first.token
    assert second.stream != first.stream


@pytest.mark.parametrize("by", ["api", "worker"])
async def test_a_failure_stands_in_the_stream_for_those_who_read(
    by: str, ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    _, take = await attached(ledger)
    if by == "worker":
        worker.fail(claimed(worker), QueueFull("Full."))
    else:
        await ledger.fail(take, QueueFull("Full."))

    (_, last) = replies.entries(redis, take.stream)[-1]
    assert (last[b"kind"], last[b"code"], last[b"message"]) == (b"error", b"queue_full", b"Full.")
    assert await ledger.look(take) is None


async def test_while_its_worker_lives_nobody_else_gets_it(
    ledger: Ledger, worker: WorkerLedger, a_worker: MakeWorker, redis: Redis
) -> None:
    _, take = await attached(ledger)

    assert claimed(worker).take == take
    assert a_worker("other").claim("a") is None
    assert worker.claim("a") is None
    assert record(redis)["worker"] == "w"


async def test_when_its_worker_is_dead_another_goes_on_where_the_stream_ends(
    ledger: Ledger, worker: WorkerLedger, a_worker: MakeWorker, redis: Redis
) -> None:
    _, take = await attached(ledger)
    first = claimed(worker)
    write(redis, first, b"0123456789")

    die(redis)
    second = claimed(a_worker("other"))

    assert (first.n_bytes, first.listening_seconds, first.is_lethal) == (0, 0, False)
    assert second.take == take
    assert second.number != first.number
    assert second.n_bytes == 10
    assert second.listening_seconds >= 0
    assert not second.is_lethal
    assert record(redis)["worker"] == "other"


async def test_nothing_that_the_old_claim_does_counts_any_more(
    ledger: Ledger, worker: WorkerLedger, a_worker: MakeWorker, redis: Redis
) -> None:
    _, take = await attached(ledger)
    old = claimed(worker)
    writer = write(redis, old, b"one")
    die(redis)
    new = claimed(a_worker("other"))
    before = record(redis), redis.xlen(take.stream)

    with pytest.raises(Cancelled):
        writer.write(b"two")
    worker.fail(old, QueueFull("Full."))
    worker.ending(old)
    worker.risk(old, 1, is_spoken=True)

    assert worker.finish(old, REPORT) is None
    assert not worker.let_go(old, State.QUEUED)
    assert (record(redis), redis.xlen(take.stream)) == before
    assert worker.finish(new, REPORT) is not None


async def test_what_a_worker_lets_go_is_claimed_anew_and_by_it_no_more(
    ledger: Ledger, worker: WorkerLedger, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(ledger)
    claim = claimed(worker)
    writer = write(redis, claim, b"one")

    assert worker.let_go(claim, State.QUEUED)

    assert not worker.let_go(claim, State.QUEUED)
    with pytest.raises(Cancelled):
        writer.write(b"two")
    assert claimed(a_worker("other")).n_bytes == 3


async def test_what_is_parked_is_claimed_by_nobody(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await attached(ledger)
    worker.let_go(claimed(worker), State.PARKED)

    assert worker.claim("a") is None
    look = await ledger.look(take)
    assert look is not None
    assert look.state is State.PARKED


async def test_a_claim_whose_answer_was_lost_is_made_again(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    await attached(ledger)
    first = worker.claim("a", attempt="one")

    again = worker.claim("a", attempt="one")

    assert first is not None
    assert again is not None
    assert record(redis).get("takeovers") is None
    assert worker.claim("a", attempt="two") is None
    assert worker.finish(first, REPORT) is None
    assert worker.finish(again, REPORT) is not None


async def takeovers(redis: Redis, a_worker: MakeWorker, n_times: int, *, n_at_risk: int) -> list[Claim]:
    """So many workers die one after the other, each while so much is at risk; the claims of those that came after them."""
    claims: list[Claim] = []
    for number in range(n_times):
        former = f"w{number}"
        worker = a_worker(former)
        if not claims:
            claims.append(claimed(worker))
        worker.risk(claims[-1], -1)
        if n_at_risk:
            worker.risk(claims[-1], n_at_risk)
        die(redis, former)
        claims.append(claimed(a_worker(f"w{number + 1}")))
    return claims[1:]


async def test_an_utterance_with_which_two_workers_died_is_lethal(ledger: Ledger, a_worker: MakeWorker, redis: Redis) -> None:
    await attached(ledger)

    claims = await takeovers(redis, a_worker, MOST_DEATHS, n_at_risk=1)

    assert [claim.is_lethal for claim in claims] == [False, True]


async def test_to_die_while_preparing_it_counts_as_well(ledger: Ledger, a_worker: MakeWorker, redis: Redis) -> None:
    await attached(ledger)
    claims: list[Claim] = []
    for name in ("x", "y", "z"):
        claims.append(claimed(a_worker(name)))
        die(redis, name)

    assert [claim.is_lethal for claim in claims] == [False, False, True]


async def test_workers_that_die_while_it_only_waits_are_not_its_fault_five_in_vain_are(
    ledger: Ledger, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(ledger)

    claims = await takeovers(redis, a_worker, MOST_FRUITLESS, n_at_risk=0)

    assert [claim.is_lethal for claim in claims] == [False] * (MOST_FRUITLESS - 1) + [True]


@pytest.mark.parametrize(("n_at_risk", "n_before"), [(1, MOST_DEATHS - 1), (0, MOST_FRUITLESS - 1)])
async def test_a_segment_that_is_spoken_clears_it(
    n_at_risk: int, n_before: int, ledger: Ledger, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(ledger)
    (*_, last) = await takeovers(redis, a_worker, n_before, n_at_risk=n_at_risk)
    worker = a_worker(f"w{n_before}")
    worker.risk(last, 1)
    worker.risk(last, -1, is_spoken=True)
    die(redis, f"w{n_before}")

    after = claimed(a_worker("last"))

    assert not after.is_lethal
    assert record(redis).get("deaths", "1") == "1"
    assert record(redis)["fruitless"] == "1"


async def test_who_finishes_is_told_how_many_segments_were_spoken_on_all_workers(
    ledger: Ledger, worker: WorkerLedger, a_worker: MakeWorker, redis: Redis
) -> None:
    await attached(ledger)
    first = claimed(worker)
    for _ in range(2):
        worker.risk(first, -1, is_spoken=True)
    die(redis)
    second = claimed(a_worker("other"))
    worker.risk(second, -1, is_spoken=True)

    assert worker.finish(second, REPORT) == 3
    assert worker.finish(second, REPORT) == 3


async def test_what_nobody_asked_for_or_is_finished_cannot_be_claimed(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    await finished(ledger, worker, redis)

    assert worker.claim("a") is None
    assert worker.claim("unknown") is None


async def test_the_end_of_a_cancelled_take_changes_nothing(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    await attached(ledger)
    cancelled = claimed(worker)
    await ledger.detach(cancelled.take)
    _, current = await attached(ledger)
    before = record(redis)

    worker.ending(cancelled)
    worker.fail(cancelled, QueueFull("Full."))
    kept = worker.finish(cancelled, REPORT)

    assert kept is None
    assert record(redis) == before
    assert not redis.exists(cancelled.take.stream)
    assert cached(redis) == set()
    assert claimed(worker).take == current


async def test_how_a_take_stands_is_seen_by_who_waits(
    ledger: Ledger, worker: WorkerLedger, aredis: AsyncRedis, redis: Redis
) -> None:
    async def look() -> tuple[State, bool, bool] | None:
        seen = await ledger.look(take)
        return (seen.state, seen.has_worker, seen.has_submitter) if seen else None

    _, take = await attached(ledger_of(aredis, "submitter"))
    await attached(ledger)
    assert await look() == (State.QUEUED, False, True)
    redis.delete(keys.api("submitter"))
    assert await look() == (State.QUEUED, False, False)
    claim = claimed(worker)
    assert await look() == (State.SPEAKING, True, False)
    die(redis)
    assert await look() == (State.SPEAKING, False, False)
    worker.finish(claim, REPORT)
    assert (await look() or [None])[0] is State.FINISHED
    redis.delete(take.stream)
    assert await look() is None


async def test_readers_of_an_api_that_died_do_not_keep_an_utterance_from_being_cancelled(
    ledger: Ledger, worker: WorkerLedger, aredis: AsyncRedis, redis: Redis
) -> None:
    await attached(ledger_of(aredis, "dead"))
    _, take = await attached(ledger)
    worker.claim("a")
    redis.delete(keys.api("dead"))

    assert await ledger.detach(take)


async def test_what_only_a_dead_api_read_is_abandoned(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await attached(ledger)
    worker.claim("a")
    KeptSegments(redis, "a", budget=Budget(order_bytes=BUDGET)).keep(b"digest", b"pcm")

    assert not worker.abandon(take)
    redis.delete(keys.api("api"))
    assert worker.abandon(take)

    assert not redis.exists(*take.both, keys.kept("a"))
    assert not worker.abandon(take)


async def test_what_is_parked_for_a_dead_api_is_found_and_abandoned(
    ledger: Ledger, worker: WorkerLedger, aredis: AsyncRedis, redis: Redis
) -> None:
    _, lost = await attached(ledger_of(aredis, "dead"), "lost")
    _, read = await attached(ledger, "read")
    for take in (lost, read):
        worker.let_go(claimed(worker, take.utterance_id), State.PARKED)
    redis.delete(keys.api("dead"))

    assert set(worker.parked()) == {lost, read}
    assert [worker.abandon(lost), worker.abandon(read)] == [True, False]

    assert worker.parked() == [read]
    assert redis.exists(*lost.both) == 0


async def test_what_is_parked_no_longer_is_taken_out_of_the_books_and_goes_on(ledger: Ledger, worker: WorkerLedger) -> None:
    _, take = await attached(ledger)
    worker.let_go(claimed(worker), State.PARKED)
    assert await ledger.read(take, 0, "0")

    assert not worker.abandon(take)

    assert worker.parked() == []
    assert claimed(worker).take == take


async def test_what_only_a_dead_api_read_is_not_claimed(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await attached(ledger)
    redis.delete(keys.api("api"))

    assert worker.claim("a") is None
    assert not redis.exists(keys.utterance("a"), take.stream)


async def test_an_api_that_says_that_it_lives_counts_again(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    _, take = await attached(ledger)
    redis.delete(keys.api("api"))

    await ledger.announce()

    assert claimed(worker).take == take


async def test_what_only_a_dead_api_reads_may_be_evicted(
    ledger: Ledger, worker: WorkerLedger, aredis: AsyncRedis, redis: Redis
) -> None:
    dead = ledger_of(aredis, "dead")
    unread = await finished(dead, worker, redis, "unread", n_bytes=60, leave=False)
    read = await finished(ledger, worker, redis, "read", n_bytes=30, leave=False)
    redis.delete(keys.api("dead"))

    await finished(ledger, worker, redis, "new", n_bytes=60)

    assert cached(redis) == {"read", "new"}
    assert not redis.exists(*unread.both)
    assert redis.exists(*read.both) == 2


async def test_the_budget_evicts_what_was_unused_longest(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    takes = {name: await finished(ledger, worker, redis, name, n_bytes=40) for name in ("old", "older")}
    asked_for_at(redis, "old", 20)
    asked_for_at(redis, "older", 30)

    await finished(ledger, worker, redis, "new", n_bytes=40)

    assert cached(redis) == {"old", "new"}
    assert not redis.exists(*takes["older"].both)
    assert redis.exists(*takes["old"].both) == 2
    assert (await attached(ledger, "older"))[0] is Found.MISS


async def test_asking_again_makes_it_young(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    for name, age in (("a", 30), ("b", 20)):
        await finished(ledger, worker, redis, name, n_bytes=40)
        asked_for_at(redis, name, age)

    _, take = await attached(ledger, "a")
    await ledger.detach(take)
    await finished(ledger, worker, redis, "c", n_bytes=40)

    assert cached(redis) == {"a", "c"}


async def test_what_is_being_read_is_never_evicted(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    read = await finished(ledger, worker, redis, "read", n_bytes=40, leave=False)
    await finished(ledger, worker, redis, "unread", n_bytes=40)
    asked_for_at(redis, "read", 30)
    asked_for_at(redis, "unread", 20)

    await finished(ledger, worker, redis, "new", n_bytes=40)

    assert cached(redis) == {"read", "new"}
    assert redis.exists(read.stream)


async def test_what_is_larger_than_the_budget_is_kept_while_it_is_read(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    large = await finished(ledger, worker, redis, "large", n_bytes=BUDGET + 1, leave=False)
    assert redis.exists(large.stream)

    await ledger.detach(large)

    assert cached(redis) == set()
    assert not redis.exists(*large.both)


async def test_the_total_is_the_sum_of_the_sizes(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    for number, n_bytes in enumerate([10, 50, 30, 60, 20, 90]):
        await finished(ledger, worker, redis, str(number), n_bytes=n_bytes, leave=number != 1)
        asked_for_at(redis, str(number), 30 - number)

        held = sizes(redis)
        total = held.pop("total")
        assert total == sum(held.values())
        assert set(held) == cached(redis)


async def test_a_second_take_is_counted_in_place_of_the_first(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, redis, n_bytes=10)
    redis.delete(take.stream)

    await finished(ledger, worker, redis, n_bytes=30)

    assert sizes(redis) == {"a": 30, "total": 30}


async def test_what_expired_is_no_longer_counted(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, redis, "expired", n_bytes=40)
    asked_for_at(redis, "expired", 61)
    redis.delete(*take.both)

    await finished(ledger, worker, redis, "new", n_bytes=30)

    assert sizes(redis) == {"new": 30, "total": 30}


async def test_a_record_whose_audio_is_gone_is_a_miss(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, redis)
    redis.delete(take.stream)

    assert (await attached(ledger))[0] is Found.MISS


async def test_a_take_whose_audio_is_lost_is_replaced_once(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    """Redis evicts audio before records when its memory is spent; each of the readers notices by itself."""
    _, lost = await attached(ledger)
    await attached(ledger)
    claim = claimed(worker)
    redis.delete(lost.stream)

    first = await ledger.attach("a", instead_of=lost)
    second = await ledger.attach("a", instead_of=lost)

    assert first is not None
    assert second is not None
    assert (first[0], second[0]) == (Found.MISS, Found.JOIN)
    assert first[1] == second[1] != lost
    assert n_readers(redis) == 2
    with pytest.raises(Cancelled):
        write(redis, claim, b"more")
    assert claimed(worker).take == first[1]


async def test_a_hit_prolongs_the_life_of_record_and_audio(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    take = await finished(ledger, worker, redis)
    for name in take.both:
        redis.expire(name, 5)

    await attached(ledger)

    assert redis.ttl(keys.utterance("a")) > 5
    assert redis.ttl(take.stream) > 5


async def speaking_of(
    ledger: Ledger, worker: WorkerLedger, redis: Redis, n_chunks: int, chunk_bytes: int
) -> tuple[Claim, list[str]]:
    """Somebody reads, and somebody has written so many chunks; the ids of their entries."""
    await attached(ledger)
    claim = claimed(worker)
    writer = ChunkWriter(redis, claim, patience_seconds=0)
    for _ in range(n_chunks):
        writer.write(bytes(chunk_bytes))
    entries = replies.entries(redis, claim.take.stream)
    return claim, [entry.decode() for entry, fields in entries if fields[b"kind"] == b"chunk"]


async def test_what_was_parked_is_to_be_submitted_again_once_half_is_read(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    claim, entries = await speaking_of(ledger, worker, redis, 3, STREAM_BYTES // 2)
    worker.let_go(claim, State.PARKED)

    assert not await ledger.read(claim.take, STREAM_BYTES // 2, entries[0])
    assert worker.claim("a") is None
    assert await ledger.read(claim.take, STREAM_BYTES, entries[1])
    assert not await ledger.read(claim.take, STREAM_BYTES, entries[1])

    assert claimed(worker).n_bytes == 3 * STREAM_BYTES // 2


async def test_what_a_single_reader_has_read_of_a_long_stream_is_let_go_and_then_nobody_can_join(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    claim, entries = await speaking_of(ledger, worker, redis, 4, STREAM_BYTES // 2)

    await ledger.read(claim.take, STREAM_BYTES, entries[1])
    assert redis.xlen(claim.take.stream) == 5
    await ledger.read(claim.take, 3 * STREAM_BYTES // 2, entries[2])

    assert [entry.decode() for entry, _ in replies.entries(redis, claim.take.stream)] == entries[2:]
    assert await ledger.attach("a") is None
    assert n_readers(redis) == 1


async def test_of_a_stream_with_two_readers_nothing_is_let_go(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    await attached(ledger)
    claim, entries = await speaking_of(ledger, worker, redis, 4, STREAM_BYTES // 2)

    await ledger.read(claim.take, 2 * STREAM_BYTES, entries[3])

    assert redis.xlen(claim.take.stream) == 5
    assert (await attached(ledger))[0] is Found.JOIN


async def test_of_what_is_finished_nothing_is_let_go_and_the_next_has_it_all(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    claim, entries = await speaking_of(ledger, worker, redis, 4, STREAM_BYTES // 2)
    worker.finish(claim, REPORT)

    await ledger.read(claim.take, 2 * STREAM_BYTES, entries[3])

    assert redis.xlen(claim.take.stream) == 6
    assert (await attached(ledger))[0] is Found.HIT


async def test_what_has_lost_its_beginning_is_not_kept_once_it_is_read(
    ledger: Ledger, worker: WorkerLedger, redis: Redis
) -> None:
    claim, entries = await speaking_of(ledger, worker, redis, 4, STREAM_BYTES // 2)
    await ledger.read(claim.take, 3 * STREAM_BYTES // 2, entries[2])

    worker.finish(claim, REPORT)

    assert sizes(redis) == {}
    assert await ledger.attach("a") is None
    assert not await ledger.detach(claim.take)
    assert not redis.exists(*claim.take.both)
    assert (await attached(ledger))[0] is Found.MISS


async def test_everything_but_the_books_is_forgotten_some_day(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    await attached(ledger, "queued")
    await attached(ledger, "speaking")
    write(redis, claimed(worker, "speaking"), b"one")
    KeptSegments(redis, "speaking", budget=Budget(order_bytes=BUDGET)).keep(b"digest", b"pcm")
    await attached(ledger, "parked")
    worker.let_go(claimed(worker, "parked"), State.PARKED)
    await finished(ledger, worker, redis, "finished")
    await attached(ledger, "failed")
    worker.fail(claimed(worker, "failed"), QueueFull("Full."))
    _, never_begun = await attached(ledger, "never begun")
    await ledger.fail(never_begun, QueueFull("Full."))

    immortal = {name.decode() for name in redis.scan_iter("koe:*") if redis.ttl(name) < 0}

    assert immortal == {keys.CACHE, keys.CACHE_SIZES, keys.KEPT, keys.PARKED, keys.WORKERS}


async def is_let_in(ledger: Ledger, utterance_id: str, n_most: int, **how: Take) -> bool:
    try:
        await ledger.attach(utterance_id, room=Room(n_most, 2.5), **how)
    except QueueFull:
        return False
    return True


async def test_no_more_wait_for_their_first_sound_than_there_is_room_for(ledger: Ledger, redis: Redis) -> None:
    let_in = [await is_let_in(ledger, name, 3) for name in "abcde"]

    assert let_in == [True, True, True, False, False]
    assert n_readers(redis, "d") == 0


async def test_who_is_refused_is_told_when_there_will_be_room(ledger: Ledger) -> None:
    for name in "abcd":
        await ledger.attach(name)

    with pytest.raises(QueueFull) as refused:
        await ledger.attach("e", room=Room(3, 2.5))

    assert refused.value.retry_after_seconds == 5
    assert refused.value.message == "The queue is full: 4 requests wait. Please try again in 5 s."


async def test_two_apis_fill_the_same_room(ledger: Ledger, aredis: AsyncRedis) -> None:
    other = ledger_of(aredis, "other")

    let_in = await asyncio.gather(*(is_let_in((ledger, other)[n % 2], str(n), 10) for n in range(40)))

    assert sum(let_in) == 10


async def test_who_joins_or_hits_needs_no_room(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    await finished(ledger, worker, redis, "done")
    await ledger.attach("a")

    assert [await is_let_in(ledger, name, 1) for name in ("a", "done", "new")] == [True, True, False]


async def test_the_first_sound_makes_room(ledger: Ledger, worker: WorkerLedger, redis: Redis) -> None:
    await ledger.attach("a")
    claim = claimed(worker)
    assert not await is_let_in(ledger, "b", 1)

    write(redis, claim, b"sound")

    assert await is_let_in(ledger, "b", 1)


@pytest.mark.parametrize("how", ["leaving", "a failure", "a claim that nobody waits for", "an API that died"])
async def test_whatever_ends_the_waiting_makes_room(ledger: Ledger, worker: WorkerLedger, redis: Redis, how: str) -> None:
    _, take = await attached(ledger)
    if how == "leaving":
        await ledger.detach(take)
    elif how == "a failure":
        await ledger.fail(take, QueueFull("Full."))
    elif how == "a claim that nobody waits for":
        redis.delete(keys.api("api"))
        assert worker.claim("a") is None
    else:
        claimed(worker)
        redis.delete(keys.api("api"))
        assert worker.abandon(take)

    assert not redis.exists(keys.UNHEARD)


async def test_what_was_lost_is_let_in_again(ledger: Ledger) -> None:
    _, take = await attached(ledger)

    assert await is_let_in(ledger, "a", 0, instead_of=take)


async def test_those_whose_time_is_over_take_no_room(ledger: Ledger, redis: Redis) -> None:
    await ledger.attach("a")
    redis.zincrby(keys.UNHEARD, -61, "a")

    assert await is_let_in(ledger, "b", 1)


async def test_what_a_living_worker_has_let_go_of_is_another_s_though_the_record_says_that_it_speaks(
    ledger: Ledger, a_worker: MakeWorker, redis: Redis
) -> None:
    """So a record may read after a fail-over: the new primary lacks the last that was written to the old one."""
    first, second = a_worker("first"), a_worker("second")
    _, take = await attached(ledger)
    claim = claimed(first)
    first.risk(claim, 1)
    seen = await ledger.look(take)
    assert seen is not None
    assert seen.has_worker
    assert second.claim("a") is None

    announce(redis, WorkerCard(name="first", engines=("tone",)), 60, takes_work=True, in_hand=["another attempt"])

    seen = await ledger.look(take)
    assert seen is not None
    assert not seen.has_worker
    for _ in range(MOST_DEATHS + 1):
        again = claimed(second)
        assert again.take == take
        assert not again.is_lethal  # Nobody has died of it.
        redis.delete(keys.hand("second"))
