"""The counts and the values from Redis, as a scrape reads them."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.api import measures
from app.api.measures import Metrics, Shared, SharedView
from app.core.errors import Cancelled, MissingKey, QueueFull, UnknownUrl
from app.core.metrics.table import HELP
from app.core.queue.broker import QueueName, rq_queue
from app.core.queue.fleet import RedisFleet, Registration, announce
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import connect, connect_async

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: bytes) -> Samples:
    """What Prometheus would read: name and labels → value."""
    families = text_string_to_metric_families(text.decode())
    return {(sample.name, frozenset(sample.labels.items())): sample.value for family in families for sample in family.samples}


def value(found: Samples, name: str, **labels: str) -> float:
    return found[name, frozenset(labels.items())]


def names(found: Samples) -> set[str]:
    return {name for name, _ in found}


def view_of(redis: AsyncRedis, blocking: Redis) -> SharedView:
    return SharedView(redis, blocking, RedisFleet(redis))


async def shared_now(redis: AsyncRedis, blocking: Redis) -> Shared:
    shared = await view_of(redis, blocking).now()
    assert shared is not None
    return shared


@contextmanager
def mute() -> Iterator[str]:
    """The URL of a Redis that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def test_two_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()

    one.count_answer("GET", "/healthz", 200)

    assert value(samples(one.render(None)), "koe_requests_total", method="GET", route="/healthz", status="200") == 1
    assert not [name for name in samples(other.render(None)) if name[0] == "koe_requests_total"]


def test_a_method_that_a_client_made_up_is_no_label_of_its_own() -> None:
    counted = Metrics()

    counted.count_answer("BREW", "unknown", 405)
    counted.count_answer("STEEP", "unknown", 405)

    assert value(samples(counted.render(None)), "koe_requests_total", method="other", route="unknown", status="405") == 2


def test_errors_are_counted_by_their_code_or_their_kind() -> None:
    counted = Metrics()
    for error in (
        QueueFull("full"),
        MissingKey(),
        UnknownUrl("GET", "/nope"),
        UnknownUrl("GET", "/nope/too"),
        Cancelled("gone"),
    ):
        counted.count_error(error)

    found = samples(counted.render(None))

    errors = {dict(labels)["code"]: n for (name, labels), n in found.items() if name == "koe_errors_total"}
    assert errors == {"queue_full": 1, "missing_key": 1, "unknown_url": 2}


async def test_every_metric_has_its_help_and_is_in_the_table(redis: Redis, aredis: AsyncRedis) -> None:
    counted = Metrics()
    text = counted.render(await shared_now(aredis, redis)).decode()

    own = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP") and "koe_process" not in line}
    assert own == set(HELP)
    assert "koe_process_resident_memory_bytes" in text


async def test_values_in_redis_are_metrics(redis: Redis, aredis: AsyncRedis) -> None:
    registration = Registration(name="w", engines=("kokoro", "espeak"), wire=WIRE_VERSION)
    announce(redis, registration, 60, takes_work=True)
    redis.rpush(rq_queue(redis, QueueName.INTERACTIVE).key, "a", "b", "c")
    redis.sadd(keys.PAUSED, "id:take")
    redis.zadd(keys.JOBS_OPEN, {"job_1": 1, "job_2": 2})
    redis.hset(keys.CACHE_SIZES, mapping={"total": 700, "a": 700})
    redis.hset(keys.CACHED_SEGMENTS, mapping={"total": 4_800, "b": 4_800})
    redis.hset(keys.SEGMENT_SIZES, mapping={"total": 9_600, "c": 9_600})

    found = samples(Metrics().render(await shared_now(aredis, redis)))

    assert value(found, "koe_redis_up") == 1
    assert value(found, "koe_workers") == 1
    assert value(found, "koe_engine", engine="kokoro") == 1
    assert value(found, "koe_engine", engine="espeak") == 0
    assert value(found, "koe_waiting_utterances", lane="interactive") == 3
    assert value(found, "koe_waiting_utterances", lane="batch") == 0
    assert value(found, "koe_parked_utterances") == 1
    assert value(found, "koe_open_jobs") == 2
    assert value(found, "koe_cache_bytes") == 700
    assert value(found, "koe_kept_bytes") == 4_800
    assert value(found, "koe_segment_bytes") == 9_600


async def test_an_empty_redis_is_all_noughts_and_no_engine(redis: Redis, aredis: AsyncRedis) -> None:
    found = samples(Metrics().render(await shared_now(aredis, redis)))

    assert value(found, "koe_workers") == value(found, "koe_cache_bytes") == value(found, "koe_kept_bytes") == 0
    assert value(found, "koe_segment_bytes") == 0
    assert "koe_engine" not in names(found)


async def test_without_redis_its_gauges_are_missing() -> None:
    async with connect_async("redis://127.0.0.1:1") as away:
        with connect("redis://127.0.0.1:1") as blocking:
            shared = await view_of(away, blocking).now()

    found = samples(Metrics().render(shared))
    assert shared is None
    assert value(found, "koe_redis_up") == 0
    assert not {"koe_workers", "koe_waiting_utterances", "koe_cache_bytes", "koe_open_jobs"} & names(found)
    assert "koe_open_requests" in names(found)


async def test_a_redis_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measures, "_MAX_SECONDS", 0.05)
    with mute() as url, connect(url) as blocking:
        async with connect_async(url) as silent:
            assert await view_of(silent, blocking).now() is None
