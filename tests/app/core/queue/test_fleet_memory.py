"""The last known fleet: what requests are made for while no worker runs."""

from pathlib import Path

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import NoWorker
from app.core.queue.fleet import RedisFleet, Registration, announce, withdraw
from app.core.queue.fleet_memory import ExpectedFleet, FleetMemory, WatchedFleet
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import connect_async
from app.core.storage.embedded_server import embedded_url

pytestmark = pytest.mark.anyio

WORKER = Registration(
    name="w",
    engines=("kokoro", "espeak"),
    weights="8-bit",
    identities={"kokoro": "k1", "espeak": "e1"},
    n_threads=4,
    wire=WIRE_VERSION,
)


def expected(aredis: AsyncRedis, engine: str = "auto") -> ExpectedFleet:
    memory = FleetMemory(aredis, engine=engine)
    return ExpectedFleet(WatchedFleet(RedisFleet(aredis), memory), memory)


async def test_while_workers_live_they_are_expected(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, WORKER, 60, takes_work=True)

    assert (await expected(aredis).now()).registrations == (WORKER,)


async def test_without_workers_the_last_ones_are_expected_by_every_api_process(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, WORKER, 60, takes_work=True)
    await expected(aredis).now()
    withdraw(redis, "w")

    fleet = await expected(aredis, "espeak").now()

    assert fleet.best == "kokoro"
    assert fleet.identities_of("kokoro") == ("k1",)
    assert fleet.weights_of("kokoro") == "8-bit"
    assert fleet.capacity(30) is None


async def test_a_process_knows_them_when_redis_has_lost_everything(redis: Redis, aredis: AsyncRedis) -> None:
    announce(redis, WORKER, 60, takes_work=True)
    fleet = expected(aredis)
    await fleet.now()
    redis.flushall()
    await RedisFleet(aredis).now()
    withdraw(redis, "w")

    wait = FleetMemory(aredis, engine="espeak")
    assert (await wait.last()).best == "espeak"
    memory = fleet._memory
    assert (await memory.last()).identities_of("kokoro") == ("k1",)


@pytest.mark.parametrize(
    ("setting", "engines"), [("auto", {"kokoro", "espeak"}), ("kokoro", {"kokoro", "espeak"}), ("espeak", {"espeak"})]
)
async def test_before_the_first_worker_the_setting_is_assumed_and_its_audio_is_not_reused(
    setting: str, engines: set[str], aredis: AsyncRedis
) -> None:
    fleet = await expected(aredis, setting).now()

    assert fleet.engines == engines
    assert fleet.identities_of("espeak") == ("unknown",)


async def test_workers_that_speak_the_same_are_stored_once_and_only_when_they_change(redis: Redis, aredis: AsyncRedis) -> None:
    fleet = WatchedFleet(RedisFleet(aredis), FleetMemory(aredis, engine="auto"))
    for name in ("w", "x"):
        announce(redis, msgspec.structs.replace(WORKER, name=name, first_sound_seconds=0.1 * len(name)), 60, takes_work=True)
    await fleet.now()

    assert len(msgspec.json.decode(redis.get(keys.LAST_FLEET) or b"")) == 1

    redis.delete(keys.LAST_FLEET)
    await WatchedFleet(RedisFleet(aredis), fleet._memory).now()
    assert not redis.exists(keys.LAST_FLEET)


async def test_workers_of_another_wire_version_are_not_expected(redis: Redis, aredis: AsyncRedis) -> None:
    other = msgspec.structs.replace(WORKER, engines=("espeak",), wire=WIRE_VERSION + 1)
    redis.set(keys.LAST_FLEET, msgspec.json.encode([other]))

    assert (await expected(aredis).now()).best == "kokoro"


async def test_a_redis_that_is_away_is_no_worker(data: Path) -> None:
    async with connect_async(embedded_url(data)) as redis:
        with pytest.raises(NoWorker):
            await FleetMemory(redis, engine="auto").last()
