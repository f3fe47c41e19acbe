"""Connections: enough for all callers, given up soon when Redis does not answer, and restored after a restart."""

import asyncio
import threading
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from app.core.errors import NoWorker
from app.core.storage.connections import connect, connect_async, reachable
from app.core.storage.embedded_server import EmbeddedServer, embedded_url


@pytest.mark.anyio
async def test_a_thousand_commands_at_once_share_the_connections_of_a_loop(redis_url: str) -> None:
    async with connect_async(redis_url) as redis:
        answers = await asyncio.gather(*(redis.echo(str(number)) for number in range(1000)))

    assert answers == [str(number).encode() for number in range(1000)]


def test_each_thread_can_have_a_connection_of_its_own(redis_url: str) -> None:
    n_threads = 150
    answers = []
    with connect(redis_url) as redis:
        threads = [threading.Thread(target=lambda: answers.append(redis.blpop(["line"], timeout=30))) for _ in range(n_threads)]
        for thread in threads:
            thread.start()

        with connect(redis_url) as other:
            other.rpush("line", *range(n_threads))
        for thread in threads:
            thread.join()

    assert sorted(int(value) for _, value in answers) == list(range(n_threads))


def test_a_redis_that_is_away_is_no_worker(data: Path) -> None:
    with connect(embedded_url(data)) as redis, pytest.raises(NoWorker) as caught, reachable():
        redis.ping()

    assert isinstance(caught.value.__cause__, RedisError)


@pytest.mark.anyio
async def test_a_redis_that_is_away_is_no_worker_in_a_loop_too(data: Path) -> None:
    async with connect_async(embedded_url(data)) as redis:
        with pytest.raises(NoWorker), reachable():
            await redis.ping()


def test_other_errors_pass_through() -> None:
    with pytest.raises(ValueError, match="mine"), reachable():
        raise ValueError("mine")


def test_a_connection_outlives_a_restart_of_the_server(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    with connect(server.url) as redis:
        redis.set("name", "koe")
        server.stop()
        server.start()

        assert redis.get("name") == b"koe"

    server.stop()


@pytest.mark.anyio
async def test_a_connection_of_a_loop_outlives_a_restart_of_the_server(data: Path) -> None:
    server = EmbeddedServer(data)
    server.start()
    async with connect_async(server.url) as redis:
        await redis.set("name", "koe")
        server.stop()
        server.start()

        assert await redis.get("name") == b"koe"

    server.stop()
