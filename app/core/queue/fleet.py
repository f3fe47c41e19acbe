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

from app.core.speech.models import best_engine
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import reachable
from app.core.weights.files import Precision

_SCAN_SECONDS: Final = 0.5
_FORGET_SECONDS: Final = 3600.0
_HAND_TTL_SECONDS: Final = 7200


Weights = Precision | Literal["mixed"]
"""`mixed` when workers differ."""

_MIXED: Final = (
    "Some workers have Kokoro's original weights and some have 8-bit ones, so the same text does not always sound the same. "
    "`koe fetch --from hub`, on each machine with workers, gets the original."
)


class WorkerCard(msgspec.Struct, frozen=True, kw_only=True):
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
    wire: int = 1
    """WIRE_VERSION of the worker: it takes no work from an API of another version."""


class Room(msgspec.Struct, frozen=True):
    """How many listeners may wait for their first audio."""

    n_most: int
    seconds_each: float
    """Seconds between the first audio of two listeners in a row."""

    def seconds_until_free(self, n_waiting: int) -> int:
        """Seconds until there is room for one more when `n_waiting` wait; at least 1."""
        return max(1, math.ceil((n_waiting - self.n_most + 1) * self.seconds_each))


class Fleet(msgspec.Struct, frozen=True):
    """The workers alive at one moment."""

    cards: tuple[WorkerCard, ...] = ()

    @property
    def engines(self) -> frozenset[str]:
        """Names of the engines that every worker has loaded; empty without a worker."""
        return frozenset.intersection(*(frozenset(card.engines) for card in self.cards)) if self.cards else frozenset()

    @property
    def n_threads(self) -> int:
        """Segments that the fleet speaks at a time."""
        return sum(card.n_threads for card in self.cards)

    @property
    def best(self) -> str | None:
        """The engine that OpenAI's model names stand for; None without a worker."""
        return best_engine(self.engines)

    @property
    def missing(self) -> str | None:
        """Why a better engine is not loaded, as the first worker without it says."""
        return next((card.missing for card in self.cards if card.missing), None)

    def weights_of(self, engine: str | None) -> Weights | None:
        """Precision of the weights of `engine`; None when it has no weights."""
        found = {card.weights for card in self.cards} - {None} if engine == "kokoro" and engine in self.engines else set()
        return "mixed" if len(found) > 1 else next(iter(found), None)

    def identities_of(self, engine: str) -> tuple[str, ...]:
        """Sorted digests of all engines that may speak a request for `engine`: one, unless workers differ."""
        return tuple(sorted({card.identities[engine] for card in self.cards if engine in card.identities}))

    @property
    def notice(self) -> str | None:
        """A problem of a fleet that can speak, and the command that fixes it."""
        return self.missing or (_MIXED if self.weights_of(self.best) == "mixed" else None)

    def room(self, wait_seconds: float) -> Room | None:
        """Room for as many listeners as the fleet can serve within `wait_seconds`, and at least for as many as it speaks to at
        a time. None while no worker has measured its pace. A worker without a measurement counts like the others.
        """
        measured = [card.first_sound_seconds for card in self.cards if card.first_sound_seconds > 0]
        if not measured:
            return None
        per_second = sum(1 / seconds for seconds in measured) * len(self.cards) / len(measured)
        n_most = max(self.n_threads, int(wait_seconds * per_second))
        return Room(n_most, 1 / per_second)


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
    redis: Redis, card: WorkerCard, ttl_seconds: float, *, takes_work: bool, in_hand: Iterable[str] | None = None
) -> None:
    """Records a heartbeat, which lasts `ttl_seconds`. A worker that takes no more work leaves the fleet, but readers of its
    utterances still see it as alive.

    `in_hand` are its attempts in flight. Why they are written: a Redis that has lost its last seconds, or a replica that became
    the primary, may name this worker for an attempt that it has released.
    """
    # The clock of Redis: the machines' clocks may differ, and a fast one must not remove the other workers.
    now = float(redis.time()[0])
    # One transaction: an attempt must not look released in between.
    pipe = redis.pipeline(transaction=True)
    if takes_work:
        pipe.zadd(keys.WORKERS, {card.name: now})
    else:
        pipe.zrem(keys.WORKERS, card.name)
    pipe.zremrangebyscore(keys.WORKERS, 0, now - _FORGET_SECONDS)
    pipe.set(keys.worker(card.name), msgspec.json.encode(card), px=max(1, int(ttl_seconds * 1000)))
    if in_hand is not None:
        pipe.delete(keys.hand(card.name))
        if attempts := list(in_hand):
            pipe.sadd(keys.hand(card.name), *attempts)
            pipe.expire(keys.hand(card.name), _HAND_TTL_SECONDS)
    pipe.execute()


def withdraw(redis: Redis, name: str) -> None:
    """Removes this worker from the fleet."""
    pipe = redis.pipeline(transaction=False)
    pipe.zrem(keys.WORKERS, name)
    pipe.delete(keys.worker(name), keys.hand(name))
    pipe.execute()


def some_worker_has(redis: Redis, engine: str) -> bool:
    """Whether a worker that takes work has loaded the engine. Raises RedisError when Redis is unreachable."""
    names = cast("list[bytes]", redis.zrange(keys.WORKERS, 0, -1))
    raw = redis.mget([keys.worker(name.decode()) for name in names]) if names else []
    return any(engine in card.engines for card in _read_cards(cast("list[bytes | None]", raw)).cards)


def _read_cards(raw: Iterable[bytes | None]) -> Fleet:
    cards = (msgspec.json.decode(card, type=WorkerCard) for card in raw if card)
    return Fleet(tuple(card for card in cards if card.wire == WIRE_VERSION))


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
        if time.monotonic() - self._read_at < _SCAN_SECONDS and self._fleet.cards:
            return self._fleet
        with reachable():
            names = cast("list[bytes]", await self._redis.zrange(keys.WORKERS, 0, -1))
            raw = await self._redis.mget([keys.worker(name.decode()) for name in names]) if names else []
            fleet = _read_cards(cast("list[bytes | None]", raw))
            if not fleet.cards:
                # When Redis refuses writes no worker can record a heartbeat: that is a different failure.
                await self._redis.set(keys.PROBE, 1, px=1000)
        self._fleet, self._read_at = fleet, time.monotonic()
        return self._fleet
