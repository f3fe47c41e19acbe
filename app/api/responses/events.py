"""Server-sent events: one JSON object each, a comment now and then, and nothing for a client that has left.

Why those of a job are broken off when the server leaves: they may last for hours, and their client comes back by itself. Those
of an utterance are its audio, and are sent to their end.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final

import structlog
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

from app.api.facts import note_fault
from app.api.responses.disconnect import while_connected
from app.core.errors import Cancelled, KoeError

log: Final = structlog.get_logger()

KEEP_ALIVE_SECONDS: Final = 15.0
"""Between two comments while nothing happens: proxies close what is silent for long."""


class EventStream(ASGIResponse):
    """Sends each of `events` (JSON) as it comes, until their end, their failure, or the client's leaving; then closes them."""

    _should_set_content_length = False

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        headers: dict[str, str] | None = None,
        is_finite: bool = False,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`is_finite` events are sent to their end even when the server leaves. `close` is called on every way out, whether the
        first event was asked for or not.
        """
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"} | (headers or {})
        super().__init__(status_code=200, media_type="text/event-stream", headers=headers)
        self._events = events
        self._is_finite = is_finite
        self._close = close
        self._leaving = asyncio.Event()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """The answer, as ASGI wants it. `leaving`, if the scope's state has it, is set when the server begins to end."""
        if not self._is_finite:
            self._leaving = scope.get("state", {}).get("leaving", self._leaving)
        self._scope = scope
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(self._end())

    async def send_body(self, send: Send, receive: Receive) -> None:
        """The events. Returning without the last message makes the server break the connection off."""
        try:
            await while_connected(asyncio.create_task(self._send_events(send)), receive)
        except Cancelled:
            return
        except KoeError as error:
            note_fault(self._scope, error)

    async def _send_events(self, send: Send) -> None:
        leaving = asyncio.create_task(self._leaving.wait())
        coming: asyncio.Task[bytes | None] | None = None
        try:
            while True:
                coming = coming or asyncio.create_task(self._next())
                await asyncio.wait({coming, leaving}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if leaving.done():
                    raise Cancelled("The server is leaving.")
                if not coming.done():
                    await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
                    continue
                event, coming = coming.result(), None
                if event is None:
                    break
                await send({"type": "http.response.body", "body": b"data: %b\n\n" % event, "more_body": True})
        finally:
            unfinished = [task for task in (coming, leaving) if task is not None]
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _end(self) -> None:
        await self._events.aclose()
        if self._close is not None:
            await self._close()

    async def _next(self) -> bytes | None:
        return await anext(self._events, None)
