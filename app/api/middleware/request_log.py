"""Counts every request for the metrics, logs it in one line, and ends its span.

Why it wraps the whole application: only there does it see the first and the last byte of an answer, and requests that are
refused before they reach a route.

Why health checks and scrapes are logged at debug level: they come every few seconds, and metrics show the same.
"""

import time
from typing import Any, Final, cast

import structlog
from litestar.enums import ScopeType
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
)
from structlog.contextvars import bound_contextvars

from app.api.facts import facts_of, fault_in, note_fault
from app.api.measures import METHODS, Metrics, label_of
from app.api.middleware.request_span import CHECKED, begin_span, end_span
from app.api.responses.errors import fault_of, send_fault
from app.core.queue.registry import Report
from app.core.tracing.spans import NO_TRACING, Span, Tracing
from app.delivery.listener import Listener

log: Final = structlog.get_logger()

LEFT: Final = 499
"""The status in the log for a client that disconnected before its answer began."""
_FAILED: Final = 500
"""The status that the server sends when the application sends none."""
_WARNED: Final = {429, 503, 504}
_UNKNOWN: Final = "unknown"


class Observed:
    """`app` with its answers counted in `metrics`, logged, and recorded in `tracing`.

    The seconds of an utterance are counted when the handler has put its `Listener` into `scope["state"]["listener"]`.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing = NO_TRACING) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        span = begin_span(self._tracing, scope)
        with bound_contextvars(**span.log_fields):
            await self._observe(_ObservedAnswer(self._metrics, scope, receive, send, span), scope)

    async def _observe(self, answer: "_ObservedAnswer", scope: HTTPScope) -> None:
        self._metrics.open_requests.inc()
        try:
            await self._app(scope, answer.receive, answer.send)
        except Exception as error:  # noqa: BLE001 - last resort of the API: a middleware failed, or an answer that has begun
            await answer.fail(error)
        finally:
            self._metrics.open_requests.dec()
            answer.end()


class _ObservedAnswer:
    """One answer while it is sent."""

    __slots__ = (
        "_cache",
        "_first_audio_seconds",
        "_has_left",
        "_is_whole",
        "_method",
        "_metrics",
        "_n_bytes",
        "_receive",
        "_scope",
        "_send",
        "_span",
        "_started",
        "_status",
    )

    def __init__(self, metrics: Metrics, scope: HTTPScope, receive: Receive, send: Send, span: Span) -> None:
        self._metrics = metrics
        self._scope = scope
        self._method: str = scope["method"]
        self._receive = receive
        self._send = send
        self._span = span
        self._started = time.monotonic()
        self._status = 0
        self._cache = ""
        self._first_audio_seconds: float | None = None
        self._n_bytes = 0
        self._has_left = False
        self._is_whole = False

    async def receive(self) -> HTTPReceiveMessage:
        """The next message of the client; notices a disconnect."""
        message = cast("HTTPReceiveMessage", await self._receive())
        if message["type"] == "http.disconnect" and not self._is_whole:
            self._has_left = True
        return message

    async def send(self, message: Message) -> None:
        """Sends a message to the client; notices the status and the size."""
        if message["type"] == "http.response.start":
            self._note_start(message)
        elif message["type"] == "http.response.body":
            self._note_body(message)
        await self._send(message)

    async def fail(self, error: Exception) -> None:
        """Answers with the error that the application raised, unless an answer has begun."""
        fault = fault_of(error, self._scope)
        note_fault(self._scope, fault)
        if not self._status:
            await send_fault(self._scope, self.send, fault)

    def end(self) -> None:
        """Counts and logs the answer, and ends its span. Call it once, at the end."""
        status = self._status or (LEFT if self._has_left else _FAILED)
        route: str = self._scope.get("path_template", _UNKNOWN)
        fault = fault_in(self._scope)
        listener: Listener | None = self._scope["state"].get("listener")
        self._metrics.count_answer(self._method, route, status)
        if self._status and not self._is_whole:
            self._metrics.count_broken_off(route, has_left=self._has_left)
        elif fault is not None:
            self._metrics.count_error(fault)
        if self._is_whole and listener is not None and listener.report is not None:
            self._count_speech(listener.found.value, listener.report)
        self._log_answer(status, route, listener)
        end_span(self._span, self._scope, status=status, broken_off=self._broken_off())

    def _broken_off(self) -> str | None:
        if not self._status or self._is_whole:
            return None
        return "left" if self._has_left else "failed"

    def _count_speech(self, cache: str, report: Report) -> None:
        self._metrics.count_audio(report.audio_seconds)
        if self._first_audio_seconds is not None and report.lead_seconds is not None:
            self._metrics.count_first_sound(cache, self._first_audio_seconds + report.lead_seconds)

    def _log_answer(self, status: int, route: str, listener: Listener | None) -> None:
        fault, broken_off = fault_in(self._scope), self._broken_off()
        facts: dict[str, Any] = {
            "method": self._method if self._method in METHODS else "other",
            "route": route,
            "status": status,
            "code": None if fault is None else label_of(fault),
            "broken_off": broken_off,
            **facts_of(self._scope),
            "cache": None if listener is None else listener.found.value,
            "audio_seconds": None if listener is None or listener.report is None else round(listener.report.audio_seconds, 3),
            "first_audio_seconds": self._first_audio_seconds,
            "seconds": round(time.monotonic() - self._started, 3),
            "n_bytes": self._n_bytes,
        }
        is_check = route in CHECKED and self._method in ("GET", "HEAD")
        log_at_level = level_of(status, is_check=is_check, has_failed=broken_off is not None and fault is not None)
        log_at_level("request_answered", **{name: value for name, value in facts.items() if value is not None})

    def _note_start(self, start: HTTPResponseStartEvent) -> None:
        self._status = LEFT if self._has_left else start["status"]
        self._cache = next((value.decode() for name, value in start["headers"] if name == b"x-koe-cache"), "")

    def _note_body(self, body: HTTPResponseBodyEvent) -> None:
        self._n_bytes += len(body.get("body", b""))
        if self._cache and body.get("body"):
            seconds = time.monotonic() - self._started
            self._first_audio_seconds = round(seconds, 3)
            self._metrics.count_first_audio(self._cache, seconds)
            self._span.mark("first audio")
            self._cache = ""
        self._is_whole = not body.get("more_body", False)


def level_of(status: int, *, is_check: bool, has_failed: bool) -> Any:
    """The log method for the answer's level: error for a fault of Koe, warning for a problem that an operator can fix."""
    if status == _FAILED:
        return log.error
    if is_check:
        return log.debug
    return log.warning if status in _WARNED or has_failed else log.info
