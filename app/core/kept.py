"""Segments that are spoken already, kept in Redis for as long as their order is unfinished: whoever goes on speaks none twice.

Why whole orders and one budget: what is kept of an order goes with it, in one step, and together they stay within
`KOE_KEEP_BYTES`. When that is spent nothing more is kept; a crash then costs the segments beyond it, and no listener's audio.
"""

from typing import Final

from redis import Redis

from app.core import keys, scripts
from app.core.ledger import UNFINISHED_TTL_SECONDS

TOTAL: Final = "total"
"""Field of `koe:kept` that holds the sum."""


class KeptSegments:
    """What is kept for one order. `name` is an utterance's id, or any name that no utterance has."""

    def __init__(self, redis: Redis, name: str, *, budget_bytes: int, take: str = "") -> None:
        """`take` is the token of the utterance's take: an engine may end a segment of it when it is over, and then nothing is
        kept that nobody would drop.
        """
        self._redis = redis
        self._name = name
        self._key = keys.kept(name)
        self._budget_bytes = int(budget_bytes)
        self._take = take
        self._keep = redis.register_script(scripts.KEEP)
        self._drop = redis.register_script(scripts.DROP)
        self._is_empty: bool | None = None

    def find(self, digest: bytes) -> bytes | None:
        """The pcm of a segment. Raises RedisError when Redis is away."""
        if self._is_empty is None:
            # Looked up once: almost always nothing is kept when an order begins, and then each segment need not ask.
            self._is_empty = not self._redis.exists(self._key)
        found = None if self._is_empty else self._redis.hget(self._key, digest)
        return found if isinstance(found, bytes) else None

    def keep(self, digest: bytes, pcm: bytes) -> bool:
        """Keeps a segment; False when the budget is spent, or the take is over. Raises RedisError when Redis is away."""
        self._is_empty = False
        args: list[str | bytes | int] = [self._name, digest, pcm, self._budget_bytes, UNFINISHED_TTL_SECONDS, self._take]
        return bool(self._keep(keys=[self._key], args=args))

    def drop(self) -> None:
        """Forgets all of it."""
        self._drop(keys=[], args=[self._name])


def sweep_kept(redis: Redis) -> None:
    """Takes what has expired out of the budget's account. To be called now and then by any worker."""
    redis.register_script(scripts.SWEEP)(keys=[], args=[])
