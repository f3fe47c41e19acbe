"""What is found out about a request while it is answered, for its line in the log and for the metrics.

Why in the scope: the line is written outside of the application, where neither what was asked nor who asked is known.
"""

from typing import Any, Final

from litestar.types import Scope

from app.core.errors import KoeError

_FACTS: Final = "facts"
_FAULT: Final = "fault"


def note(scope: Scope, **facts: Any) -> None:
    """Adds these facts. None of them may be something that a user wrote, but for names that are known to be valid."""
    facts_of(scope).update(facts)


def facts_of(scope: Scope) -> dict[str, Any]:
    """All that was noted."""
    found: dict[str, Any] = _state(scope).setdefault(_FACTS, {})
    return found


def note_fault(scope: Scope, fault: KoeError) -> None:
    """The request is answered with this error, or broken off by it."""
    _state(scope)[_FAULT] = fault


def fault_in(scope: Scope) -> KoeError | None:
    """The error that was noted."""
    fault: KoeError | None = _state(scope).get(_FAULT)
    return fault


def _state(scope: Scope) -> dict[str, Any]:
    state: dict[str, Any] = scope.setdefault("state", {})
    return state
