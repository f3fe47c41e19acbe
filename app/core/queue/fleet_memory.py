"""The last known fleet, for servers whose requests wait for a first worker (`KOE_WAIT_FOR_WORKER`).

Why it is needed: the id of an utterance names its engine and the engine's identity, and a fleet without workers tells neither.
With the last known fleet, finished audio is found in the cache while no worker runs, and new work is submitted: it waits in the
queue, where an autoscaler sees it.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import msgspec
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.core.queue.fleet import Fleet, FleetView, Registration
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import reachable

_UNKNOWN: Final = "unknown"
"""Identity of an engine that no worker has loaded yet. No worker has it, so its audio is not reused."""


class FleetMemory:
    """Stores what the last workers could speak."""

    def __init__(self, redis: AsyncRedis, *, engine: str) -> None:
        """`engine`: the setting `KOE_ENGINE`, which is assumed while no worker was ever seen; `auto` is the best one."""
        self._redis = redis
        self._assumed = _assume("kokoro" if engine == "auto" else engine)
        self._stored = b""

    async def store(self, fleet: Fleet) -> None:
        """Stores a fleet that has workers, if it can speak other things than the last one. Does nothing while Redis refuses."""
        data = msgspec.json.encode(_without_names(fleet.registrations))
        if data != self._stored:
            with suppress(RedisError):
                await self._redis.set(keys.LAST_FLEET, data)
                self._stored = data

    async def last(self) -> Fleet:
        """The last fleet, or the assumed one. Raises the errors of FleetView."""
        with reachable():
            data = await self._redis.get(keys.LAST_FLEET) or self._stored
        found = msgspec.json.decode(data, type=tuple[Registration, ...]) if data else ()
        fleet = Fleet(tuple(registration for registration in found if registration.wire == WIRE_VERSION))
        return fleet if fleet.engines else self._assumed


class WatchedFleet:
    """The live workers; the memory is kept up to date."""

    def __init__(self, fleet: FleetView, memory: FleetMemory) -> None:
        self._fleet = fleet
        self._memory = memory
        self._seen = Fleet()

    async def now(self) -> Fleet:
        """The live workers. Raises the errors of FleetView."""
        fleet = await self._fleet.now()
        if fleet.registrations and fleet is not self._seen:
            await self._memory.store(fleet)
            self._seen = fleet
        return fleet


class ExpectedFleet:
    """The workers that requests are made for: the live ones; without any, the last known ones."""

    def __init__(self, fleet: FleetView, memory: FleetMemory) -> None:
        self._fleet = fleet
        self._memory = memory

    async def now(self) -> Fleet:
        """These workers. Raises the errors of FleetView."""
        fleet = await self._fleet.now()
        return fleet if fleet.registrations else await self._memory.last()


def _assume(engine: str) -> Fleet:
    engines = ("kokoro", "espeak") if engine == "kokoro" else (engine,)
    return Fleet((Registration(name="", engines=engines, identities=dict.fromkeys(engines, _UNKNOWN), wire=WIRE_VERSION),))


def _without_names(registrations: Iterable[Registration]) -> list[Registration]:
    """What the workers can speak: one entry for all workers that can speak the same, in a fixed order."""
    kinds = [_nameless(registration) for registration in registrations]
    return [kind for _, kind in sorted({msgspec.json.encode(kind): kind for kind in kinds}.items())]


def _nameless(registration: Registration) -> Registration:
    return Registration(
        name="",
        engines=registration.engines,
        missing=registration.missing,
        weights=registration.weights,
        identities=registration.identities,
        wire=registration.wire,
    )
