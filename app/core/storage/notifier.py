"""A bell: a Redis channel on which names ring, and the events of one process that wait for them.

Why one subscription serves a whole process: a blocking read for each of its readers would cost a connection for each. A ring
that is lost, while Redis is away, is lost: whoever waits looks by itself from time to time.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

_AGAIN_SECONDS: Final = 0.25
"""Between two attempts at listening, while Redis is away."""


class Bell:
    """Wakes those of one process who wait for a name to ring on `channel`."""

    def __init__(self, redis: AsyncRedis, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self._events: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to listen, in the running loop."""
        self._task = asyncio.create_task(self._listen(), name=f"bell {self._channel}")

    async def stop(self) -> None:
        """Stops listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def hear(self, name: str) -> asyncio.Event:
        """An event that is set at every ring of this name; give it back to `forget`."""
        event = asyncio.Event()
        self._events[name].add(event)
        return event

    def forget(self, name: str, event: asyncio.Event) -> None:
        """Takes back what `hear` gave."""
        listeners = self._events[name]
        listeners.discard(event)
        if not listeners:
            del self._events[name]

    async def _listen(self) -> None:
        while True:
            with suppress(RedisError, OSError):
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(self._channel)
                    async for message in pubsub.listen():
                        self._ring(message["data"].decode())
            await asyncio.sleep(_AGAIN_SECONDS)

    def _ring(self, name: str) -> None:
        for event in self._events.get(name, ()):
            event.set()
