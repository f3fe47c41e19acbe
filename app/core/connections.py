"""Connections to Redis, for both sides, with one set of habits: fail soon, and let the caller decide whether to wait.

Why no retries inside the client: the API turns a lost Redis into a 503 at once, and the workers have their own patience.

Why the two pools differ: hundreds of readers share the connections of an event loop and wait their turn for one, where
redis-py's own pool would raise at the hundred-and-first; in a worker most connections are held by slots that wait for a job, so
each thread must be able to have its own.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from app.core.errors import NoWorker

_T = TypeVar("_T")

AGAIN_SECONDS: Final = 0.25
"""Between two attempts while Redis is away."""

_CONNECT_SECONDS: Final = 2.0
_THREAD_CONNECTIONS: Final = 10_000
"""More than any process has threads."""
_LOOP_CONNECTIONS: Final = 64
_COMMAND_SECONDS: Final = 10.0
"""Longest wait for the answer to a command of the loop, a free connection included."""
_TURN_SECONDS: Final = 20.0
"""Longest wait for a connection of the loop; then it counts as a Redis that is away."""


def connect(url: str) -> Redis:
    """A client for threads: each command takes a connection of its own from the pool. Nothing is sent yet."""
    return Redis.from_url(
        url,
        socket_connect_timeout=_CONNECT_SECONDS,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
        max_connections=_THREAD_CONNECTIONS,
    )


def connect_async(url: str) -> AsyncRedis:
    """A client for one event loop: commands wait for one of its few connections. Nothing is sent yet."""
    pool = BlockingConnectionPool.from_url(
        url,
        socket_timeout=None,
        socket_connect_timeout=_CONNECT_SECONDS,
        retry=AsyncRetry(NoBackoff(), 1),
        health_check_interval=30,
        max_connections=_LOOP_CONNECTIONS,
        timeout=_TURN_SECONDS,
    )
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


def patiently(attempt: Callable[[], _T], patience_seconds: float) -> _T:
    """What the attempt returns, tried again while Redis is away. Raises RedisError when it has been away so long."""
    give_up = time.monotonic() + patience_seconds
    while True:
        try:
            return attempt()
        except RedisError:
            if time.monotonic() > give_up:
                raise
            time.sleep(AGAIN_SECONDS)


@contextmanager
def reachable() -> Iterator[None]:
    """Turns a Redis that is away, or that refuses what is written, into NoWorker, the error a client can act on."""
    try:
        yield
    except ResponseError as error:
        raise NoWorker("The queue takes nothing in: its disk or memory may be full. Please try again.") from error
    except RedisError as error:
        raise NoWorker("The queue of this server cannot be reached. Please try again.") from error
