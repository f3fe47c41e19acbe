"""The fleet: which worker processes are alive, and what they can speak.

Why the engines of a fleet are those that *every* live worker has loaded: any worker may take any utterance, and a request must
not fail or sound otherwise by the chance of who takes it.
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
from app.core.speech.utterance import WIRE_VERSION
from app.core.storage import keys
from app.core.storage.connections import reachable
from app.core.weights.files import Precision

_SCAN_SECONDS: Final = 0.5
_FORGET_SECONDS: Final = 3600.0
_HAND_TTL_SECONDS: Final = 7200


Weights = Precision | Literal["mixed"]
"""`mixed` where workers differ."""

_MIXED: Final = (
    "Some workers have Kokoro's original weights and some have 8-bit ones, so the same text does not always sound the same. "
    "`koe fetch --from hub`, on each machine with workers, gets the original."
)


class WorkerCard(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker process says of itself, anew at every heartbeat."""

    name: str
    engines: tuple[str, ...]
    """Loaded and warm."""
    missing: str | None = None
    """Why an engine that was wanted is not loaded, and the command that mends it: one sentence."""
    weights: Precision | None = None
    """How exact Kokoro's weights are; None without Kokoro."""
    identities: dict[str, str] = {}
    """Engine → a short digest of its identity: equal where the same segment sounds the same."""
    n_slots: int = 0
    n_threads: int = 1
    """Segments that it speaks at a time."""
    first_sound_seconds: float = 0.0
    """Between one listener's first sound and the next's while many wait, as lately measured; 0 before any was."""
    started_at: float = 0.0
    """Seconds since 1970, UTC."""
    wire: int = 1
    """WIRE_VERSION of its side: it takes no work from an API of another."""


class Room(msgspec.Struct, frozen=True):
    """How many may wait for their first sound."""

    n_most: int
    seconds_each: float
    """From one listener's first sound to the next's."""

    def seconds_until_free(self, n_waiting: int) -> int:
        """When there is room for one more behind so many, at least a second from now."""
        return max(1, math.ceil((n_waiting - self.n_most + 1) * self.seconds_each))


class Fleet(msgspec.Struct, frozen=True):
    """The workers alive at one moment."""

    cards: tuple[WorkerCard, ...] = ()

    @property
    def engines(self) -> frozenset[str]:
        """Names of the engines that every worker has loaded; empty with no worker."""
        return frozenset.intersection(*(frozenset(card.engines) for card in self.cards)) if self.cards else frozenset()

    @property
    def n_threads(self) -> int:
        """To how many it speaks at a time."""
        return sum(card.n_threads for card in self.cards)

    @property
    def best(self) -> str | None:
        """The engine that the model names of OpenAI get; None with no worker."""
        return best_engine(self.engines)

    @property
    def missing(self) -> str | None:
        """Why a better engine is not loaded, in the words of the first worker that lacks one."""
        return next((card.missing for card in self.cards if card.missing), None)

    def weights_of(self, engine: str | None) -> Weights | None:
        """How exact the weights are that `engine` speaks with; None where it has none."""
        found = {card.weights for card in self.cards} - {None} if engine == "kokoro" and engine in self.engines else set()
        return "mixed" if len(found) > 1 else next(iter(found), None)

    def identities_of(self, engine: str) -> tuple[str, ...]:
        """The digests of all that may speak a request for `engine`, sorted: one, unless workers differ."""
        return tuple(sorted({card.identities[engine] for card in self.cards if engine in card.identities}))

    @property
    def notice(self) -> str | None:
        """What is wrong with the fleet though it speaks, and the command that mends it."""
        return self.missing or (_MIXED if self.weights_of(self.best) == "mixed" else None)

    def room(self, wait_seconds: float) -> Room | None:
        """For as many as the fleet can let hear something within `wait_seconds`, and always for as many as it speaks to at a
        time; None while its pace is not known. A worker that has not been measured is taken for one like the others.
        """
        measured = [card.first_sound_seconds for card in self.cards if card.first_sound_seconds > 0]
        if not measured:
            return None
        per_second = sum(1 / seconds for seconds in measured) * len(self.cards) / len(measured)
        n_most = max(self.n_threads, int(wait_seconds * per_second))
        return Room(n_most, 1 / per_second)


class FleetView(Protocol):
    """Where the API asks for the fleet."""

    async def now(self) -> Fleet:
        """The workers alive. Raises NoWorker when Redis is away, QueueStorageFull when it takes nothing in."""
        ...


def process_name() -> str:
    """A name for this process that no other has."""
    return name_prefix(os.getpid()) + secrets.token_hex(2)


def name_prefix(pid: int) -> str:
    """What the name of a process of this machine begins with; a few random digits follow, since process ids come again."""
    return f"{socket.gethostname()}-{pid}-"


def announce(
    redis: Redis, card: WorkerCard, ttl_seconds: float, *, takes_work: bool, in_hand: Iterable[str] | None = None
) -> None:
    """Says that this worker is alive, for the next `ttl_seconds`. One that takes no more work leaves the fleet but stays known
    to the readers of what it is still speaking.

    `in_hand` are its attempts at utterances. Why they are told: a Redis that has lost its last seconds, or the replica that
    took over from it, may say that this worker speaks what it has let go of.
    """
    # Redis' own clock: those of the machines may differ, and one that runs ahead must not sweep the others away.
    now = float(redis.time()[0])
    # One step: an attempt must not seem to be let go of in between.
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
    """Says that this worker is gone."""
    pipe = redis.pipeline(transaction=False)
    pipe.zrem(keys.WORKERS, name)
    pipe.delete(keys.worker(name), keys.hand(name))
    pipe.execute()


def some_worker_has(redis: Redis, engine: str) -> bool:
    """Whether a worker that takes work has loaded the engine. Raises RedisError when Redis is away."""
    names = cast("list[bytes]", redis.zrange(keys.WORKERS, 0, -1))
    raw = redis.mget([keys.worker(name.decode()) for name in names]) if names else []
    return any(engine in card.engines for card in _read_cards(cast("list[bytes | None]", raw)).cards)


def _read_cards(raw: Iterable[bytes | None]) -> Fleet:
    cards = (msgspec.json.decode(card, type=WorkerCard) for card in raw if card)
    return Fleet(tuple(card for card in cards if card.wire == WIRE_VERSION))


class RedisFleet:
    """The fleet as Redis knows it, looked up at most twice a second."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._fleet = Fleet()
        self._read_at = float("-inf")

    async def now(self) -> Fleet:
        """See FleetView. An empty fleet is never remembered: the first worker is seen at once."""
        if time.monotonic() - self._read_at < _SCAN_SECONDS and self._fleet.cards:
            return self._fleet
        with reachable():
            names = cast("list[bytes]", await self._redis.zrange(keys.WORKERS, 0, -1))
            raw = await self._redis.mget([keys.worker(name.decode()) for name in names]) if names else []
            fleet = _read_cards(cast("list[bytes | None]", raw))
            if not fleet.cards:
                # Where nothing can be written no worker can say that it lives: that is another trouble.
                await self._redis.set(keys.PROBE, 1, px=1000)
        self._fleet, self._read_at = fleet, time.monotonic()
        return self._fleet
