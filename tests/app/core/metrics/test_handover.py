"""Handing counts over to a real Redis: each is added once, none is lost with a worker, and none ever falls."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from redis import Redis
from redis.exceptions import ConnectionError as RedisGone

from app.core.metrics.families import Families
from app.core.metrics.handover import FleetCounts, Handover
from app.core.metrics.instruments import counter, histogram, new_registry
from app.core.storage import keys
from tests import replies

HITS = "koe_segment_hits_total"
WAIT = "koe_queue_wait_seconds"


class Worker:
    """The counts of one worker and their way to Redis."""

    def __init__(self, redis: Redis, name: str) -> None:
        self.registry: CollectorRegistry = new_registry()
        self.hits = counter(HITS, self.registry)
        self.wait = histogram(WAIT, self.registry)
        self.handover = Handover(redis, name, self.registry)


def stored(redis: Redis) -> dict[str, float]:
    return {name: float(n) for name, n in replies.fields(redis, keys.METRICS).items() if name != "since"}


def shown(redis: Redis, counts: FleetCounts | None = None) -> dict[str, float]:
    families = Families.of_redis()
    raw: dict[bytes, bytes] = redis.hgetall(keys.METRICS)  # type: ignore[assignment]
    families.add_counts((counts or FleetCounts()).update(raw))
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in families.collect()
        for sample in family.samples
    }


@pytest.fixture
def worker(redis: Redis) -> Worker:
    return Worker(redis, "one")


def test_counts_of_all_workers_are_added_up(redis: Redis, worker: Worker) -> None:
    other = Worker(redis, "two")
    worker.hits.inc(3)
    other.hits.inc(4)
    for one in (worker, other, worker):
        one.handover.hand_over()

    worker.hits.inc()
    worker.handover.hand_over()

    assert stored(redis) == {HITS: 8}


def test_a_worker_that_is_gone_takes_no_count_with_it_and_its_successor_adds_to_them(redis: Redis, worker: Worker) -> None:
    worker.hits.inc(5)
    worker.handover.hand_over()
    del worker

    successor = Worker(redis, "successor")
    successor.hits.inc()
    successor.handover.hand_over()

    assert shown(redis)[HITS] == 6


def test_a_worker_without_news_sends_nothing(redis: Redis, worker: Worker) -> None:
    worker.handover.hand_over()

    assert not redis.exists(keys.METRICS, keys.handed_over("one"))


@pytest.fixture
def lost_answers(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Redis does what it is told, and its answers do not arrive."""
    add = worker.handover._add

    def add_and_lose(**args: object) -> None:
        add(**args)  # type: ignore[arg-type]
        raise RedisGone

    monkeypatch.setattr(worker.handover, "_add", add_and_lose)
    yield
    monkeypatch.undo()


def test_a_batch_whose_answer_was_lost_is_added_once(
    redis: Redis, worker: Worker, lost_answers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.hits.inc(5)
    for _ in range(3):
        with pytest.raises(RedisGone):
            worker.handover.hand_over()
    worker.hits.inc(2)
    monkeypatch.undo()

    worker.handover.hand_over()

    assert stored(redis) == {HITS: 7}


def test_what_could_not_be_handed_over_comes_later(redis: Redis, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**args: object) -> None:
        raise RedisGone

    worker.hits.inc(5)
    monkeypatch.setattr(worker.handover, "_add", away)
    with pytest.raises(RedisGone):
        worker.handover.hand_over()
    worker.hits.inc()
    monkeypatch.undo()

    worker.handover.hand_over()

    assert stored(redis) == {HITS: 6}


def test_a_histogram_is_shown_with_all_its_buckets(redis: Redis, worker: Worker) -> None:
    worker.wait.labels("batch").observe(0.3)
    worker.wait.labels("batch").observe(100)
    worker.handover.hand_over()

    found = shown(redis)

    assert [found[f"{WAIT}_bucket batch {bound}"] for bound in ("0.005", "0.25", "0.5", "60.0", "+Inf")] == [0, 0, 1, 1, 2]
    assert (found[f"{WAIT}_count batch"], found[f"{WAIT}_sum batch"]) == (2, 100.3)
    assert found[f"{WAIT}_count interactive"] == 0


def test_what_has_never_happened_is_shown_as_0(redis: Redis) -> None:
    found = shown(redis)

    assert found["koe_worker_deaths_total"] == found["koe_jobs_total failed"] == found["koe_evictions_total segment"] == 0


def test_a_count_that_this_version_does_not_know_is_left_out(redis: Redis) -> None:
    redis.hset(keys.METRICS, mapping={"koe_new_total": 1, 'koe_job_seconds_bucket{le="7.0"}': 1})

    assert not [name for name in shown(redis) if "new" in name or "7.0" in name]


def test_a_primary_that_has_lost_the_last_seconds_makes_no_count_fall(redis: Redis, worker: Worker) -> None:
    counts = FleetCounts()
    worker.hits.inc(10)
    worker.handover.hand_over()
    assert shown(redis, counts)[HITS] == 10

    redis.hincrby(keys.METRICS, HITS, -3)

    assert shown(redis, counts)[HITS] == 10


def test_counts_begin_again_when_redis_has_lost_all(redis: Redis, worker: Worker) -> None:
    counts = FleetCounts()
    worker.hits.inc(10)
    worker.handover.hand_over()
    shown(redis, counts)

    redis.flushall()
    worker.hits.inc(2)
    worker.handover.hand_over()

    assert shown(redis, counts)[HITS] == 2


def test_the_memory_does_not_depend_on_the_number_of_workers(redis: Redis) -> None:
    for number in range(50):
        one = Worker(redis, f"worker-{number}")
        one.hits.inc()
        one.wait.labels("batch").observe(0.3)
        one.handover.hand_over()

    assert redis.hlen(keys.METRICS) < 20
    assert all(redis.ttl(key) > 0 for key in redis.scan_iter(f"{keys.METRICS}:*"))
