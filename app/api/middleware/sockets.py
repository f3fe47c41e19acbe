"""The log line of each WebSocket, and the answer to a request for one that no route accepts."""

import time
from typing import Any, Final

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.api.facts import facts_of, fault_in
from app.api.measures import label_of
from app.api.responses.errors import send_fault
from app.core.errors import UnknownUrl

log: Final = structlog.get_logger()

_MAX_SHOWN_CHARS: Final = 200


class ObservedSockets:
    """`app` with its WebSockets logged when they end. Other requests are passed on unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != ScopeType.WEBSOCKET:
            await self._app(scope, receive, send)
            return
        started, state = time.monotonic(), _State()

        async def send_noted(message: Message) -> None:
            if message["type"] == "websocket.close" and not state.is_answered:
                # Litestar closes a WebSocket that has no route; the client would get an empty answer.
                state.is_answered = True
                await send_fault(scope, send, UnknownUrl("GET", scope["path"][:_MAX_SHOWN_CHARS]))
                return
            state.is_open |= message["type"] == "websocket.accept"
            state.is_answered |= message["type"] in ("websocket.accept", "websocket.http.response.start")
            state.n_messages += message["type"] == "websocket.send"
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            _log(scope, state, time.monotonic() - started)


class _State:
    """What was sent on a WebSocket."""

    is_open = False
    is_answered = False
    n_messages = 0


def _log(scope: Scope, state: _State, seconds: float) -> None:
    fault = fault_in(scope)
    facts: dict[str, Any] = {
        "route": scope.get("path_template", "unknown"),
        "code": None if fault is None else label_of(fault),
        **facts_of(scope),
        "n_messages": state.n_messages,
        "seconds": round(seconds, 3),
    }
    event = "session_ended" if state.is_open else "session_refused"
    log.info(event, **{name: value for name, value in facts.items() if value is not None})
