"""Facts about a request that handlers collect for its log line and for the metrics.

Why in the scope: middleware writes the line, and it knows neither the request's fields nor its key.
"""

from typing import Any, Final

from litestar.types import Scope

from app.core.errors import KoeError

_FACTS: Final = "facts"
_FAULT: Final = "fault"


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


def _state(scope: Scope) -> dict[str, Any]:
    state: dict[str, Any] = scope.setdefault("state", {})
    return state
