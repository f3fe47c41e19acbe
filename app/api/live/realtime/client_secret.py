"""The request for a client secret."""

from typing import Any

import msgspec

from app.access.client_secrets import DEFAULT_SECONDS, MAX_SECONDS, MIN_SECONDS
from app.api.live.realtime.errors import invalid_value
from app.api.live.realtime.settings import fields_of, new_session
from app.api.requests.reader import RequestReader

_ANY_TEXT = "."


class ClientSecretRequest(msgspec.Struct, frozen=True):
    """How long the secret lives, and what it sets."""

    seconds: int
    session: dict[str, Any]


def read_client_secret(fields: dict[str, Any]) -> ClientSecretRequest:
    """The request in `fields`. Raises RealtimeError."""
    expires = fields.get("expires_after") or {}
    if not isinstance(expires, dict) or expires.get("anchor", "created_at") != "created_at":
        raise invalid_value("Invalid value: the anchor is 'created_at'.", "expires_after.anchor")
    seconds = expires.get("seconds", DEFAULT_SECONDS)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise invalid_value(f"Invalid value: from {MIN_SECONDS} to {MAX_SECONDS} seconds.", "expires_after.seconds")
    session = fields.get("session") or {}
    if not isinstance(session, dict):
        raise invalid_value("Invalid type: 'session' is an object.", "session")
    return ClientSecretRequest(seconds, session)


def preset_session(preset: dict[str, Any], reader: RequestReader) -> dict[str, Any]:
    """Returns the session that a client of the secret will begin with. Raises the InvalidRequest of the first invalid setting."""
    session = new_session(preset=preset)
    reader.read_speech({**fields_of(session), "input": _ANY_TEXT})
    return session
