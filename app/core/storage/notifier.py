"""A notifier: names are published on a Redis channel, and wake the events of this process that wait for them.

Why one subscription for a whole process: a blocking read for each reader would need a connection for each. A notification that
is sent while Redis is unreachable is lost, so every waiting reader also looks from time to time.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

_AGAIN_SECONDS: Final = 0.25
"""Pause between two tries to subscribe while Redis is unreachable."""


class Notifier:
    """Wakes the tasks of one process that wait until a name is published on `channel`."""

    def __init__(self, redis: AsyncRedis, channel: str) -> None:
        self._redis = redis
        self._channel = channel
        self._events: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Subscribes, in the running loop."""
        self._task = asyncio.create_task(self._listen(), name=f"notifier {self._channel}")

    async def stop(self) -> None:
        """Unsubscribes."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def subscribe(self, name: str) -> asyncio.Event:
        """An event that is set each time this name is published; pass it to `unsubscribe` afterwards."""
        event = asyncio.Event()
        self._events[name].add(event)
        return event

    def unsubscribe(self, name: str, event: asyncio.Event) -> None:
        """Removes an event that `subscribe` returned."""
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
                        self._notify(message["data"].decode())
            await asyncio.sleep(_AGAIN_SECONDS)

    def _notify(self, name: str) -> None:
        for event in self._events.get(name, ()):
            event.set()
