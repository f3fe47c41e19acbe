"""Connections to Redis, for both sides, with one policy: fail soon, and let the caller decide whether to wait.

Why the client does not retry: the API turns an unreachable Redis into a 503 at once, and the workers wait as long as they
choose.

Why the two pools differ: hundreds of readers share the connections of an event loop and wait for a free one, where redis-py's
own pool would raise at the hundred-and-first. In a worker most connections are held by slots that wait for a task, so each
thread must be able to have its own.
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
"""Pause between two tries while Redis is unreachable."""

_CONNECT_SECONDS: Final = 2.0
_ANSWER_SECONDS: Final = 15.0
"""Longest wait of a thread for a reply: a machine that has died sends nothing. A blocking pop takes less time."""
_REPLICATION_MS: Final = 500
_THREAD_CONNECTIONS: Final = 10_000
"""More connections than any process has threads."""
_LOOP_CONNECTIONS: Final = 64
_COMMAND_SECONDS: Final = 10.0
"""Longest wait for the reply to a command of an event loop, including the wait for a free connection."""
_TURN_SECONDS: Final = 20.0
"""Longest wait for a free connection of an event loop; after it Redis counts as unreachable."""

_FULL: Final = frozenset({"OOM", "MISCONF"})
_PASSING: Final = frozenset({"LOADING", "BUSY", "TRYAGAIN", "MASTERDOWN", "CLUSTERDOWN", "NOREPLICAS", "UNBLOCKED", "NOSCRIPT"})
_FIRST_WORD: Final = re.compile(r"([A-Z]{3,}) ")
_INNER_WORD: Final = re.compile(r"(?:caused error: |[: ]-)([A-Z]{3,}) ")
_REMEDY: Final = (
    "KOE_REDIS_URL must name a Redis outside cluster mode, its primary, with a user that has all permissions on koe:* and rq:*."
)


def connect(url: str, *, answer_seconds: float = _ANSWER_SECONDS) -> Redis:
    """A client for threads: each command takes its own connection from the pool. Sends nothing yet.

    `url` is the value of `KOE_REDIS_URL`; raises Misconfigured for an invalid one. `answer_seconds`: longest wait for a reply.
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
    """A client for one event loop: commands wait for one of its few connections. Sends nothing yet. `url`: see `connect`."""
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
    """An asynchronous client with its own timeout for each command.

    Why not the client's own `socket_timeout`: with it redis-py writes inside `asyncio.wait_for`, which on Python 3.11 loses a
    cancellation that arrives as the write ends. The server would then wait for a listener that has left.
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Raises redis' TimeoutError when no reply comes."""
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except TimeoutError as error:
            raise RedisTimeoutError("Redis does not answer.") from error


async def replicated(redis: AsyncRedis) -> None:
    """Returns when the earlier writes are on a replica too. Does nothing without sentinels, because only they make a replica
    the primary. Returns after half a second in any case: without a replica nothing can take over. Raises RedisError when Redis
    is unreachable.
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
    """The result of `attempt`, which is repeated while Redis is unreachable. Raises RedisError when that lasts longer than
    `patience_seconds`, and at once when Redis refuses the command.
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
    """Whether Redis refuses writes because its disk or its memory is full."""
    return isinstance(error, OutOfMemoryError) or (isinstance(error, ResponseError) and _reply(error) in _FULL)


def is_refusal(error: BaseException) -> bool:
    """Whether Redis refuses the command now and later, so that waiting does not help."""
    if isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError):
        return True
    return isinstance(error, ResponseError) and not is_full(error) and _reply(error) not in _PASSING


def trouble_of(error: RedisError) -> KoeError:
    """The error for the client. Of a refusal only the kind of the reply is logged, because the reply may contain data of the
    command.
    """
    if is_full(error):
        return QueueStorageFull()
    if is_refusal(error):
        log.error("redis_refuses", reply=_reply(error), remedy=_REMEDY)
        return QueueRefuses()
    return NoWorker("The queue of this server cannot be reached. Please try again.")


@contextmanager
def reachable() -> Iterator[None]:
    """Turns the errors of a Redis that is unreachable, full, or refuses a command into an error that a client can act on."""
    try:
        yield
    except RedisError as error:
        raise trouble_of(error) from error


@contextmanager
def suppressed_unless_refused() -> Iterator[None]:
    """Ignores an unreachable Redis, for a caller that tries again; raises when Redis refuses the command, because waiting does
    not help.
    """
    try:
        yield
    except RedisError as error:
        if is_refusal(error):
            raise


def _reply(error: BaseException) -> str:
    """The first word of an error reply. redis-py removes some of these words from the message and stores them
    in `status_code`.
    """
    word = getattr(error, "status_code", None)
    if word in (None, "ERR"):
        # Before this word, the error of a pipeline names the command, and the error of an older server's script names the line.
        found = _FIRST_WORD.match(str(error)) or _INNER_WORD.search(str(error))
        word = found[1] if found else word
    return str(word or type(error).__name__)
