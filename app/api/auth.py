"""Who may call: keys from the settings, sent as `Authorization: Bearer KEY`. With no keys set, everybody may.

Why digests are compared, and all of them: the time that the answer takes then tells nothing of how much of a key was right, nor
of which key it was.
"""

import hashlib
import hmac
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.core.errors import IncorrectKey, MissingKey
from app.core.settings import Secret

_SHOWN_WHOLE_CHARS: Final = 7
_SHOWN_BY_THREE_CHARS: Final = 12
_OWNER_DIGITS: Final = 16


class Keyring:
    """The keys that open the API."""

    def __init__(self, keys: tuple[Secret, ...] = ()) -> None:
        self._digests = tuple(_digest(key.reveal().encode()) for key in keys)

    def check(self, authorization: str | None) -> None:
        """Raises MissingKey or IncorrectKey unless the header's value (None: not sent) holds one of the keys."""
        if not self._digests:
            return
        presented = _read_key(authorization or "")
        if not presented:
            raise MissingKey
        digest = _digest(presented)
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(matches):
            raise IncorrectKey(mask(presented.decode(errors="replace")))

    def owner(self, authorization: str | None) -> str:
        """Who a key that opens the API stands for: hex digits of its digest, shortened; `""` where no keys are set."""
        return _digest(_read_key(authorization or "")).hex()[:_OWNER_DIGITS] if self._digests else ""


def mask(key: str) -> str:
    """What may be shown of a key that opens nothing: enough for its owner to know it by."""
    if len(key) <= _SHOWN_WHOLE_CHARS:
        return key
    if len(key) <= _SHOWN_BY_THREE_CHARS:
        return f"{key[:3]}***"
    return f"{key[:8]}***{key[-4:]}"


def require_key(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard of Litestar's: asks the Keyring in `app.state.keyring`."""
    keyring: Keyring = connection.app.state.keyring
    keyring.check(connection.headers.get("authorization"))


def owner_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Whose request it is, once `require_key` has let it pass: one key, one owner; `""` for everybody where no keys are set."""
    keyring: Keyring = connection.app.state.keyring
    return keyring.owner(connection.headers.get("authorization"))


def _read_key(authorization: str) -> bytes:
    """The key's bytes as they came, or none when the header is no `Bearer KEY`. Servers hand headers on as Latin-1."""
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        return b""
    try:
        return key.strip().encode("latin-1")
    except UnicodeEncodeError:
        return key.strip().encode("utf-8", errors="replace")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
