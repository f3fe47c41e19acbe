"""The segment cache in Redis: a worker that continues a task speaks no segment twice, and other texts reuse segments.

A segment is stored in two places. Under its task it stays until the task is finished; a worker that continues after a crash
finds exactly the samples that listeners have already received. Under its own name it is for all texts, and stays while there is
room and requests for it come.

Why two copies and not one with a reference count: a task ends in many ways, and sometimes no process is left to report it. The
copies of a task are deleted with the task in one step, so no count can be wrong. A shared copy may be evicted at any time and
is then spoken again; a task that finds one receives its own copy.

Why tasks have their own budget: when `KOE_KEEP_BYTES` is spent no more segments are stored for them. A crash then costs the
segments beyond it, but no audio that a listener has received. Among shared copies the longest unused is evicted first.
"""

from typing import Final

import msgspec
from redis import Redis

from app.core.queue.registry import UNFINISHED_TTL_SECONDS
from app.core.storage import keys
from app.core.storage.lua import load_script

TOTAL: Final = "total"
"""Field of `koe:kept` and of `koe:segments:sizes` that holds the sum."""

_AGED_SHARE: Final = 0.5
"""A segment of a job starts with this share of its TTL used up. A book has thousands of segments that are never requested
again; they must not evict those that listeners request.
"""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the segment cache."""

    task_bytes: int
    """Most bytes for unfinished tasks, in total."""
    segment_bytes: int = 0
    """Most bytes of shared segments; 0 stores none."""
    segment_ttl: int = 3600
    """Seconds that a shared segment stays after its last use."""


class SegmentCache:
    """The cached segments of one task. `name` is an utterance's id, or any name that no utterance has."""

    def __init__(
        self, redis: Redis, name: str, *, budget: Budget, owner: str = "", attempt: str = "", is_listened: bool = True
    ) -> None:
        """`attempt` is the token of the utterance's attempt: an engine may finish a segment after the attempt is over, and then
        nothing is stored for it, because nothing would delete it. `is_listened`: a listener waits for it. `owner`: the only
        owner that may find the shared copies; empty for everybody.
        """
        self._redis = redis
        self._name = name
        self._key = keys.cached_segments(name)
        self._budget = budget
        self._owner = owner
        self._attempt = attempt
        self._aged_seconds = 0 if is_listened else round(_AGED_SHARE * budget.segment_ttl)
        self._put = redis.register_script(load_script(__file__, "put_segment"))
        self._get = redis.register_script(load_script(__file__, "get_segment"))
        self._drop = redis.register_script(load_script(__file__, "drop_segments"))

    def get(self, digest: bytes, shared_as: str = "") -> bytes | None:
        """The pcm of a segment: the task's own copy, by its digest, or the shared one, by the name `shared_as`. Raises
        RedisError when Redis is unreachable.
        """
        found = self._get(keys=[self._key], args=self._args(digest, shared_as))
        return found if isinstance(found, bytes) else None

    def put(self, digest: bytes, sound: bytes, shared_as: str = "") -> bool:
        """Stores a segment, shared too when `shared_as` names it. False when no copy is stored for this task, because the
        budget is spent or the attempt is over. Raises RedisError when Redis is unreachable.
        """
        return bool(self._put(keys=[self._key], args=[*self._args(digest, shared_as), sound]))

    def drop(self) -> None:
        """Deletes the segments of the task."""
        self._drop(keys=[], args=[self._name])

    def _args(self, digest: bytes, shared_as: str) -> list[str | bytes | int]:
        budget = self._budget
        task_args: list[str | bytes | int] = [self._name, digest, self._attempt, int(budget.task_bytes), UNFINISHED_TTL_SECONDS]
        name = f"{self._owner}{shared_as}" if budget.segment_bytes and shared_as else ""
        return [*task_args, name, int(budget.segment_bytes), budget.segment_ttl, self._aged_seconds]


def sweep_segment_cache(redis: Redis) -> None:
    """Subtracts expired segments from the budget's sum. To be called now and then by any worker."""
    redis.register_script(load_script(__file__, "sweep_segments"))(keys=[], args=[])
