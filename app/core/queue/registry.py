"""The registry of utterances: one record for each that is queued, being spoken or cached, changed in atomic steps.

An utterance is spoken in an *attempt*. An attempt that failed or was cancelled is over. The next request begins another one
with its own stream, so that a reader or a late writer of the first can never touch the second.

A worker holds an attempt by a *lease* with a fencing token. When a worker dies, another takes the lease and continues where the
stream ends. A worker wrongly presumed dead holds a stale lease; its writes are rejected.
"""

import secrets
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import KoeError, QueueFull, to_wire
from app.core.queue.broker import QueueName, rq_queue_key
from app.core.queue.fleet import Capacity
from app.core.storage import keys
from app.core.storage.lua import load_script

UNFINISHED_TTL_SECONDS: Final = 7200
"""TTL of a record or stream that is not finished."""

_ENDED_TTL_SECONDS: Final = 60
"""Seconds that an error stays readable."""

_ANY_NUMBER: Final = -1
_INTERACTIVE: Final = rq_queue_key(QueueName.INTERACTIVE)

API_SHARE: Final = 3
"""An API process without a heartbeat for this many times `KOE_WORKER_TIMEOUT` is dead; its readers no longer count."""

MAX_DEATHS: Final = 2
"""When this many workers die while an engine speaks or prepares an utterance, the utterance is poison and is not
tried again.
"""

MAX_WITHOUT_PROGRESS: Final = 5
"""Most workers in a row that may die with an utterance in flight without speaking another segment of it."""


class Found(StrEnum):
    """How an utterance was found; the value of the `x-koe-cache` header."""

    HIT = "hit"
    JOIN = "join"
    MISS = "miss"


class State(StrEnum):
    """State of a record."""

    QUEUED = "queued"
    SPEAKING = "speaking"
    PAUSED = "parked"
    """Paused: its readers are far behind, and no worker speaks it until they have caught up."""
    FINISHED = "finished"


class Attempt(msgspec.Struct, frozen=True):
    """One attempt to speak one utterance."""

    utterance_id: str
    token: str

    @property
    def stream(self) -> str:
        """The key of its audio stream."""
        return keys.audio(self.utterance_id, self.token)

    @property
    def both(self) -> list[str]:
        """The keys of its record and of its audio stream."""
        return [keys.utterance(self.utterance_id), self.stream]


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's lease of an attempt."""

    attempt: Attempt
    number: str
    n_bytes: int
    """Bytes of audio that an earlier worker has written."""
    listening_seconds: float
    """Seconds since the first of these bytes was written."""
    is_poison: bool
    """Workers died of this utterance; it is not tried again."""
    waited_seconds: float | None = None
    """Seconds that it waited in the queue; None when it was taken over from another worker."""

    @property
    def args(self) -> list[str | bytes | int]:
        """The arguments by which the scripts recognise the lease."""
        return [self.attempt.token, self.number]


class Look(msgspec.Struct, frozen=True):
    """The state of an attempt as a waiting reader sees it."""

    state: State
    has_worker: bool
    has_submitter: bool
    n_waiting: int
    """Utterances that wait for their first audio, if too many of them are before this one; else 0."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of a finished attempt."""

    n_segments: int
    n_phonemes: int
    audio_seconds: float
    n_bytes: int
    lead_seconds: float | None = None
    """Silence at the beginning of the audio; None when all of it is silence."""


