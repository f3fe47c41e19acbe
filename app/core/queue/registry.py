"""The ledger: one record for each utterance that is queued, being spoken or kept, changed in atomic steps.

An utterance is spoken in a *take*: a take that failed or was cancelled is over, and asking again begins another with a stream
of its own, so that a reader or a late writer of the first can never touch the second.

A worker holds a take by a *claim*. When a worker dies, another claims the take and goes on where the stream ends; a worker that
was only thought dead holds a claim of yesterday, and nothing that it does counts any more.
"""

import secrets
from enum import StrEnum
from typing import Any, Final, cast

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import KoeError, QueueFull, to_wire
from app.core.queue.fleet import Room
from app.core.storage import keys
from app.core.storage.lua import load_script

UNFINISHED_TTL_SECONDS: Final = 7200
"""A record or stream that nobody finishes is forgotten after this."""

_ENDED_TTL_SECONDS: Final = 60
"""An error stays this long for those who are still reading."""

_ANY_NUMBER: Final = -1

API_SHARE: Final = 3
"""An API process that gives no sign of life for so many times `KOE_WORKER_TIMEOUT` has left no readers."""

MOST_DEATHS: Final = 2
"""An utterance that was with an engine, or being prepared, when so many workers died is taken for the cause."""

MOST_FRUITLESS: Final = 5
"""So many workers may die in a row with an utterance in hand of which not one more segment was spoken."""


class Found(StrEnum):
    """How an utterance was found; the `x-koe-cache` header."""

    HIT = "hit"
    JOIN = "join"
    MISS = "miss"


class State(StrEnum):
    """Of a record."""

    QUEUED = "queued"
    SPEAKING = "speaking"
    PARKED = "parked"
    """Its readers have more than they take: nobody speaks it until they have caught up."""
    FINISHED = "finished"


class Take(msgspec.Struct, frozen=True):
    """One attempt at speaking one utterance."""

    utterance_id: str
    token: str

    @property
    def stream(self) -> str:
        """The key of its audio."""
        return keys.audio(self.utterance_id, self.token)

    @property
    def both(self) -> list[str]:
        """The keys of its record and of its audio."""
        return [keys.utterance(self.utterance_id), self.stream]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's hold on a take."""

    take: Take
    number: str
    n_bytes: int
    """Audio that an earlier worker has written."""
    listening_seconds: float
    """How long ago the first of it was written."""
    is_lethal: bool
    """Workers died of it, and it is not to be tried again."""

    @property
    def args(self) -> list[str | bytes | int]:
        """What the scripts know it by."""
        return [self.take.token, self.number]


