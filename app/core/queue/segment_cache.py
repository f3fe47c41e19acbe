"""Segments that are spoken already, kept in Redis: whoever goes on with an order speaks none twice, and nor does another text.

Each is kept in two places. For its order it is kept until that is finished, and whoever goes on after a crash finds the very
samples that were heard. For all others it is kept under its name, as long as there is room and it is asked for now and then.

Why twice and not once with a count of who needs it: an order ends in many ways, one of them that nobody is left to say so. What
is kept of it goes with it, in one step, and no count can be wrong. What is kept for others may go at any moment, and is spoken
again; an order that finds something there is given a copy of its own.

Why orders have a budget of their own: when `KOE_KEEP_BYTES` is spent nothing more is kept for them; a crash then costs the
segments beyond it, and no listener's audio. Of what is kept for others the longest unused makes room.
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
"""A segment of a job counts as if it had last been asked for so much of its time ago: a book has thousands that nobody asks for
again, and is not to drive out what listeners ask for.
"""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much of what is spoken is kept."""

    order_bytes: int
    """For unfinished orders, all of them together."""
    segment_bytes: int = 0
    """For others that have the same segments; 0 keeps nothing for them."""
    segment_ttl: int = 3600
    """Seconds that a segment is kept for others after it was last asked for."""


class KeptSegments:
    """What is kept for one order. `name` is an utterance's id, or any name that no utterance has."""

    def __init__(
        self, redis: Redis, name: str, *, budget: Budget, owner: str = "", take: str = "", is_listened: bool = True
    ) -> None:
        """`take` is the token of the utterance's take: an engine may end a segment of it when it is over, and then nothing is
        kept for it that nobody would drop. `is_listened`: a listener waits for it. `owner`: the only one who is to find what is
        kept for others; empty for everybody.
        """
        self._redis = redis
        self._name = name
        self._key = keys.kept(name)
        self._budget = budget
        self._owner = owner
        self._take = take
        self._aged_seconds = 0 if is_listened else round(_AGED_SHARE * budget.segment_ttl)
        self._keep = redis.register_script(load_script(__file__, "put_segment"))
        self._find = redis.register_script(load_script(__file__, "get_segment"))
        self._drop = redis.register_script(load_script(__file__, "drop_segments"))

    def find(self, digest: bytes, shared_as: str = "") -> bytes | None:
        """The sound of a segment, kept for this order by its digest or for all by the name `shared_as`. Raises RedisError when
        Redis is away.
        """
        found = self._find(keys=[self._key], args=self._args(digest, shared_as))
        return found if isinstance(found, bytes) else None

    def keep(self, digest: bytes, sound: bytes, shared_as: str = "") -> bool:
        """Keeps a segment, for others too when it has a name; False when it is not kept for this order, since the budget is
        spent or the take is over. Raises RedisError when Redis is away.
        """
        return bool(self._keep(keys=[self._key], args=[*self._args(digest, shared_as), sound]))

    def drop(self) -> None:
        """Forgets what is kept for the order."""
        self._drop(keys=[], args=[self._name])

    def _args(self, digest: bytes, shared_as: str) -> list[str | bytes | int]:
        budget = self._budget
        order: list[str | bytes | int] = [self._name, digest, self._take, int(budget.order_bytes), UNFINISHED_TTL_SECONDS]
        name = f"{self._owner}{shared_as}" if budget.segment_bytes and shared_as else ""
        return [*order, name, int(budget.segment_bytes), budget.segment_ttl, self._aged_seconds]


def sweep_kept(redis: Redis) -> None:
    """Takes what has expired out of the budget's account. To be called now and then by any worker."""
    redis.register_script(load_script(__file__, "sweep_segments"))(keys=[], args=[])
