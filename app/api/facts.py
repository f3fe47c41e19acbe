"""Facts about a request that handlers collect for its log line and for the metrics.

Why in the scope: middleware writes the line, and it knows neither the request's fields nor its key.
"""

from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import Scope

from app.core.errors import KoeError
from app.core.tracing.spans import NO_SPAN, Span

_REQUESTS: Final = (ScopeType.HTTP, ScopeType.WEBSOCKET)
_FACTS: Final = "facts"
_FAULT: Final = "fault"
_SPAN: Final = "span"


def is_request(scope: Scope) -> bool:
    """Whether it is the scope of a request, for an answer or for a WebSocket: not that of the server's start and end."""
    return scope["type"] in _REQUESTS


def note(scope: Scope, **facts: Any) -> None:
    """Adds these facts. No fact may be text of a user, except a name that is known to be valid."""
    facts_of(scope).update(facts)


def facts_of(scope: Scope) -> dict[str, Any]:
    """All facts so far."""
    found: dict[str, Any] = _state(scope).setdefault(_FACTS, {})
    return found


def note_fault(scope: Scope, fault: KoeError) -> None:
    """Notes the error that is the answer to the request, or that broke its answer off."""
    _state(scope)[_FAULT] = fault


def fault_in(scope: Scope) -> KoeError | None:
    """The error that `note_fault` noted; None without one."""
    fault: KoeError | None = _state(scope).get(_FAULT)
    return fault


def set_span(scope: Scope, span: Span) -> None:
    """Sets the span of the request."""
    _state(scope)[_SPAN] = span


def span_of(scope: Scope) -> Span:
    """The span of the request. It records nothing if there are no traces."""
    span: Span = _state(scope).get(_SPAN, NO_SPAN)
    return span


def _state(scope: Scope) -> dict[str, Any]:
    state: dict[str, Any] = scope.setdefault("state", {})
    return state
