"""The readers of this API process, as Redis counts them."""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from redis.exceptions import RedisError

from app.core.queue.registry import Attempt, Registry

log: Final = structlog.get_logger()

_HEARTBEAT_SECONDS: Final = 1.0
"""Seconds between two heartbeats of this process."""


class Readers:
    """Sends the heartbeats of this process, and removes its readers.

    Why a heartbeat: a process that dies removes no reader. Redis counts readers only while their process sends heartbeats.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._pending: set[Attempt] = set()
        """Readers to be removed once Redis can be reached."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts the heartbeats."""
        self._task = asyncio.create_task(self._run(), name="live")

    async def stop(self) -> None:
        """Ends the heartbeats. Must be called after the last reader was removed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def remove(self, attempt: Attempt) -> None:
        """Removes one reader; retried later if Redis cannot be reached. The last reader cancels unfinished work."""
        try:
            if await self._registry.detach(attempt):
                log.info("utterance_cancelled", utterance_id=attempt.utterance_id)
        except RedisError:
            self._pending.add(attempt)

    async def _run(self) -> None:
        while True:
            with suppress(RedisError):
                await self._registry.announce()
                await self._remove_pending()
            await asyncio.sleep(_HEARTBEAT_SECONDS)

    async def _remove_pending(self) -> None:
        while self._pending:
            attempt = next(iter(self._pending))
            await self._registry.detach(attempt)
            self._pending.discard(attempt)
