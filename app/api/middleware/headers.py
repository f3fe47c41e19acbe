"""The headers that every answer has: `x-request-id`, `openai-processing-ms`, `openai-version`, and two that browsers obey.

Why around the whole application and not a middleware in it: Litestar's router answers unknown URLs and wrong methods before any
middleware of a route is reached, and support needs the request id of those too.
"""

import re
import secrets
import time
from typing import Final, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

OPENAI_VERSION: Final = b"2020-10-01"
RESOURCE_POLICY: Final = "cross-origin-resource-policy"
_NO_SNIFF: Final = (b"x-content-type-options", b"nosniff")
_SAME_ORIGIN: Final = (RESOURCE_POLICY.encode(), b"same-origin")
"""No page of another origin takes it in without asking, unless the answer says otherwise."""
_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class AnswerHeaders:
    """`app`, with those headers on each HTTP answer; what is no HTTP request passes through.

    The request id is in `scope["state"]["request_id"]`, and bound as `request_id` to what is logged on the way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request and its answer, as ASGI wants it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message, request_id, int((time.monotonic() - started) * 1000))
            await send(message)

        with bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_headers)


def _request_id(scope: Scope) -> str:
    """The caller's own if it is sane, so that their log and ours agree."""
    given = next((value for name, value in scope["headers"] if name.lower() == b"x-request-id"), b"")
    return given.decode("ascii") if _SANE_ID.fullmatch(given) else f"req_{secrets.token_hex(16)}"


def _add_headers(message: Message, request_id: str, processing_ms: int) -> None:
    start = cast("HTTPResponseStartEvent", message)
    is_told = any(name.lower() == _SAME_ORIGIN[0] for name, _ in start["headers"])
    start["headers"] = [
        *start["headers"],
        _NO_SNIFF,
        *(() if is_told else (_SAME_ORIGIN,)),
        (b"x-request-id", request_id.encode("ascii")),
        (b"openai-processing-ms", str(processing_ms).encode("ascii")),
        (b"openai-version", OPENAI_VERSION),
    ]
