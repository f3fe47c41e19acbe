"""Who may call, by `Authorization: Bearer KEY`, and how much. Where no keys are set, everybody may, and all are one caller."""

from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.access.keyring import Key, Keyring
from app.api.facts import note
from app.core.errors import IncorrectKey, MissingKey

_SHOWN_WHOLE_CHARS: Final = 7
_SHOWN_BY_THREE_CHARS: Final = 12


def check(keyring: Keyring, authorization: str | None) -> Key:
    """The key in the header's value (None: not sent). Raises MissingKey or IncorrectKey unless it opens the API."""
    presented = _read_key(authorization or "")
    if not presented and not keyring.is_open:
        raise MissingKey
    key = keyring.find(presented)
    if key is None:
        raise IncorrectKey(mask(presented.decode(errors="replace")))
    return key


def mask(key: str) -> str:
    """What may be shown of a key that opens nothing: enough for its owner to know it by."""
    if len(key) <= _SHOWN_WHOLE_CHARS:
        return key
    if len(key) <= _SHOWN_BY_THREE_CHARS:
        return f"{key[:3]}***"
    return f"{key[:8]}***{key[-4:]}"


def require_key(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard of Litestar's: asks the Keyring in `app.state.keyring`."""
    _let_in(connection, connection.headers.get("authorization"))


def require_key_of_azure(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The same for addresses of Azure's, whose clients send the key as `api-key`."""
    key = connection.headers.get("api-key")
    if key is None or "authorization" in connection.headers:
        require_key(connection, handler)
    else:
        _let_in(connection, f"Bearer {key}")


def _let_in(connection: ASGIConnection[Any, Any, Any, Any], authorization: str | None) -> None:
    keyring: Keyring = connection.app.state.keyring
    connection.state.key = key = check(keyring, authorization)
    note(connection.scope, key=key.name or None)


def key_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Key:
    """The key of a request that `require_key` has let pass."""
    key: Key = connection.state.key
    return key


def owner_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Whose request it is that `require_key` has let pass: one key, one owner; `""` for everybody where no keys are set."""
    return key_of(connection).owner


def _read_key(authorization: str) -> bytes:
    """The key's bytes as they came, or none when the header is no `Bearer KEY`. Servers hand headers on as Latin-1."""
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return b""
    try:
        return key.strip().encode("latin-1")
    except UnicodeEncodeError:
        return key.strip().encode("utf-8", errors="replace")
