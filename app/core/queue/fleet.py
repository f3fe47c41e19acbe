"""The fleet: which worker processes are alive, and what they can speak.

Why the engines of a fleet are those that *every* live worker has loaded: any worker may speak any utterance. Whether a request
succeeds and how it sounds must not depend on which worker that is.
"""

import math
import os
import secrets
import socket
import time
from collections.abc import Iterable
from typing import Final, Literal, Protocol, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import NoWorker, QueueFull
from app.core.host import remedies
from app.core.speech.models import best_engine
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import reachable
from app.core.storage.lua import load_script
from app.core.weights.files import Precision

_SCAN_SECONDS: Final = 0.5
_FORGET_SECONDS: Final = 3600.0
_IN_FLIGHT_TTL_SECONDS: Final = 7200


Weights = Precision | Literal["mixed"]
"""`mixed` when workers differ."""


def no_worker() -> NoWorker:
    """The error for a request that no worker can take."""
    return NoWorker(f"No worker is running. {remedies.koe('worker')} starts one.")


def _mixed() -> str:
    return (
        "Some workers have Kokoro's original weights and some have 8-bit ones, so the same text does not always sound "
        f"the same. {remedies.koe('fetch --from hub')}, on each machine with workers, gets the original."
    )


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is doing at a heartbeat, for the metrics."""

    n_busy_slots: int = 0
    n_busy_threads: int = 0
    waiting_seconds: float = 0.0
    """Estimated seconds of audio that the utterances in its slots still need."""
    memory_bytes: int = 0
    """Resident memory of the process; 0 where the system does not tell."""
    device_bytes: int = 0
    """Memory of the GPU that it has reserved; 0 without a GPU."""
    loaded: dict[str, bool] = {}
    """Engine → whether its model is in memory."""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """The heartbeat record of a worker process, written at every heartbeat."""

    name: str
    engines: tuple[str, ...]
    """Engines that are loaded and warm."""
    missing: str | None = None
    """Why a requested engine is not loaded, and the command that fixes it: one sentence."""
    weights: Precision | None = None
    """Precision of Kokoro's weights; None without Kokoro."""
    identities: dict[str, str] = {}
    """Engine → short digest of its identity. Equal digests mean that the same segment sounds the same."""
    n_slots: int = 0
    n_threads: int = 1
    """Segments that it speaks at a time."""
    first_sound_seconds: float = 0.0
    """Seconds between the first audio of two listeners in a row while many wait, as last measured; 0 before the first
    measurement.
    """
    started_at: float = 0.0
    """Seconds since 1970, UTC."""
    vitals: Vitals = Vitals()
    wire: int = 1
    """WIRE_VERSION of the worker: it takes no work from an API of another version."""


_MOST_TIMES_FASTER: Final = 1.5
"""A fleet may turn out to be this many times as fast as measured: the last ten first audios tell about the next ten."""


class Capacity(msgspec.Struct, frozen=True):
    """How many listeners may wait for their first audio."""

    n_most: int
    seconds_each: float
    """Seconds between the first audio of two listeners in a row."""

    def seconds_until_free(self, n_waiting: int) -> int:
        """Seconds until there is room for one more when `n_waiting` wait; at least 1."""
        return max(1, math.ceil((n_waiting - self.n_most + 1) * self.seconds_each))


class Fleet(msgspec.Struct, frozen=True):
    """The workers alive at one moment."""

    registrations: tuple[Registration, ...] = ()

    @property
    def engines(self) -> frozenset[str]:
        """Names of the engines that every worker has loaded; empty without a worker."""
        return (
            frozenset.intersection(*(frozenset(registration.engines) for registration in self.registrations))
            if self.registrations
            else frozenset()
        )

    @property
    def n_threads(self) -> int:
        """Segments that the fleet speaks at a time."""
        return sum(registration.n_threads for registration in self.registrations)

    @property
    def best(self) -> str | None:
        """The engine that OpenAI's model names stand for; None without a worker."""
        return best_engine(self.engines)

    @property
    def missing(self) -> str | None:
        """Why a better engine is not loaded, as the first worker without it says."""
        return next((registration.missing for registration in self.registrations if registration.missing), None)

    def weights_of(self, engine: str | None) -> Weights | None:
        """Precision of the weights of `engine`; None when it has no weights."""
        found = (
            {registration.weights for registration in self.registrations} - {None}
            if engine == "kokoro" and engine in self.engines
            else set()
        )
        return "mixed" if len(found) > 1 else next(iter(found), None)

    def identities_of(self, engine: str) -> tuple[str, ...]:
        """Sorted digests of all engines that may speak a request for `engine`: one, unless workers differ."""
        return tuple(
            sorted(
                {registration.identities[engine] for registration in self.registrations if engine in registration.identities}
            )
        )

    @property
    def notice(self) -> str | None:
        """A problem of the fleet, and the command that fixes it."""
        if not self.registrations:
            return no_worker().message
        return self.missing or (_mixed() if self.weights_of(self.best) == "mixed" else None)

    def capacity(self, wait_seconds: float) -> Capacity | None:
        """Room for as many listeners as the fleet can serve within `wait_seconds`, and at least for as many as it speaks to at
        a time. None while no worker has measured its pace. A worker without a measurement counts like the others.
        """
        measured = [
            registration.first_sound_seconds for registration in self.registrations if registration.first_sound_seconds > 0
        ]
        if not measured:
            return None
        per_second = sum(1 / seconds for seconds in measured) * len(self.registrations) / len(measured)
        n_most = max(self.n_threads, int(wait_seconds * per_second))
        return Capacity(n_most, 1 / per_second)

    def queue_full(self, n_waiting: int, wait_seconds: float) -> QueueFull:
        """The error for a request that is too late when `n_waiting` wait and each waits at most `wait_seconds`."""
        capacity = self.capacity(wait_seconds)
        return QueueFull.after(n_waiting, retry_after_seconds=capacity.seconds_until_free(n_waiting) if capacity else 1)

    def n_in_time(self, seconds_left: float) -> int | None:
        """The most listeners who can get their first audio within that time, even if the fleet turns out to be faster than
        measured. None when that is unknown.
        """
        capacity = self.capacity(_MOST_TIMES_FASTER * max(0.0, seconds_left))
        return capacity.n_most if capacity else None


