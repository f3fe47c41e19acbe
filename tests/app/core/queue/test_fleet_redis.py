"""The fleet in Redis: workers with a heartbeat belong to it, silent ones do not."""

from pathlib import Path

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import NoWorker
from app.core.queue.fleet import RedisFleet, Registration, announce, count_deaths, some_worker_has, withdraw
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import connect_async
from app.core.storage.embedded_server import embedded_url

pytestmark = pytest.mark.anyio

REGISTRATION = Registration(name="w", engines=("kokoro", "espeak"), missing=None, n_slots=3, started_at=1.5, wire=WIRE_VERSION)


async def test_a_worker_that_announces_itself_is_seen_as_it_is(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, REGISTRATION, 60, takes_work=True)

    assert (await RedisFleet(aredis).now()).registrations == (REGISTRATION,)


async def test_the_first_worker_is_seen_at_once(redis: Redis, aredis: AsyncRedis) -> None:
    fleet = RedisFleet(aredis)
    assert (await fleet.now()).registrations == ()

    announce(redis, REGISTRATION, 60, takes_work=True)

    assert (await fleet.now()).registrations == (REGISTRATION,)


async def test_many_looks_are_one_look_at_redis(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, REGISTRATION, 60, takes_work=True)
    fleet = RedisFleet(aredis)
    first = await fleet.now()
    withdraw(redis, "w")

    assert await fleet.now() is first
    assert (await RedisFleet(aredis).now()).registrations == ()


async def test_a_worker_whose_registration_has_expired_has_left_the_fleet(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, REGISTRATION, 60, takes_work=True)
    assert 0 < redis.pttl(keys.worker("w")) <= 60_000

    redis.delete(keys.worker("w"))

    assert (await RedisFleet(aredis).now()).registrations == ()


def test_a_worker_that_falls_silent_is_counted_once_and_one_that_withdraws_is_not(redis: Redis) -> None:
    for name in ("dead", "ended", "alive", "dead while it was ending"):
        registration = msgspec.structs.replace(REGISTRATION, name=name)
        announce(redis, registration, 60, takes_work="ending" not in name)
    withdraw(redis, "ended")
    count_deaths(redis)
    assert not redis.exists(keys.METRICS)

    redis.delete(keys.worker("dead"), keys.worker("dead while it was ending"))
    count_deaths(redis)
    count_deaths(redis)

    assert redis.hgetall(keys.METRICS) == {b"koe_worker_deaths_total": b"2"}


@pytest.mark.parametrize("wire", [WIRE_VERSION - 1, WIRE_VERSION + 1])
async def test_a_worker_of_another_wire_version_is_not_of_this_fleet(wire: int, redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, msgspec.structs.replace(REGISTRATION, name="other", wire=wire), 60, takes_work=True)
    assert (await RedisFleet(aredis).now()).registrations == ()

    announce(redis, REGISTRATION, 60, takes_work=True)

    assert (await RedisFleet(aredis).now()).registrations == (REGISTRATION,)


async def test_a_registration_without_a_wire_version_is_of_the_first(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, REGISTRATION, 60, takes_work=True)
    redis.set(keys.worker("w"), b'{"name":"w","engines":["kokoro"]}')

    assert (await RedisFleet(aredis).now()).registrations == ()


async def test_a_worker_that_takes_no_more_work_leaves_the_fleet_but_not_its_listeners(
    redis: Redis, aredis: AsyncRedis
) -> None:
    announce(redis, REGISTRATION, 60, takes_work=True)

    announce(redis, REGISTRATION, 60, takes_work=False)

    assert (await RedisFleet(aredis).now()).registrations == ()
    assert redis.exists(keys.worker("w"))


async def test_a_worker_that_withdraws_leaves_nothing(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, REGISTRATION, 60, takes_work=True)

    withdraw(redis, "w")

    assert redis.keys("*") == []


async def test_names_of_workers_that_died_long_ago_are_swept(redis: Redis, aredis: AsyncRedis) -> None:
    redis.zadd(keys.WORKERS, {"gone": redis.time()[0] - 3601, "lately": redis.time()[0] - 60})

    announce(redis, REGISTRATION, 60, takes_work=True)

    assert redis.zrange(keys.WORKERS, 0, -1) == [b"lately", b"w"]


async def test_a_redis_that_is_away_is_no_worker(data: Path) -> None:
    async with connect_async(embedded_url(data)) as redis:
        with pytest.raises(NoWorker):
            await RedisFleet(redis).now()


def test_it_is_known_whether_some_worker_has_an_engine(redis: Redis) -> None:
    assert not some_worker_has(redis, "kokoro")

    announce(redis, Registration(name="one", engines=("espeak",), wire=WIRE_VERSION), 30, takes_work=True)
    announce(redis, Registration(name="two", engines=("kokoro", "espeak"), wire=WIRE_VERSION), 30, takes_work=True)
    assert some_worker_has(redis, "kokoro")

    announce(redis, Registration(name="two", engines=("kokoro", "espeak"), wire=WIRE_VERSION), 30, takes_work=False)
    assert not some_worker_has(redis, "kokoro")
