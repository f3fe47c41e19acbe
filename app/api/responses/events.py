"""Server-sent events: one JSON object each, with comments in between while none comes.

Why the events of a job are broken off when the server stops: they may last for hours, and the client reconnects by itself. The
events of an utterance are its audio, so they are sent to their end.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

from litestar.types import Receive, Send

from app.api.responses.streaming import StreamingResponse
from app.core.errors import Cancelled

KEEP_ALIVE_SECONDS: Final = 15.0
"""Pause between two comments while no event comes: proxies close silent connections."""


class EventStream(StreamingResponse):
    """Sends each of `events` (JSON) as it comes, and closes the generator at the end."""

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        headers: dict[str, str] | None = None,
        is_finite: bool = False,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`is_finite` events are sent to their end even when the server stops. `close` is called in every case, even when no
        event was requested.
        """
        super().__init__(
            self._write(events),
            media_type="text/event-stream",
            headers={"cache-control": "no-cache", "x-accel-buffering": "no"} | (headers or {}),
            close=self._end,
        )
        self._events = events
        self._is_finite = is_finite
        self._close_source = close
        self._leaving = asyncio.Event()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """The answer as ASGI wants it. `leaving`, if the scope's state has it, is set when the server begins to stop."""
        if not self._is_finite:
            self._leaving = scope.get("state", {}).get("leaving", self._leaving)
        await super().__call__(scope, receive, send)

    async def _write(self, events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """Each event as a line of `data`, and comments while none comes."""
        leaving = asyncio.create_task(self._leaving.wait())
        coming: asyncio.Task[bytes | None] | None = None
        try:
            while True:
                coming = coming or asyncio.create_task(_next(events))
                await asyncio.wait({coming, leaving}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if leaving.done():
                    raise Cancelled("The server is leaving.")
                if not coming.done():
                    yield b": still here\n\n"
                    continue
                event, coming = coming.result(), None
                if event is None:
                    break
                yield b"data: %b\n\n" % event
        finally:
            unfinished = [task for task in (coming, leaving) if task is not None]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _end(self) -> None:
        await self._events.aclose()
        if self._close_source is not None:
            await self._close_source()


async def _next(events: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(events, None)