class Registry:
    """The API's side of the registry: attach, look, read, detach, fail."""

    def __init__(
        self,
        redis: AsyncRedis,
        *,
        api: str,
        cache_ttl: int,
        cache_bytes: int,
        queued_ttl: int,
        stream_bytes: int,
        api_ttl: int = 15,
    ) -> None:
        """`api` names this process; its readers count for `api_ttl` seconds after its last heartbeat. `cache_ttl` and
        `cache_bytes` limit finished audio. `queued_ttl`: seconds that an utterance may wait for a worker. `stream_bytes`: most
        bytes that wait for a slow reader.
        """
        self._api_ttl = api_ttl
        self._api = api
        self._cache_bytes = int(cache_bytes)
        self._cache_ttl = cache_ttl
        self._queued_ttl = queued_ttl
        self._stream_bytes = int(stream_bytes)
        self._attach = redis.register_script(load_script(__file__, "attach"))
        self._detach = redis.register_script(load_script(__file__, "detach"))
        self._look = redis.register_script(load_script(__file__, "look"))
        self._read = redis.register_script(load_script(__file__, "read"))
        self._fail = redis.register_script(load_script(__file__, "fail"))
        self._redis = redis
        self._extend_ttl = redis.register_script(load_script(__file__, "extend"))

    async def attach(
        self,
        utterance_id: str,
        *,
        instead_of: Attempt | None = None,
        capacity: Capacity | None = None,
        expected_seconds: float = 0.0,
        owner: str = "",
    ) -> tuple[Found, Attempt] | None:
        """Adds one reader. After MISS the caller submits the utterance, or calls `fail`; every attach needs one detach.

        Raises QueueFull, and adds no reader, when it would be a MISS and as many utterances as `capacity` allows would get
        their first audio before it. Owners take turns, so `owner` waits for one utterance of each other owner.

        `instead_of` is an attempt whose audio Redis has lost. It ends for all its readers; a new attempt begins unless there is
        one already. Returns None when the utterance is being spoken and its beginning is already deleted: request it under
        another id. `expected_seconds`: estimated length of its audio.
        """
        args: list[str | int | float] = [
            secrets.token_hex(4),
            self._queued_ttl,
            self._cache_ttl,
            utterance_id,
            self._api,
            self._api_ttl,
            instead_of.token if instead_of else "",
            capacity.n_most if capacity else _ANY_NUMBER,
            expected_seconds,
            owner,
        ]
        found, token = await self._attach(keys=[keys.utterance(utterance_id)], args=args)
        if found == b"full":
            assert capacity is not None
            n_waiting = int(token)
            raise QueueFull.after(n_waiting, retry_after_seconds=capacity.seconds_until_free(n_waiting))
        return None if found == b"apart" else (Found(found.decode()), Attempt(utterance_id, token.decode()))

    async def n_waiting_for_first_audio(self) -> int:
        """Number of utterances that wait for their first audio."""
        return await self._redis.zcard(keys.WAITING_FOR_FIRST_AUDIO)

    async def announce(self) -> None:
        """Records a heartbeat of this process. To be called about every second."""
        await self._redis.set(keys.api(self._api), 1, ex=self._api_ttl)

    async def look(self, attempt: Attempt, *, n_in_time: int | None = None) -> Look | None:
        """The state of the attempt; None when it is over or lost.

        `n_in_time`: the most utterances that can get their first audio in time, if the reader must know whether this one can.
        """
        args: list[str | int] = [attempt.token, attempt.utterance_id, _ANY_NUMBER if n_in_time is None else n_in_time]
        seen = await self._look(keys=attempt.both, args=args)
        return Look(State(seen[0].decode()), bool(seen[1]), bool(seen[2]), seen[3]) if seen else None

    async def read(self, attempt: Attempt, n_bytes: int, entry: str) -> bool:
        """Records how many bytes a reader has read, and the last stream entry among them. True when the attempt was paused and
        the caller must submit it again.
        """
        return bool(await self._read(keys=attempt.both, args=[attempt.token, n_bytes, entry, self._stream_bytes]))

    @property
    def read_bytes(self) -> int:
        """A reader calls `read` each time it has read this many bytes."""
        return self._stream_bytes // 4

    async def keep(self, attempt: Attempt) -> None:
        """Extends the TTL of an attempt that is being read. To be called about every `keep_seconds`."""
        await self._extend_ttl(keys=attempt.both, args=[self._cache_ttl])

    @property
    def keep_seconds(self) -> float:
        """Half of the TTL of finished audio."""
        return self._cache_ttl / 2

    async def detach(self, attempt: Attempt) -> bool:
        """Removes one reader. True when it was the last one and this cancelled the work."""
        args: list[str | int] = [attempt.token, attempt.utterance_id, self._api, self._cache_bytes]
        return bool(await self._detach(keys=[*attempt.both, _INTERACTIVE], args=args))

    async def fail(self, attempt: Attempt, error: KoeError) -> None:
        """Ends the attempt with an error for all its readers."""
        await self._fail(keys=attempt.both, args=_fail_args(attempt, "", error))


