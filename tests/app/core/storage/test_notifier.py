"""A bell: who waits for a name hears it, and nobody else does."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis as AsyncRedis

from app.core.storage.notifier import Bell

pytestmark = pytest.mark.anyio

CHANNEL = "koe:tests:bell"


@pytest.fixture
async def bell(aredis: AsyncRedis) -> AsyncIterator[Bell]:
    bell = Bell(aredis, CHANNEL)
    bell.start()
    async with asyncio.timeout(30):
        while not await aredis.publish(CHANNEL, "nobody"):  # noqa: ASYNC110 - nothing rings when a bell begins to listen
            await asyncio.sleep(0.01)
    yield bell
    await bell.stop()


async def test_all_who_wait_for_a_name_hear_it_and_no_other(bell: Bell, aredis: AsyncRedis) -> None:
    first, second, other = bell.hear("a"), bell.hear("a"), bell.hear("b")
    await aredis.publish(CHANNEL, "a")
    async with asyncio.timeout(30):
        await asyncio.gather(first.wait(), second.wait())
    assert not other.is_set()


async def test_what_was_given_back_hears_nothing_more(bell: Bell, aredis: AsyncRedis) -> None:
    gone, waiting = bell.hear("a"), bell.hear("a")
    bell.forget("a", gone)
    await aredis.publish(CHANNEL, "a")
    async with asyncio.timeout(30):
        await waiting.wait()
    assert not gone.is_set()


async def test_a_bell_whose_connection_was_cut_listens_again(bell: Bell, aredis: AsyncRedis) -> None:
    waiting = bell.hear("a")
    await aredis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    async with asyncio.timeout(30):
        while not waiting.is_set():
            await aredis.publish(CHANNEL, "a")
            await asyncio.sleep(0.01)
