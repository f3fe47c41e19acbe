"""Rate limits and concurrency limits of keys, stored in Redis so that all API processes agree.

Why the time of every request is stored and not a count for each minute: a count allows twice the limit around the turn of a
minute. The time comes from Redis, since the clocks of the machines may differ.

Why open requests carry the name of their API process: a killed process closes no request, so requests of a process without
a heartbeat record do not count.
"""

import secrets
from contextlib import suppress
from typing import Final

import msgspec
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from app.access.keyring import Key
from app.core.errors import RateLimited
from app.core.rate_limits import RateLimitStatus
from app.core.storage import keys
from app.core.storage.connections import reachable
from app.core.storage.lua import load_script

_OPEN_TTL_SECONDS: Final = 86_400


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """An admitted request."""

    key: Key
    name: str
    rate_limit_status: RateLimitStatus | None
    """None when the key has no rate limit."""


class Limiter:
    """Admits requests within the limits of their key."""

    def __init__(self, redis: AsyncRedis, *, api: str, api_ttl: int) -> None:
        """`api`: the name of this process. `api_ttl`: the TTL of its heartbeat record in seconds, as in the registry."""
        self._redis = redis
        self._api = api
        self._api_ttl = api_ttl
        self._admit = redis.register_script(load_script(__file__, "admit"))
        self._unclosed: set[Permit] = set()

    async def admit(self, key: Key, *, stays_open: bool) -> Permit:
        """Admits a request. The caller must `close` one that `stays_open`. Redis is asked only for keys with limits.

        Raises RateLimited, without counting the request, and NoWorker when Redis is unreachable.
        """
        name, limit = secrets.token_hex(8), key.rate_limit
        most_open = key.max_concurrent if stays_open else 0
        if limit is None and not most_open:
            return Permit(key=key, name="", rate_limit_status=None)
        with reachable():
            await self._close_pending()
            refused, n_left, reset_us, next_us = await self._admit(
                keys=[keys.asked(key.owner), keys.open_requests(key.owner)],
                args=[
                    self._api,
                    self._api_ttl,
                    name,
                    limit.n_requests if limit else 0,
                    limit.seconds * 1_000_000 if limit else 0,
                    most_open,
                    _OPEN_TTL_SECONDS,
                ],
            )
        rate_limit_status = RateLimitStatus(limit=limit, n_left=n_left, reset_seconds=reset_us / 1e6) if limit else None
        if refused == b"open":
            raise RateLimited.with_open(key.max_concurrent, rate_limit_status)
        if refused == b"rate":
            assert rate_limit_status is not None
            raise RateLimited.after(rate_limit_status, retry_after_seconds=next_us / 1e6)
        return Permit(key=key, name=name if most_open else "", rate_limit_status=rate_limit_status)

    async def close(self, permit: Permit) -> None:
        """Closes a request that has ended; retried later if Redis is unreachable."""
        if not permit.name:
            return
        self._unclosed.add(permit)
        with suppress(RedisError):
            await self._close_pending()

    async def _close_pending(self) -> None:
        while self._unclosed:
            permit = next(iter(self._unclosed))
            await self._redis.srem(keys.open_requests(permit.key.owner), f"{self._api} {permit.name}")
            self._unclosed.discard(permit)
