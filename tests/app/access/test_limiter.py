"""Limits of a key: they are exact for several API processes. Requests that have ended, or whose API has died, do not count."""

import asyncio
from typing import cast

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.access.keyring import Key
from app.access.limiter import Limiter, Permit
from app.core.errors import NoWorker, RateLimited
from app.core.rate_limits import RateLimit
from app.core.storage import keys
from app.core.storage.connections import connect_async
from tests.harness import free_port

pytestmark = pytest.mark.anyio

HOURLY = Key(digest=b"hourly", rate_limit=RateLimit(10, 3600))
TWO_AT_A_TIME = Key(digest=b"two", max_concurrent=2)


async def admitted(limiter: Limiter, key: Key) -> Permit | RateLimited:
    try:
        return await limiter.admit(key, stays_open=True)
    except RateLimited as error:
        return error


async def test_two_api_processes_together_admit_exactly_the_limit(redis_url: str) -> None:
    async with connect_async(redis_url) as one, connect_async(redis_url) as other:
        apis = (Limiter(one, api="one", api_ttl=15), Limiter(other, api="other", api_ttl=15))
        asked = [admitted(apis[n % 2], HOURLY) for n in range(50)]

        answers = await asyncio.gather(*asked)

    permits = [answer for answer in answers if isinstance(answer, Permit)]
    assert sorted(permit.rate_limit_status.n_left for permit in permits if permit.rate_limit_status) == list(range(10))


async def test_a_refused_request_gets_a_retry_time_and_does_not_count(aredis: AsyncRedis) -> None:
    limiter = Limiter(aredis, api="api", api_ttl=15)
    for _ in range(10):
        await limiter.admit(HOURLY, stays_open=False)

    refusals = [await admitted(limiter, HOURLY) for _ in range(3)]

    for refused in refusals:
        assert isinstance(refused, RateLimited)
        assert refused.retry_after_seconds == 60
        assert refused.message.startswith("Rate limit reached: 10/hour for this key. Please try again in 3")
        assert refused.rate_limit_status is not None
        assert refused.rate_limit_status.n_left == 0
    assert await aredis.zcard(keys.asked(HOURLY.owner)) == 10


async def test_the_window_slides(aredis: AsyncRedis) -> None:
    limiter = Limiter(aredis, api="api", api_ttl=15)
    for _ in range(10):
        await limiter.admit(HOURLY, stays_open=False)
    [oldest] = cast("list[bytes]", await aredis.zrange(keys.asked(HOURLY.owner), 0, 0))

    await aredis.zincrby(keys.asked(HOURLY.owner), -3600 * 1_000_000, oldest)
    answers = [await admitted(limiter, HOURLY) for _ in range(2)]

    assert isinstance(answers[0], Permit)
    assert isinstance(answers[1], RateLimited)


async def test_keys_do_not_share_a_limit(aredis: AsyncRedis) -> None:
    limiter = Limiter(aredis, api="api", api_ttl=15)
    other = Key(digest=b"other", rate_limit=RateLimit(1, 3600))
    for _ in range(10):
        await limiter.admit(HOURLY, stays_open=False)

    assert isinstance(await admitted(limiter, other), Permit)


async def test_a_request_that_has_ended_no_longer_counts_as_open(aredis: AsyncRedis) -> None:
    limiter = Limiter(aredis, api="api", api_ttl=15)
    first = await limiter.admit(TWO_AT_A_TIME, stays_open=True)
    await limiter.admit(TWO_AT_A_TIME, stays_open=True)

    refused = await admitted(limiter, TWO_AT_A_TIME)
    await limiter.close(first)
    again = await admitted(limiter, TWO_AT_A_TIME)

    assert isinstance(refused, RateLimited)
    assert refused.message.startswith("Rate limit reached: 2 requests at a time for this key.")
    assert refused.rate_limit_status is None
    assert isinstance(again, Permit)


async def test_a_request_refused_by_the_concurrency_limit_does_not_count_for_the_rate(aredis: AsyncRedis) -> None:
    limiter = Limiter(aredis, api="api", api_ttl=15)
    key = Key(digest=b"both", rate_limit=RateLimit(5, 3600), max_concurrent=1)
    first = await limiter.admit(key, stays_open=True)

    refused = await admitted(limiter, key)
    await limiter.close(first)
    second = await limiter.admit(key, stays_open=True)

    assert isinstance(refused, RateLimited)
    assert refused.rate_limit_status is not None
    assert refused.rate_limit_status.n_left == 4
    assert second.rate_limit_status is not None
    assert second.rate_limit_status.n_left == 3


async def test_a_request_that_does_not_stay_open_does_not_count_as_open(aredis: AsyncRedis) -> None:
    limiter = Limiter(aredis, api="api", api_ttl=15)

    for _ in range(5):
        await limiter.admit(TWO_AT_A_TIME, stays_open=False)

    assert not await aredis.exists(keys.open_requests(TWO_AT_A_TIME.owner))


async def test_open_requests_of_a_dead_api_process_do_not_count(redis: Redis, aredis: AsyncRedis) -> None:
    dead, living = Limiter(aredis, api="dead", api_ttl=15), Limiter(aredis, api="living", api_ttl=15)
    for _ in range(2):
        await dead.admit(TWO_AT_A_TIME, stays_open=True)
    assert isinstance(await admitted(living, TWO_AT_A_TIME), RateLimited)

    redis.delete(keys.api("dead"))

    assert isinstance(await admitted(living, TWO_AT_A_TIME), Permit)


async def test_a_key_without_limits_is_admitted_while_redis_is_unreachable() -> None:
    async with connect_async(f"redis://127.0.0.1:{free_port()}") as away:
        limiter = Limiter(away, api="api", api_ttl=15)

        assert (await limiter.admit(Key(), stays_open=True)).rate_limit_status is None
        with pytest.raises(NoWorker):
            await limiter.admit(HOURLY, stays_open=True)


async def test_a_request_that_could_not_be_closed_is_closed_later(aredis: AsyncRedis) -> None:
    limiter = Limiter(aredis, api="api", api_ttl=15)
    permits = [await limiter.admit(TWO_AT_A_TIME, stays_open=True) for _ in range(2)]
    working = aredis.connection_pool

    async with connect_async(f"redis://127.0.0.1:{free_port()}") as away:
        aredis.connection_pool = away.connection_pool
        await limiter.close(permits[0])
        aredis.connection_pool = working

    assert isinstance(await admitted(limiter, TWO_AT_A_TIME), Permit)
