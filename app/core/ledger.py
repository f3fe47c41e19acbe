"""The ledger: one record for each utterance that is queued, being spoken or kept, changed in atomic steps.

Why scripts: that two hundred equal requests cost one synthesis, that the last listener to leave cancels it, and that the
cache stays within its budget are each a decision over several keys, taken by many processes at once.

An utterance is spoken in a *take*: a take that failed or was cancelled is over, and asking again begins another with a stream
of its own, so that a reader or a late writer of the first can never touch the second.
"""

import secrets
from enum import StrEnum
from typing import Any, Final

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core import keys
from app.core.errors import KoeError, to_wire

UNFINISHED_TTL_SECONDS: Final = 7200
"""A record or stream that nobody finishes is forgotten after this."""

_ENDED_TTL_SECONDS: Final = 60
"""An error stays this long for those who are still reading."""

# KEYS: record. ARGV: new take, queued ttl, cache ttl, cache key, id, prefixes of the stream's and the worker's key.
# What a dead worker was speaking is not joined.
_ATTACH: Final = """
local state, take, worker = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'worker'))
if state == 'queued' or (state == 'speaking' and redis.call('EXISTS', ARGV[7] .. worker) == 1) then
  redis.call('HINCRBY', KEYS[1], 'readers', 1)
  return {'join', take}
end
if state == 'finished' and redis.call('EXPIRE', ARGV[6] .. take, ARGV[3]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'readers', 1)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  redis.call('ZADD', ARGV[4], redis.call('TIME')[1], ARGV[5])
  return {'hit', take}
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'queued', 'take', ARGV[1], 'readers', 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {'miss', ARGV[1]}
"""

# KEYS: record, stream. ARGV: take, id, channel of what is gone. Returns 1 when the utterance is cancelled by this.
_DETACH: Final = """
local state, take, ending = unpack(redis.call('HMGET', KEYS[1], 'state', 'take', 'ending'))
if take ~= ARGV[1] then return 0 end
local readers = redis.call('HINCRBY', KEYS[1], 'readers', -1)
if readers > 0 or state == 'finished' or ending then return 0 end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('PUBLISH', ARGV[3], ARGV[2] .. ':' .. take)
return 1
"""

# KEYS: record. ARGV: worker, prefix of the stream's key, unfinished ttl, id, bell. Returns the take, or nothing.
_CLAIM: Final = """
local state, take = unpack(redis.call('HMGET', KEYS[1], 'state', 'take'))
if state ~= 'queued' then return false end
redis.call('HSET', KEYS[1], 'state', 'speaking', 'worker', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('XADD', ARGV[2] .. take, '*', 'kind', 'start', 'worker', ARGV[1])
redis.call('EXPIRE', ARGV[2] .. take, ARGV[3])
redis.call('PUBLISH', ARGV[5], ARGV[4])
return take
"""

# KEYS: record, stream, cache, sizes. ARGV: take, id, bell, ttl, budget, bytes of audio, report (JSON), prefixes of records
# and streams, ttl of a stream without a record. Returns 0 when the take is not what the record is about any more; who still
# reads it hears its end all the same. What is being read is never evicted.
_FINISH: Final = """
local ended = redis.call('XADD', KEYS[2], 'NOMKSTREAM', '*', 'kind', 'stop', 'report', ARGV[7])
redis.call('PUBLISH', ARGV[3], ARGV[2])
if not ended then return 0 end
if redis.call('HGET', KEYS[1], 'take') ~= ARGV[1] then
  redis.call('EXPIRE', KEYS[2], ARGV[10])
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'finished')
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
local now = tonumber(redis.call('TIME')[1])
local function forget(id)
  redis.call('HINCRBY', KEYS[4], 'total', -tonumber(redis.call('HGET', KEYS[4], id) or 0))
  redis.call('HDEL', KEYS[4], id)
  redis.call('ZREM', KEYS[3], id)
end
forget(ARGV[2])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[4]))) do forget(id) end
redis.call('ZADD', KEYS[3], now, ARGV[2])
redis.call('HSET', KEYS[4], ARGV[2], ARGV[6])
local total = redis.call('HINCRBY', KEYS[4], 'total', ARGV[6])
if total > tonumber(ARGV[5]) then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    if total <= tonumber(ARGV[5]) then break end
    local record = ARGV[8] .. id
    local readers, take = unpack(redis.call('HMGET', record, 'readers', 'take'))
    if tonumber(readers or 0) <= 0 then
      total = total - tonumber(redis.call('HGET', KEYS[4], id) or 0)
      forget(id)
      if take then redis.call('DEL', record, ARGV[9] .. id .. ':' .. take) end
    end
  end
end
return 1
"""

# KEYS: record, stream. ARGV: take, id, bell, ttl, code, message, param. The record goes: asking again begins anew.
_FAIL: Final = """
local is_current = redis.call('HGET', KEYS[1], 'take') == ARGV[1]
if not is_current and redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
redis.call('XADD', KEYS[2], '*', 'kind', 'error', 'code', ARGV[5], 'message', ARGV[6], 'param', ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[4])
if is_current then redis.call('DEL', KEYS[1]) end
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1
"""

# KEYS: record, stream. ARGV: ttl. What is finished is kept while it is read, however slowly.
_KEEP: Final = """
for _, key in ipairs(KEYS) do
  local left = redis.call('TTL', key)
  if left >= 0 and left < tonumber(ARGV[1]) then redis.call('EXPIRE', key, ARGV[1]) end
end
"""

