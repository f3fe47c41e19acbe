"""A notifier: everyone who waits for a name is woken, and nobody else."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis as AsyncRedis

from app.core.storage.notifier import Notifier

pytestmark = pytest.mark.anyio

CHANNEL = "koe:tests:bell"


@pytest.fixture
async def notifier(aredis: AsyncRedis) -> AsyncIterator[Notifier]:
    notifier = Notifier(aredis, CHANNEL)
    notifier.start()
    async with asyncio.timeout(30):
        while not await aredis.publish(CHANNEL, "nobody"):  # noqa: ASYNC110 - no event tells that it has subscribed
            await asyncio.sleep(0.01)
    yield notifier
    await notifier.stop()


async def test_all_subscribers_of_a_name_are_notified_of_it_and_no_other(notifier: Notifier, aredis: AsyncRedis) -> None:
    first, second, other = notifier.subscribe("a"), notifier.subscribe("a"), notifier.subscribe("b")
    await aredis.publish(CHANNEL, "a")
    async with asyncio.timeout(30):
        await asyncio.gather(first.wait(), second.wait())
    assert not other.is_set()


async def test_an_unsubscribed_event_is_not_set_any_more(notifier: Notifier, aredis: AsyncRedis) -> None:
    unsubscribed, waiting = notifier.subscribe("a"), notifier.subscribe("a")
    notifier.unsubscribe("a", unsubscribed)
    await aredis.publish(CHANNEL, "a")
    async with asyncio.timeout(30):
        await waiting.wait()
    assert not unsubscribed.is_set()


async def test_a_notifier_whose_connection_was_cut_listens_again(notifier: Notifier, aredis: AsyncRedis) -> None:
    waiting = notifier.subscribe("a")
    await aredis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    async with asyncio.timeout(30):
        while not waiting.is_set():
            await aredis.publish(CHANNEL, "a")
            await asyncio.sleep(0.01)
