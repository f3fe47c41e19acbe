"""Keys: a request needs `Authorization: Bearer KEY`. A server without keys answers everybody, as one owner."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.access.keyring import Key, Keyring
from app.api.facts import note
from app.core.errors import IncorrectKey, MissingKey

_SHOWN_WHOLE_CHARS: Final = 7
_SHOWN_BY_THREE_CHARS: Final = 12


def check(keyring: Keyring, authorization: str | None) -> Key:
    """The key that the header's value contains (None: no header). Raises MissingKey or IncorrectKey."""
    presented = _read_key(authorization or "")
    if not presented and not keyring.is_open:
        raise MissingKey
    key = keyring.find(presented)
    if key is None:
        raise IncorrectKey(mask(presented.decode(errors="replace")))
    return key


def mask(key: str) -> str:
    """The part of an incorrect key that may be shown: its owner recognises it, and nobody else can use it."""
    if len(key) <= _SHOWN_WHOLE_CHARS:
        return key
    if len(key) <= _SHOWN_BY_THREE_CHARS:
        return f"{key[:3]}***"
    return f"{key[:8]}***{key[-4:]}"


def require_key(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard for Litestar. It asks the Keyring in `app.state.keyring`."""
    _authenticate(connection, connection.headers.get("authorization"))


def require_key_of_azure(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard for Azure's paths, whose clients send the key in the header `api-key`."""
    key = connection.headers.get("api-key")
    if key is None or "authorization" in connection.headers:
        require_key(connection, handler)
    else:
        _authenticate(connection, f"Bearer {key}")


def _authenticate(connection: ASGIConnection[Any, Any, Any, Any], authorization: str | None) -> None:
    keyring: Keyring = connection.app.state.keyring
    connection.state.key = key = check(keyring, authorization)
    note(connection.scope, key=key.name or None)


def key_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Key:
    """The key of a request that passed `require_key`."""
    key: Key = connection.state.key
    return key


def owner_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The owner of a request that passed `require_key`: one for each key; `""` on a server without keys."""
    return key_of(connection).owner


def visitor_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Key | None:
    """The key of a request to a route that needs none; None if it presents no valid key."""
    keyring: Keyring = connection.app.state.keyring
    return keyring.find(_read_key(connection.headers.get("authorization") or ""))


def _read_key(authorization: str) -> bytes:
    """The bytes of the key as sent; empty when the header is not `Bearer KEY`. Servers decode headers as Latin-1."""
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return b""
    try:
        return key.strip().encode("latin-1")
    except UnicodeEncodeError:
        return key.strip().encode("utf-8", errors="replace")