# KEYS: record. ARGV: take.
_ENDING: Final = """
if redis.call('HGET', KEYS[1], 'take') == ARGV[1] then redis.call('HSET', KEYS[1], 'ending', 1) end
"""


class Found(StrEnum):
    """How an utterance was found; the `x-koe-cache` header."""

    HIT = "hit"
    JOIN = "join"
    MISS = "miss"


class Take(msgspec.Struct, frozen=True):
    """One attempt at speaking one utterance."""

    utterance_id: str
    token: str

    @property
    def stream(self) -> str:
        """The key of its audio."""
        return keys.audio(self.utterance_id, self.token)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished take amounts to."""

    n_segments: int
    n_phonemes: int
    audio_seconds: float
    n_bytes: int


class Ledger:
    """The API's side: attach, detach, fail."""

    def __init__(self, redis: AsyncRedis, *, cache_ttl: int, queued_ttl: int) -> None:
        """Both in seconds: how long finished audio is kept, and how long anything may wait for a worker at all."""
        self._cache_ttl = cache_ttl
        self._queued_ttl = queued_ttl
        self._attach = redis.register_script(_ATTACH)
        self._detach = redis.register_script(_DETACH)
        self._fail = redis.register_script(_FAIL)
        self._keep = redis.register_script(_KEEP)
        self._redis = redis

    async def attach(self, utterance_id: str) -> tuple[Found, Take]:
        """Counts a reader in. After MISS the caller submits the work, or calls `fail`; every attach is followed by a detach."""
        found, token = await self._attach(
            keys=[keys.utterance(utterance_id)],
            args=[
                secrets.token_hex(4),
                self._queued_ttl,
                self._cache_ttl,
                keys.CACHE,
                utterance_id,
                keys.audio(utterance_id, ""),
                keys.worker(""),
            ],
        )
        return Found(found.decode()), Take(utterance_id, token.decode())

    async def is_queued(self, take: Take) -> bool:
        """True while the take waits for a worker."""
        state, token = await self._redis.hmget(keys.utterance(take.utterance_id), ["state", "take"])
        return state == b"queued" and token == take.token.encode()

    async def keep(self, take: Take) -> None:
        """Puts off the end of what is being read. To be called every `keep_seconds` or so."""
        await self._keep(keys=_both(take), args=[self._cache_ttl])

    @property
    def keep_seconds(self) -> float:
        """Half of the time that finished audio is kept."""
        return self._cache_ttl / 2

    async def detach(self, take: Take) -> bool:
        """Counts a reader out. True when it was the last one and the work is cancelled by that."""
        record = keys.utterance(take.utterance_id)
        args = [take.token, take.utterance_id, keys.GONE]
        return bool(await self._detach(keys=[record, take.stream], args=args))

    async def fail(self, take: Take, error: KoeError) -> None:
        """Ends the take with an error that all its readers get."""
        await self._fail(keys=_both(take), args=_fail_args(take, error))


class WorkerLedger:
    """The worker's side: claim, ending, finish, fail."""

    def __init__(self, redis: Redis, *, worker: str, cache_ttl: int, cache_bytes: int) -> None:
        self._worker = worker
        self._cache_ttl = cache_ttl
        self._cache_bytes = int(cache_bytes)
        self._claim = redis.register_script(_CLAIM)
        self._ending = redis.register_script(_ENDING)
        self._finish = redis.register_script(_FINISH)
        self._fail = redis.register_script(_FAIL)

    def claim(self, utterance_id: str) -> Take | None:
        """The take to speak now; None when nobody wants it any more or somebody else has it."""
        token: Any = self._claim(
            keys=[keys.utterance(utterance_id)],
            args=[self._worker, keys.audio(utterance_id, ""), UNFINISHED_TTL_SECONDS, utterance_id, keys.BELL],
        )
        return Take(utterance_id, token.decode()) if token else None

    def ending(self, take: Take) -> None:
        """Says that all is spoken and little is left to do: from now on the take is finished even if everybody leaves."""
        self._ending(keys=[keys.utterance(take.utterance_id)], args=[take.token])

    def finish(self, take: Take, report: Report) -> bool:
        """Ends the take well and keeps it within the cache's budget. False when the take was cancelled meanwhile."""
        args: list[str | bytes | int] = [take.token, take.utterance_id, keys.BELL, self._cache_ttl, self._cache_bytes]
        args += [report.n_bytes, msgspec.json.encode(report), keys.utterance(""), keys.AUDIO, _ENDED_TTL_SECONDS]
        return bool(self._finish(keys=[*_both(take), keys.CACHE, keys.CACHE_SIZES], args=args))

    def fail(self, take: Take, error: KoeError) -> None:
        """Ends the take with an error that all its readers get."""
        self._fail(keys=_both(take), args=_fail_args(take, error))


def _both(take: Take) -> list[str]:
    return [keys.utterance(take.utterance_id), take.stream]


def _fail_args(take: Take, error: KoeError) -> list[str | bytes | int]:
    fields = to_wire(error)
    ends: list[str | bytes | int] = [take.token, take.utterance_id, keys.BELL, _ENDED_TTL_SECONDS]
    return [*ends, fields["code"], fields["message"], fields["param"]]
