"""Checks before work begins whether Koe can work with the Redis it was given.

Why it runs commands and does not rely on INFO alone: a managed Redis may refuse INFO, and running a command is the surest test
of a user's permissions. An unreachable Redis is no error here: the first process to start waits for the other.
"""

from typing import Any, Final

import structlog
from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from app.core.errors import Misconfigured
from app.core.storage import keys
from app.core.storage.connections import connect, is_full, is_refusal
from app.core.storage.lua import load_script
from app.core.storage.sentinel import has_sentinels

log: Final = structlog.get_logger()

MIN_REDIS_VERSION: Final = (6, 2, 0)
"""The first version with all commands that Koe and RQ send."""

_LOOK_SECONDS: Final = 2.0
_ALLOW: Final = (
    "Outside cluster mode, allow its user all commands on the keys koe:* and rq:* and the channels koe:* (in an ACL: ~koe:* "
    "~rq:* &koe:* +@all)."
)


def check_redis_url(url: str) -> None:
    """Raises Misconfigured when Koe cannot work with this Redis. Ignores an unreachable one."""
    with connect(url, answer_seconds=_LOOK_SECONDS) as redis:
        try:
            check_redis(redis)
        except RedisError as error:
            log.warning("redis_away", error=type(error).__name__)


def check_redis(redis: Redis) -> None:
    """Raises Misconfigured when Koe cannot work with it, RedisError when it is unreachable; warns when it may lose work."""
    try:
        _look(_describe(redis), has_sentinels=has_sentinels(redis))
        _try(redis)
    except (AuthenticationError, AuthorizationError):
        raise Misconfigured(
            "KOE_REDIS_URL: Redis refuses the user or the password, or requires one and the URL has none."
        ) from None
    except NoPermissionError:
        raise Misconfigured(f"KOE_REDIS_URL: its user lacks permissions that Koe needs. {_ALLOW}") from None
    except ReadOnlyError:
        raise Misconfigured("KOE_REDIS_URL names a replica, which accepts no writes: name its primary.") from None
    except ResponseError as error:
        if is_full(error):
            log.warning("redis_full", remedy="Its disk or its memory is full: it refuses writes until there is room.")
        elif is_refusal(error):
            raise Misconfigured(f"KOE_REDIS_URL names a Redis that refuses commands that Koe needs. {_ALLOW}") from None
        else:
            raise


def _describe(redis: Redis) -> dict[str, Any]:
    """The server's INFO; empty when the user may not read it."""
    try:
        return redis.info()
    except AuthenticationError:
        raise
    except ResponseError:
        return {}


def _look(said: dict[str, Any], *, has_sentinels: bool) -> None:
    version = str(said.get("redis_version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers and numbers < MIN_REDIS_VERSION[:2]:
        raise Misconfigured(f"KOE_REDIS_URL names Redis {version}: Koe needs 6.2 or later, or Valkey.")
    if said.get("cluster_enabled"):
        raise Misconfigured(
            "KOE_REDIS_URL names a Redis in cluster mode, but Koe changes keys of several slots at once: name one without it "
            "(cluster-enabled no; one that is replicated and watched by sentinels is fine)."
        )
    if said.get("role") == "slave" and int(said.get("slave_read_only", 1)):
        if has_sentinels:
            raise RedisConnectionError("The primary has become a replica.")
        raise Misconfigured("KOE_REDIS_URL names a replica, which accepts no writes: name its primary.")
    policy = str(said.get("maxmemory_policy", ""))
    if policy.startswith("allkeys-") and said.get("maxmemory"):
        log.warning(
            "redis_may_evict",
            policy=policy,
            remedy="Jobs and their texts may be lost when memory is short: set maxmemory-policy to volatile-lru or noeviction.",
        )


def _try(redis: Redis) -> None:
    """Runs one command of each kind. Raises the error of Redis."""
    two = ["koe:probe:one", "rq:probe:two"]
    redis.eval(load_script(__file__, "try_commands"), len(two), *two)
    with redis.pipeline(transaction=True) as pipe:
        pipe.set(two[0], 1, px=1000)
        pipe.delete(*two)
        pipe.execute()
    with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(keys.NOTIFICATIONS)
        pubsub.get_message(timeout=_LOOK_SECONDS)
