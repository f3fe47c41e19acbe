"""Connections to Redis, for both sides, with one set of habits: fail soon, and let the caller decide whether to wait.

Why no retries inside the client: the API turns a lost Redis into a 503 at once, and the workers have their own patience.

Why the two pools differ: hundreds of readers share the connections of an event loop and wait their turn for one, where
redis-py's own pool would raise at the hundred-and-first; in a worker most connections are held by slots that wait for a job, so
each thread must be able to have its own.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import structlog
from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    OutOfMemoryError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from app.core.errors import KoeError, NoWorker, QueueRefuses, QueueStorageFull
from app.core.storage import keys
from app.core.storage.redis_url import read_redis_url
from app.core.storage.sentinel import has_sentinels, pool_options

log: Final = structlog.get_logger()

_T = TypeVar("_T")

AGAIN_SECONDS: Final = 0.25
"""Between two attempts while Redis is away."""

_CONNECT_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 15.0
"""Longest wait of a thread for an answer: a machine that is gone says nothing. A blocking pop takes less."""
_REPLICATION_MS: Final = 500
_THREAD_CONNECTIONS: Final = 10_000
"""More than any process has threads."""
_LOOP_CONNECTIONS: Final = 64
_COMMAND_SECONDS: Final = 10.0
"""Longest wait for the answer to a command of the loop, a free connection included."""
_TURN_SECONDS: Final = 20.0
"""Longest wait for a connection of the loop; then it counts as a Redis that is away."""

_FULL: Final = frozenset({"OOM", "MISCONF"})
_PASSING: Final = frozenset({"LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "UNBLOCKED", "NOSCRIPT"})
_FIRST_WORD: Final = re.compile(r"([A-Z]{3,}) ")
_INNER_WORD: Final = re.compile(r"(?:caused error: |[: ]-)([A-Z]{3,}) ")
_REMEDY: Final = (
    "KOE_REDIS_URL must name a Redis outside cluster mode, its primary, with a user who may do all on koe:* and rq:*."
)


def connect(url: str, *, answer_seconds: float = _ANSWER_SECONDS) -> Redis:
    """A client for threads: each command takes a connection of its own from the pool. Nothing is sent yet.

    `url` is as in `KOE_REDIS_URL`: Misconfigured is raised for what is none. `answer_seconds`: longest wait for an answer.
    """
    options: dict[str, Any] = {
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_timeout": answer_seconds,
        "retry": Retry(NoBackoff(), 1),
        "health_check_interval": 30,
        "max_connections": _THREAD_CONNECTIONS,
    }
    pool = ConnectionPool(**(options | pool_options(read_redis_url(url), is_async=False)))
    return Redis.from_pool(pool)


def connect_async(url: str) -> AsyncRedis:
    """A client for one event loop: commands wait for one of its few connections. Nothing is sent yet. `url`: see `connect`."""
    options: dict[str, Any] = {
        "socket_timeout": None,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "retry": AsyncRetry(NoBackoff(), 1),
        "health_check_interval": 30,
        "max_connections": _LOOP_CONNECTIONS,
        "timeout": _TURN_SECONDS,
    }
    pool = BlockingConnectionPool(**(options | pool_options(read_redis_url(url), is_async=True)))
    return _LoopRedis.from_pool(pool)


class _LoopRedis(AsyncRedis):
    """Gives up on a command by itself.

    Why not by the client's own `socket_timeout`: with one it writes inside `asyncio.wait_for`, which on Python 3.11 loses a
    cancellation that comes as the write is done, and a listener who left would be waited for.
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Raises redis' TimeoutError when no answer comes."""
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except TimeoutError as error:
            raise RedisTimeoutError("Redis does not answer.") from error


async def replicated(redis: AsyncRedis) -> None:
    """Returns once what was written before is on a replica too, where sentinels may make one of them the primary; at the latest
    after a moment, since without a replica nothing can take over. Raises RedisError when Redis is away.
    """
    if not has_sentinels(redis):
        return
    async with redis.pipeline(transaction=False) as pipe:
        # WAIT counts from the last write of its own connection.
        pipe.set(keys.PROBE, 1, px=1000)
        pipe.wait(1, _REPLICATION_MS)
        _, n_replicas = await pipe.execute()
    if not n_replicas:
        log.warning("redis_not_replicated")


def patiently(attempt: Callable[[], _T], patience_seconds: float) -> _T:
    """What the attempt returns, tried again while Redis is away. Raises RedisError when it has been away so long, or refuses
    what is no matter of time.
    """
    give_up = time.monotonic() + patience_seconds
    while True:
        try:
            return attempt()
        except RedisError as error:
            if is_refusal(error) or time.monotonic() > give_up:
                raise
            time.sleep(AGAIN_SECONDS)


def is_full(error: BaseException) -> bool:
    """Whether Redis takes nothing in, since its disk or its memory is full."""
    return isinstance(error, OutOfMemoryError) or (isinstance(error, ResponseError) and _reply(error) in _FULL)


def is_refusal(error: BaseException) -> bool:
    """Whether Redis answered that it will not do what it was asked, now or later: waiting is in vain."""
    if isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError):
        return True
    return isinstance(error, ResponseError) and not is_full(error) and _reply(error) not in _PASSING


def trouble_of(error: RedisError) -> KoeError:
    """What a client is told. A refusal is logged by the kind of reply alone, since the reply may hold what was sent."""
    if is_full(error):
        return QueueStorageFull()
    if is_refusal(error):
        log.error("redis_refuses", reply=_reply(error), remedy=_REMEDY)
        return QueueRefuses()
    return NoWorker("The queue of this server cannot be reached. Please try again.")


@contextmanager
def reachable() -> Iterator[None]:
    """Turns a Redis that is away, full, or that refuses what it is asked, into the error that a client can act on."""
    try:
        yield
    except RedisError as error:
        raise trouble_of(error) from error


@contextmanager
def suppressed_unless_refused() -> Iterator[None]:
    """Passes over a Redis that is away, for who tries again; a refusal is raised, since waiting is in vain."""
    try:
        yield
    except RedisError as error:
        if is_refusal(error):
            raise


def _reply(error: BaseException) -> str:
    """The word that a reply of Redis begins with: redis-py cuts off some, and keeps them beside the message."""
    word = getattr(error, "status_code", None)
    if word in (None, "ERR"):
        # A pipeline's error says before it which command it was, and that of an older server's script where it was.
        found = _FIRST_WORD.match(str(error)) or _INNER_WORD.search(str(error))
        word = found[1] if found else word
    return str(word or type(error).__name__)
