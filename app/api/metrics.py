"""`GET /metrics`: what this process has answered and what Redis knows, for Prometheus; and the counting itself.

Why the counting stands around the whole application: only there is it seen when the first byte of an answer leaves, whether the
last one did, and what the router itself has answered.
"""

import time
from typing import Any, Final, cast

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.enums import ScopeType
from litestar.params import SkipValidation
from litestar.types import (
    ASGIApp,
    ExceptionHandlersMap,
    HTTPReceiveMessage,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)

from app.api.errors import fault_of, to_response
from app.core.metrics import MEDIA_TYPE, Metrics, SharedView
from app.delivery import Audio

GivenMetrics = NamedDependency[SkipValidation[Metrics]]
"""How a handler asks for the metrics: a parameter named `metrics` of this type."""

GivenShared = NamedDependency[SkipValidation[SharedView]]
"""How a handler asks for what Redis knows: a parameter named `shared` of this type."""

_LEFT: Final = 499
"""Stands for the status of an answer that nobody was there to get."""
_FAILED: Final = 500
"""What the server makes of an answer that never began."""


@get(
    "/metrics",
    media_type="text/plain",
    summary="What is measured, for Prometheus",
    response_description="Prometheus' text format.",
)
async def get_metrics(metrics: GivenMetrics, shared: GivenShared) -> Response[str]:
    """Of this API process, and of what all of them share. `app.core.metrics` names each."""
    return Response(metrics.render(await shared.now()).decode(), media_type=MEDIA_TYPE)


def counting_errors(metrics: Metrics) -> ExceptionHandlersMap:
    """As EXCEPTION_HANDLERS of `app.api.errors`, and each error is counted."""

    def answer_error(request: Request[Any, Any, Any], exception: Exception) -> Response[dict[str, Any]]:
        fault = fault_of(exception, request.scope)
        metrics.count_error(fault)
        return to_response(fault)

    return {Exception: answer_error}


class Measured:
    """`app`, whose answers are counted in `metrics`.

    An utterance's seconds are counted when the handler has put its `Audio` into `scope["state"]["audio"]`.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request and its answer, as ASGI wants it."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        watched = _Watched(self._metrics, receive, send)
        self._metrics.open_requests.inc()
        try:
            await self._app(scope, watched.receive, watched.send)
        finally:
            self._metrics.open_requests.dec()
            watched.count(scope)


class _Watched:
    """One answer on its way."""

    __slots__ = ("_cache", "_has_left", "_is_whole", "_metrics", "_receive", "_send", "_started", "_status")

    def __init__(self, metrics: Metrics, receive: Receive, send: Send) -> None:
        self._metrics = metrics
        self._receive = receive
        self._send = send
        self._started = time.monotonic()
        self._status = 0
        self._cache = ""
        self._has_left = False
        self._is_whole = False

    async def receive(self) -> HTTPReceiveMessage:
        """What the client sends, its leaving included."""
        message = cast("HTTPReceiveMessage", await self._receive())
        if message["type"] == "http.disconnect" and not self._is_whole:
            self._has_left = True
        return message

    async def send(self, message: Message) -> None:
        """What the client gets."""
        if message["type"] == "http.response.start":
            self._note_start(message)
        elif message["type"] == "http.response.body":
            self._note_body(message)
        await self._send(message)

    def count(self, scope: HTTPScope) -> None:
        """To be called once, when all is sent that will be."""
        route: str = scope.get("path_template", "unknown")
        never_began = _LEFT if self._has_left else _FAILED
        self._metrics.count_answer(scope["method"], route, self._status or never_began)
        if self._status and not self._is_whole:
            self._metrics.count_broken_off(route, has_left=self._has_left)
        audio: Audio | None = scope["state"].get("audio")
        if self._is_whole and audio is not None and audio.report is not None:
            self._metrics.count_audio(audio.report.audio_seconds)

    def _note_start(self, start: HTTPResponseStartEvent) -> None:
        self._status = _LEFT if self._has_left else start["status"]
        self._cache = next((value.decode() for name, value in start["headers"] if name == b"x-koe-cache"), "")

    def _note_body(self, body: HTTPResponseBodyEvent) -> None:
        if self._cache and body.get("body"):
            self._metrics.count_first_audio(self._cache, time.monotonic() - self._started)
            self._cache = ""
        self._is_whole = not body.get("more_body", False)
