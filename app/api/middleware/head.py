"""Answers HEAD on every path that has GET, with the headers of the answer to GET.

Why not in each handler: files that the framework serves have no handler of Koe, and a new route could forget it.
"""

import asyncio
from typing import Any, Final, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

_OF_GET_ALONE: Final = (b"range", b"if-range")
"""Headers of requests that have no meaning for HEAD."""


class HeadAnswers:
    """`app` answers HEAD as it answers GET, and only the headers are sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        headers = [header for header in scope["headers"] if header[0] not in _OF_GET_ALONE]
        as_get = cast("Scope", {**scope, "method": "GET", "headers": headers})
        is_sent = asyncio.Event()

        async def receive_or_end() -> Any:
            """Reports a disconnect once the headers are sent, so that an endless answer ends."""
            if is_sent.is_set():
                return {"type": "http.disconnect"}
            asked, sent = asyncio.ensure_future(cast("Any", receive())), asyncio.ensure_future(is_sent.wait())
            try:
                await asyncio.wait({asked, sent}, return_when=asyncio.FIRST_COMPLETED)
                return asked.result() if asked.done() else {"type": "http.disconnect"}
            finally:
                asked.cancel()
                sent.cancel()

        async def send_headers(message: Message) -> None:
            if message["type"] != "http.response.start" or is_sent.is_set():
                return
            is_sent.set()
            cast("Any", scope)["path_template"] = as_get.get("path_template", "unknown")
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app(as_get, receive_or_end, send_headers)
