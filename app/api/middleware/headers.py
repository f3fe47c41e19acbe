"""The headers of every answer, also to a request for a WebSocket: `x-request-id`, `openai-processing-ms`, `openai-version`, and
two that browsers obey.

Why around the whole application: Litestar's router answers unknown URLs and wrong methods before any middleware of a route
runs, and support needs the request id of those answers too.
"""

import re
import secrets
import time
from typing import Final, cast

from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from app.api.facts import is_request

OPENAI_VERSION: Final = b"2020-10-01"
RESOURCE_POLICY: Final = "cross-origin-resource-policy"
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_SAME_ORIGIN: Final = (RESOURCE_POLICY.encode(), b"same-origin")
"""Pages of other origins may not embed an answer, unless the answer allows it."""
_STARTS: Final = {"http.response.start", "websocket.http.response.start", "websocket.accept"}
"""Messages that have the headers of an answer."""
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class AnswerHeaders:
    """`app` with these headers on each answer.

    The request id is in `scope["state"]["request_id"]`, and every log event of the request has it as `request_id`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if not is_request(scope):
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                _add_headers(message, request_id, int((time.monotonic() - started) * 1000))
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_headers)


def _request_id(scope: Scope) -> str:
    """The client's own id if it is well-formed, so that both logs have the same id; otherwise a new one."""
    given = next((value for name, value in scope["headers"] if name.lower() == b"x-request-id"), b"")
    return given.decode("ascii") if _SANE_ID.fullmatch(given) else f"req_{secrets.token_hex(16)}"


def _add_headers(message: Message, request_id: str, processing_ms: int) -> None:
    start = cast("HTTPResponseStartEvent", message)
    headers = start.get("headers", [])
    has_policy = any(name.lower() == _SAME_ORIGIN[0] for name, _ in headers)
    start["headers"] = [
        *headers,
        _NO_SNIFF,
        *(() if has_policy else (_SAME_ORIGIN,)),
        (b"x-request-id", request_id.encode("ascii")),
        (b"openai-processing-ms", str(processing_ms).encode("ascii")),
        (b"openai-version", OPENAI_VERSION),
    ]
