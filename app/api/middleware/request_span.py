"""The span of a request: it begins with the headers of the request, and ends with the facts of its answer.

Why a request that is rightly refused is no error of its span: an operator looks for failures of Koe. Its code says the rest.
"""

from collections.abc import Mapping
from typing import Any, Final

from litestar.types import HTTPScope

from app.api.facts import facts_of, fault_in, set_span
from app.api.measures import METHODS, label_of
from app.core.tracing.spans import FIELDS, NO_SPAN, Context, Facts, Span, Tracing
from app.delivery.listener import Listener

CHECKED: Final = {"/healthz", "/readyz", "/metrics"}
"""Routes that are asked every few seconds; metrics show the same."""

_FAILED: Final = 500
_HEADERS: Final = {name.encode(): name for name in FIELDS}
_OTHER_METHOD, _NAME_OF_OTHER_METHOD = "_OTHER", "HTTP"
"""By OpenTelemetry's conventions: a client can send any word as a method."""


def begin_span(tracing: Tracing, scope: HTTPScope) -> Span:
    """Begins the span, in the trace that the request names. It is in the scope until the request ends."""
    if not tracing.is_on or scope["path"] in CHECKED:
        return NO_SPAN
    method = _method_of(scope)
    span = tracing.begin(method, kind="server", context=_context_of(scope), method=method)
    set_span(scope, span)
    return span


def end_span(span: Span, scope: HTTPScope, *, status: int, broken_off: str | None) -> None:
    """Ends the span. `broken_off`: `left` or `failed` for an answer that began and did not end."""
    if span is NO_SPAN:
        return
    fault = fault_in(scope)
    span.note(status=status)
    span.note(**_from_log(facts_of(scope)))
    span.note(**_from_listener(scope["state"].get("listener")))
    if route := scope.get("path_template"):
        method = _method_of(scope)
        span.rename(f"{_NAME_OF_OTHER_METHOD if method == _OTHER_METHOD else method} {route}")
        span.note(route=route)
    if fault is not None:
        span.note(code=label_of(fault), error=type(fault).__name__)
    if broken_off == "left":
        span.note(outcome="cancelled")
    elif status >= _FAILED or broken_off:
        span.fail(fault or RuntimeError())
    span.finish()


def _context_of(scope: HTTPScope) -> Context:
    """The headers of W3C Trace Context. A repeated header is one list."""
    context: dict[str, str] = {}
    for raw_name, value in scope["headers"]:
        if name := _HEADERS.get(raw_name):
            before = f"{context[name]}," if name in context else ""
            context[name] = before + value.decode("latin-1")
    return context


def _method_of(scope: HTTPScope) -> str:
    return scope["method"] if scope["method"] in METHODS else _OTHER_METHOD


def _from_log(facts: Mapping[str, Any]) -> Facts:
    found: Facts = {}
    if "model" in facts:
        found["model"] = facts["model"]
    if "format" in facts:
        found["format"] = facts["format"]
    if "n_chars" in facts:
        found["n_characters"] = facts["n_chars"]
    return found


def _from_listener(listener: Listener | None) -> Facts:
    if listener is None:
        return {}
    found: Facts = {"cache": listener.found.value}
    if listener.report is not None:
        found["audio_seconds"] = round(listener.report.audio_seconds, 3)
    return found