class Look(msgspec.Struct, frozen=True):
    """What a waiting reader sees of its take."""

    state: State
    has_worker: bool
    has_submitter: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished take amounts to."""

    n_segments: int
    n_phonemes: int
    audio_seconds: float
    n_bytes: int


class Ledger:
    """The API's side: attach, look, read, detach, fail."""

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
        """`api` names this process, whose readers count for `api_ttl` seconds after a sign of life. The others: seconds and
        bytes of finished audio that are kept, seconds that anything may wait for a worker at all, and most bytes that wait for
        a slow reader.
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
        self._put_off = redis.register_script(load_script(__file__, "extend"))

    async def attach(
        self, utterance_id: str, *, instead_of: Take | None = None, room: Room | None = None
    ) -> tuple[Found, Take] | None:
        """Counts a reader in. After MISS the caller submits the work, or calls `fail`; every attach is followed by a detach.

        Raises QueueFull, and counts nobody in, when it would be a MISS and more wait for their first sound than there is `room`
        for.

        `instead_of` is a take whose audio Redis has lost: it is over, with all its readers, and another begins unless one has.
        None when the utterance is being spoken and its beginning is gone already: it must be asked for under another id.
        """
        args: list[str | int] = [
            secrets.token_hex(4),
            self._queued_ttl,
            self._cache_ttl,
            utterance_id,
            self._api,
            self._api_ttl,
            instead_of.token if instead_of else "",
            room.n_most if room else _ANY_NUMBER,
        ]
        found, token = await self._attach(keys=[keys.utterance(utterance_id)], args=args)
        if found == b"full":
            assert room is not None
            n_waiting = int(token)
            raise QueueFull.after(n_waiting, retry_after_seconds=room.seconds_until_free(n_waiting))
        return None if found == b"apart" else (Found(found.decode()), Take(utterance_id, token.decode()))

    async def n_unheard(self) -> int:
        """How many utterances somebody waits for who has not heard anything of them."""
        return await self._redis.zcard(keys.UNHEARD)

    async def announce(self) -> None:
        """Says that this process lives. To be called every second or so."""
        await self._redis.set(keys.api(self._api), 1, ex=self._api_ttl)

    async def look(self, take: Take) -> Look | None:
        """How the take stands; None when it is over or lost."""
        seen = await self._look(keys=take.both, args=[take.token])
        return Look(State(seen[0].decode()), bool(seen[1]), bool(seen[2])) if seen else None

    async def read(self, take: Take, n_bytes: int, entry: str) -> bool:
        """Notes that a reader has read so many bytes, up to that entry of the stream. True when the take was parked, and the
        caller is to submit it again.
        """
        return bool(await self._read(keys=take.both, args=[take.token, n_bytes, entry, self._stream_bytes]))

    @property
    def read_bytes(self) -> int:
        """How often a reader is to note what it has read."""
        return self._stream_bytes // 4

    async def keep(self, take: Take) -> None:
        """Puts off the end of what is being read. To be called every `keep_seconds` or so."""
        await self._put_off(keys=take.both, args=[self._cache_ttl])

    @property
    def keep_seconds(self) -> float:
        """Half of the time that finished audio is kept."""
        return self._cache_ttl / 2

    async def detach(self, take: Take) -> bool:
        """Counts a reader out. True when it was the last one and the work is cancelled by that."""
        return bool(await self._detach(keys=take.both, args=[take.token, take.utterance_id, self._api, self._cache_bytes]))

    async def fail(self, take: Take, error: KoeError) -> None:
        """Ends the take with an error that all its readers get."""
        await self._fail(keys=take.both, args=_fail_args(take, "", error))


class WorkerLedger:
    """The worker's side: claim, risk, ending, never reuse, finish, fail, let go."""

    def __init__(self, redis: Redis, *, worker: str, cache_ttl: int, cache_bytes: int) -> None:
        self._redis = redis
        self._worker = worker
        self._cache_ttl = cache_ttl
        self._cache_bytes = int(cache_bytes)
        self._claim = redis.register_script(load_script(__file__, "lease"))
        self._abandon = redis.register_script(load_script(__file__, "abandon"))
        self._risk = redis.register_script(load_script(__file__, "risk"))
        self._ending = redis.register_script(load_script(__file__, "ending"))
        self._let_go = redis.register_script(load_script(__file__, "release"))
        self._never_reuse = redis.register_script(load_script(__file__, "never_reuse"))
        self._finish = redis.register_script(load_script(__file__, "finish"))
        self._fail = redis.register_script(load_script(__file__, "fail"))

    def claim(self, utterance_id: str, *, attempt: str | None = None) -> Claim | None:
        """The take to speak now; None when nobody wants it any more or a living worker has it.

        `attempt` is a name for this claim: with the same, a claim whose answer was lost may be made again.
        """
        args: list[str | bytes | int] = [
            self._worker,
            UNFINISHED_TTL_SECONDS,
            utterance_id,
            MOST_DEATHS,
            MOST_FRUITLESS,
            attempt or secrets.token_hex(4),
        ]
        claimed: Any = self._claim(keys=[keys.utterance(utterance_id)], args=args)
        if not claimed:
            return None
        token, number, n_bytes, listening_ms, is_lethal = claimed
        return Claim(
            take=Take(utterance_id, token.decode()),
            number=number.decode(),
            n_bytes=n_bytes,
            listening_seconds=listening_ms / 1000,
            is_lethal=bool(is_lethal),
        )

    def risk(self, claim: Claim, change: int, *, is_spoken: bool = False) -> None:
        """Counts what could end this process just now: 1 before an engine begins a segment, -1 after. A segment that is spoken
        clears the utterance of what was counted against it. A new claim is at risk by 1, for its preparation.
        """
        self._risk(keys=claim.take.both[:1], args=[*claim.args, change, int(is_spoken)])

    def ending(self, claim: Claim) -> None:
        """Says that all is spoken and little is left to do: from now on the take is finished even if everybody leaves."""
        self._ending(keys=claim.take.both[:1], args=claim.args)

    def let_go(self, claim: Claim, state: State) -> bool:
        """Gives the take back unfinished, to be claimed again later. False when it was not held any more."""
        return bool(self._let_go(keys=claim.take.both[:1], args=[*claim.args, state.value, claim.take.utterance_id]))

    def parked(self) -> list[Take]:
        """The takes that wait for their readers, and some that do no longer."""
        names = cast("set[bytes]", self._redis.smembers(keys.PARKED))
        return [Take(*name.decode().split(":")) for name in names]

    def abandon(self, take: Take) -> bool:
        """Cancels the take when nobody reads it any more whose API process lives. True when it did."""
        return bool(self._abandon(keys=take.both, args=[take.token, take.utterance_id]))

    def never_reuse(self, claim: Claim) -> None:
        """Says that the take does not sound as its id promises: whoever asks for the same from now on does not get it."""
        self._never_reuse(keys=claim.take.both[:1], args=claim.args)

    def finish(self, claim: Claim, report: Report) -> int | None:
        """Ends the take well and keeps it within the cache's budget. Returns how many segments engines have spoken for it, on
        all workers; None when the take was not held any more.
        """
        args = [*claim.args, claim.take.utterance_id, self._cache_ttl, self._cache_bytes, msgspec.json.encode(report)]
        n_spoken = int(self._finish(keys=claim.take.both, args=args))
        return None if n_spoken < 0 else n_spoken

    def fail(self, claim: Claim, error: KoeError) -> None:
        """Ends the take, if it is still held, with an error that all its readers get."""
        self._fail(keys=claim.take.both, args=_fail_args(claim.take, claim.number, error))


def _fail_args(take: Take, number: str, error: KoeError) -> list[str | bytes | int]:
    fields = to_wire(error)
    ends: list[str | bytes | int] = [take.token, number, take.utterance_id, _ENDED_TTL_SECONDS]
    return [*ends, fields["code"], fields["message"], fields["param"]]
