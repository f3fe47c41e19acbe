"""The errors of a Realtime session. The session stays open after each of them."""

from typing import Any

from app.core.errors import InvalidRequest, KoeError


class RealtimeError(InvalidRequest):
    """An event of the client that cannot be carried out. `code` is one of OpenAI's."""

    def __init__(self, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message, param=param)
        self.code = code


def invalid_event(message: str, *, param: str | None = None) -> RealtimeError:
    """An event that is no event of the protocol."""
    return RealtimeError("invalid_event", message, param=param)


def unknown_parameter(param: str) -> RealtimeError:
    """A field that the protocol does not have."""
    return RealtimeError("unknown_parameter", f"Unknown parameter: '{param}'.", param=param)


def missing_parameter(param: str) -> RealtimeError:
    """A field that the protocol requires."""
    return RealtimeError("missing_required_parameter", f"Missing required parameter: '{param}'.", param=param)


def invalid_value(message: str, param: str) -> RealtimeError:
    """A field with a value that it cannot have."""
    return RealtimeError("invalid_value", message, param=param)


def view_of(error: KoeError, event_id: str | None = None) -> dict[str, Any]:
    """An error as its event has it. `event_id`: that of the client's event."""
    return {
        "type": "invalid_request_error" if isinstance(error, InvalidRequest) else "server_error",
        "code": error.code,
        "message": error.message,
        "param": error.param,
        "event_id": event_id,
    }