class FleetView(Protocol):
    """Gives the API the current fleet."""

    async def now(self) -> Fleet:
        """The live workers. Raises NoWorker when Redis is unreachable, QueueStorageFull when it has no room for writes."""
        ...


def process_name() -> str:
    """A unique name for this process."""
    return name_prefix(os.getpid()) + secrets.token_hex(2)


def name_prefix(pid: int) -> str:
    """Beginning of the names of this machine's processes with that id. Random digits follow, because process ids are reused."""
    return f"{socket.gethostname()}-{pid}-"


def announce(
    redis: Redis, registration: Registration, ttl_seconds: float, *, takes_work: bool, in_flight: Iterable[str] | None = None
) -> None:
    """Records a heartbeat, which lasts `ttl_seconds`. A worker that takes no more work leaves the fleet, but readers of its
    utterances still see it as alive.

    `in_flight` are its attempts. Why they are written: a Redis that has lost its last seconds, or a replica that became
    the primary, may name this worker for an attempt that it has released.
    """
    # The clock of Redis: the machines' clocks may differ, and a fast one must not remove the other workers.
    now = float(redis.time()[0])
    # One transaction: an attempt must not look released in between.
    pipe = redis.pipeline(transaction=True)
    if takes_work:
        pipe.zadd(keys.WORKERS, {registration.name: now})
    else:
        pipe.zrem(keys.WORKERS, registration.name)
    pipe.zremrangebyscore(keys.WORKERS, 0, now - _FORGET_SECONDS)
    pipe.sadd(keys.ANNOUNCED, registration.name)
    pipe.set(keys.worker(registration.name), msgspec.json.encode(registration), px=max(1, int(ttl_seconds * 1000)))
    if in_flight is not None:
        pipe.delete(keys.in_flight(registration.name))
        if lease_ids := list(in_flight):
            pipe.sadd(keys.in_flight(registration.name), *lease_ids)
            pipe.expire(keys.in_flight(registration.name), _IN_FLIGHT_TTL_SECONDS)
    pipe.execute()


def withdraw(redis: Redis, name: str) -> None:
    """Removes this worker from the fleet."""
    pipe = redis.pipeline(transaction=False)
    pipe.zrem(keys.WORKERS, name)
    pipe.srem(keys.ANNOUNCED, name)
    pipe.delete(keys.worker(name), keys.in_flight(name))
    pipe.execute()


def count_deaths(redis: Redis) -> None:
    """Counts the workers whose heartbeats have ended without `withdraw`. Must not be called soon after an outage of Redis: no
    worker could send heartbeats then.
    """
    redis.register_script(load_script(__file__, "count_deaths"))(keys=[keys.ANNOUNCED], args=[])


def some_worker_has(redis: Redis, engine: str) -> bool:
    """Whether a worker that takes work has loaded the engine. Raises RedisError when Redis is unreachable."""
    names = cast("list[bytes]", redis.zrange(keys.WORKERS, 0, -1))
    raw = redis.mget([keys.worker(name.decode()) for name in names]) if names else []
    return any(
        engine in registration.engines for registration in _read_registrations(cast("list[bytes | None]", raw)).registrations
    )


def _read_registrations(raw: Iterable[bytes | None]) -> Fleet:
    registrations = (msgspec.json.decode(registration, type=Registration) for registration in raw if registration)
    return Fleet(tuple(registration for registration in registrations if registration.wire == WIRE_VERSION))


class RedisFleet:
    """The fleet according to Redis, looked up at most twice a second."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._fleet = Fleet()
        self._read_at = float("-inf")

    async def now(self) -> Fleet:
        """The live workers. An empty fleet is never cached, so that the first worker is seen at once. Raises the errors of
        FleetView.
        """
        if time.monotonic() - self._read_at < _SCAN_SECONDS and self._fleet.registrations:
            return self._fleet
        with reachable():
            names = cast("list[bytes]", await self._redis.zrange(keys.WORKERS, 0, -1))
            raw = await self._redis.mget([keys.worker(name.decode()) for name in names]) if names else []
            fleet = _read_registrations(cast("list[bytes | None]", raw))
            if not fleet.registrations:
                # When Redis refuses writes no worker can record a heartbeat: that is a different failure.
                await self._redis.set(keys.PROBE, 1, px=1000)
        self._fleet, self._read_at = fleet, time.monotonic()
        return self._fleet
