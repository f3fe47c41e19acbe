"""An answer that is sent while it is made: the one base for audio, for server-sent events and for stored files."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Send

from app.api.facts import note_fault
from app.api.responses.disconnect import while_connected
from app.core.errors import Cancelled, KoeError


class StreamingResponse(ASGIResponse):
    """Sends `parts` until they end, one of them fails, or the client disconnects; then calls `close`, in every case.

    Why a failure sends no last message: without it the server breaks the connection off, and no client takes a part for the
    whole.
    """

    _should_set_content_length = False

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        *,
        media_type: str,
        headers: dict[str, str],
        close: Callable[[], Awaitable[None]],
        status_code: int = 200,
        n_bytes: int | None = None,
    ) -> None:
        """`n_bytes`: the length of all parts together, where it is known before they are made."""
        super().__init__(status_code=status_code, media_type=media_type, headers=headers)
        self._parts = parts
        self._close = close
        self._n_bytes = n_bytes

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """The answer as ASGI wants it."""
        self._scope = scope
        try:
            await super().__call__(scope, receive, send)
        finally:
            await asyncio.shield(self._close())

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Sends the parts as long as the client is connected. A failure is noted for the log."""
        try:
            await while_connected(asyncio.create_task(self._send_parts(send)), receive)
        except Cancelled:
            return
        except KoeError as error:
            note_fault(self._scope, error)

    async def _send_parts(self, send: Send) -> None:
        """Sends the parts. A body of known length ends with its last byte, because a client may disconnect as soon as it has
        that byte.
        """
        n_sent = 0
        async with aclosing(self._parts) as parts:
            async for part in parts:
                n_sent += len(part)
                await send({"type": "http.response.body", "body": part, "more_body": n_sent != self._n_bytes})
        if n_sent != self._n_bytes:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
