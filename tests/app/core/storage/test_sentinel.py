"""The primary that sentinels know: found by every kind of connection, and found again after it was killed."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from app.core.storage.connections import connect, connect_async, patiently, replicated
from app.core.storage.notifier import Notifier
from app.core.storage.redis_check import check_redis_url
from app.core.storage.sentinel import primary_url
from tests.harness import wait_until
from tests.valkeys import ReplicatedValkey, replicated_valkey

pytestmark = pytest.mark.anyio


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[ReplicatedValkey]:
    with replicated_valkey(tmp_path) as trio:
        yield trio


async def test_the_primary_is_found_and_found_again_when_it_was_killed(trio: ReplicatedValkey) -> None:
    check_redis_url(trio.url)
    first = trio.primary
    assert primary_url(trio.url) == f"redis://127.0.0.1:{first.port}/0"
    async with connect_async(trio.url) as aredis:
        notifier = Notifier(aredis, "bell")
        notifier.start()
        notified = notifier.subscribe("name")
        with connect(trio.url) as redis:
            script = redis.register_script("return redis.call('INCR', KEYS[1])")
            script(keys=["count"])
            await aredis.set("told", "before")
            await replicated(aredis)

            first.kill()

            wait_until(lambda: trio.sentinels[0].primary() != first.port)
            assert await asyncio.to_thread(patiently, lambda: script(keys=["count"]), 30) == 2
            assert await asyncio.to_thread(patiently, lambda: redis.get("told"), 30) == b"before"
            assert await aredis.get("told") == b"before"
            while not notified.is_set():
                redis.publish("bell", "name")
                await asyncio.sleep(0.05)
        await notifier.stop()


async def test_a_primary_that_has_become_a_replica_is_left(trio: ReplicatedValkey) -> None:
    first = trio.primary
    with connect(trio.url) as redis:
        redis.set("a", 1)
        trio.sentinels[0].redis().execute_command("SENTINEL", "FAILOVER", "koe")
        wait_until(lambda: first.redis().info("replication")["role"] == "slave")

        patiently(lambda: redis.set("a", 2), 30)

        assert trio.primary.redis().get("a") == b"2"


async def test_a_dead_sentinel_is_skipped(trio: ReplicatedValkey) -> None:
    for sentinel in trio.sentinels[:2]:
        sentinel.kill()
    with connect(trio.url) as redis:
        assert redis.ping()
    async with connect_async(trio.url) as aredis:
        assert await aredis.ping()
    trio.sentinels[2].kill()
    with connect(trio.url) as redis, pytest.raises(RedisError, match="No sentinel knows a primary of 'koe'"):
        redis.ping()


async def test_connections_opened_together_ask_the_sentinels_once(trio: ReplicatedValkey) -> None:
    n_before, began = n_asked(trio), time.monotonic()
    with connect(trio.url) as redis, ThreadPoolExecutor(40) as threads:
        together = threading.Barrier(40)

        def ask() -> object:
            together.wait()
            return redis.ping()

        assert all(asking.result() for asking in [threads.submit(ask) for _ in range(40)])
    async with connect_async(trio.url) as aredis:
        assert all(await asyncio.gather(*(aredis.ping() for _ in range(40))))

    # An answer is shared for 0.2 s. At most 12 other connections come from this test and from the sentinels.
    assert n_asked(trio) - n_before <= 12 + (time.monotonic() - began) / 0.2


def n_asked(trio: ReplicatedValkey) -> int:
    return sum(sentinel.redis().info("stats")["total_connections_received"] for sentinel in trio.sentinels)


async def test_without_a_replica_nothing_waits_for_one_for_long(trio: ReplicatedValkey) -> None:
    async with connect_async(trio.url) as aredis:
        for server in trio.servers:
            if server is not trio.primary:
                server.kill()
        started = time.monotonic()
        await replicated(aredis)
        assert time.monotonic() - started < 10
