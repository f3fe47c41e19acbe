"""The request for a client secret."""

from typing import Any

import msgspec

from app.access.client_secrets import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS
from app.api.live.realtime.errors import RealtimeError
from app.api.live.realtime.settings import fields_of, new_session
from app.api.requests.fields import kind_of
from app.api.requests.reader import RequestReader
from app.core.errors import InvalidValue, WrongType

_ANY_TEXT = "."


class ClientSecretRequest(msgspec.Struct, frozen=True):
    """How long the secret lives, and what it sets."""

    seconds: int
    session: dict[str, Any]


def read_client_secret(fields: dict[str, Any]) -> ClientSecretRequest:
    """The request in `fields`. Raises InvalidRequest."""
    expires = {} if fields.get("expires_after") is None else fields["expires_after"]
    if not isinstance(expires, dict) or expires.get("anchor", "created_at") != "created_at":
        raise InvalidValue("Invalid value: the anchor is 'created_at'.", param="expires_after.anchor")
    seconds = expires.get("seconds", DEFAULT_SECONDS)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise InvalidValue(f"Invalid value: from {MIN_SECONDS} to {MAX_SECONDS} seconds.", param="expires_after.seconds")
    session = fields.get("session")
    if not isinstance(session, dict | None):
        raise WrongType("session", "an object", kind_of(session))
    return ClientSecretRequest(seconds, session or {})


def voice_in(preset: dict[str, Any] | None) -> Any:
    """The voice that the settings name, as the client wrote it; None without one."""
    found: Any = preset
    for name in ("audio", "output", "voice"):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def preset_session(preset: dict[str, Any], reader: RequestReader) -> dict[str, Any]:
    """Returns the session that a client of the secret begins with. Raises the InvalidRequest of the first invalid setting."""
    try:
        session = new_session(preset=preset)
    except RealtimeError as error:
        raise InvalidValue(error.message, param=error.param or "session") from error
    reader.read_speech({**fields_of(session), "input": _ANY_TEXT})
    return session