class WorkerRegistry:
    """The worker's side of the registry: leases, risk, ending, finish, fail, release."""

    def __init__(self, redis: Redis, *, worker: str, cache_ttl: int, cache_bytes: int) -> None:
        self._redis = redis
        self._worker = worker
        self._cache_ttl = cache_ttl
        self._cache_bytes = int(cache_bytes)
        self._lease = redis.register_script(load_script(__file__, "lease"))
        self._abandon = redis.register_script(load_script(__file__, "abandon"))
        self._risk = redis.register_script(load_script(__file__, "risk"))
        self._ending = redis.register_script(load_script(__file__, "ending"))
        self._release = redis.register_script(load_script(__file__, "release"))
        self._never_reuse = redis.register_script(load_script(__file__, "never_reuse"))
        self._finish = redis.register_script(load_script(__file__, "finish"))
        self._fail = redis.register_script(load_script(__file__, "fail"))

    def lease(self, utterance_id: str, *, lease_id: str | None = None) -> Lease | None:
        """The attempt to speak now; None when nobody wants it or a live worker has it.

        `lease_id` names this call: a call whose reply was lost may be repeated under the same name.
        """
        args: list[str | bytes | int] = [
            self._worker,
            UNFINISHED_TTL_SECONDS,
            utterance_id,
            MAX_DEATHS,
            MAX_WITHOUT_PROGRESS,
            lease_id or secrets.token_hex(4),
        ]
        leased: Any = self._lease(keys=[keys.utterance(utterance_id)], args=args)
        if not leased:
            return None
        token, number, n_bytes, listening_ms, is_poison, waited_ms = leased
        return Lease(
            attempt=Attempt(utterance_id, token.decode()),
            number=number.decode(),
            n_bytes=n_bytes,
            listening_seconds=listening_ms / 1000,
            is_poison=bool(is_poison),
            waited_seconds=None if waited_ms < 0 else waited_ms / 1000,
        )

    def risk(self, lease: Lease, change: int, *, is_spoken: bool = False) -> None:
        """Counts segments that could end this process: 1 before an engine begins one, -1 after it. A spoken segment clears the
        deaths counted against the utterance. A new lease starts with 1, for its preparation.
        """
        self._risk(keys=lease.attempt.both[:1], args=[*lease.args, change, int(is_spoken)])

    def ending(self, lease: Lease) -> None:
        """Says that every segment is spoken. From now on the attempt is finished even if all readers leave."""
        self._ending(keys=lease.attempt.both[:1], args=lease.args)

    def release(self, lease: Lease, state: State) -> bool:
        """Releases the unfinished attempt, so that a worker can take it later. False when the lease was stale."""
        return bool(self._release(keys=lease.attempt.both[:1], args=[*lease.args, state.value, lease.attempt.utterance_id]))

    def paused(self) -> list[Attempt]:
        """The attempts that wait for slow readers; some of them may have stopped waiting."""
        names = cast("set[bytes]", self._redis.smembers(keys.PAUSED))
        return [Attempt(*name.decode().split(":")) for name in names]

    def abandon(self, attempt: Attempt) -> bool:
        """Cancels the attempt when no live API process has a reader of it. True when this cancelled it."""
        return bool(self._abandon(keys=attempt.both, args=[attempt.token, attempt.utterance_id]))

    def never_reuse(self, lease: Lease) -> None:
        """Says that the audio differs from what its id promises: later requests for the same utterance do not get it."""
        self._never_reuse(keys=lease.attempt.both[:1], args=lease.args)

    def finish(self, lease: Lease, report: Report, custom_voices: Iterable[str] = ()) -> int | None:
        """Ends the attempt well and evicts old audio from the cache. Returns how many segments engines have spoken for it, on
        all workers; None when the lease was stale. `custom_voices`: ids of the voices in it that users have made.
        """
        cache_args: list[str | bytes | int] = [lease.attempt.utterance_id, self._cache_ttl, self._cache_bytes]
        args = [*lease.args, *cache_args, msgspec.json.encode(report), " ".join(custom_voices)]
        n_spoken = int(self._finish(keys=lease.attempt.both, args=args))
        return None if n_spoken < 0 else n_spoken

    def fail(self, lease: Lease, error: KoeError) -> None:
        """Ends the attempt with an error for all its readers, unless the lease is stale."""
        self._fail(keys=lease.attempt.both, args=_fail_args(lease.attempt, lease.number, error))


def _fail_args(attempt: Attempt, number: str, error: KoeError) -> list[str | bytes | int]:
    fields = to_wire(error)
    ends: list[str | bytes | int] = [attempt.token, number, attempt.utterance_id, _ENDED_TTL_SECONDS]
    return [*ends, fields["code"], fields["message"], fields["param"]]
