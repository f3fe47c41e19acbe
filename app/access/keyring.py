"""The API keys: from the settings, and from a file that may change while the server runs.

Why digests: a key that is not stored cannot be stolen from the file or from this process. Why an unreadable file changes
nothing: a mistake while editing must neither lock all users out nor let everybody in.
"""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from app.core.errors import SettingsError
from app.core.rate_limits import RateLimit, parse_rate_limit

log: Final = structlog.get_logger()

OPEN: Final = "none"
"""The value of `rate_limit` for a key without a rate limit, regardless of the settings."""

_LOOK_SECONDS: Final = 1.0
"""The shortest time between two checks of the file."""

_OWNER_DIGITS: Final = 16
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key. On a server without keys, all requests share one."""

    name: str = ""
    """The operator's name for it; keys of the settings are numbered, `KOE_API_KEYS 1`. Empty on a server without keys."""
    digest: bytes = b""
    """SHA-256 of the key."""
    rate_limit: RateLimit | None = None
    max_concurrent: int = 0
    """Requests that may be open at a time; 0 is any number."""
    max_jobs: int = 0
    """Jobs that may be open at a time; 0 is any number."""

    @property
    def owner(self) -> str:
        """The owner of its requests and jobs: the first hex digits of the digest; empty on a server without keys."""
        return self.digest.hex()[:_OWNER_DIGITS]


NO_LIMITS: Final = Key()
"""A key without limits."""


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """A key in the file."""

    name: str
    sha256: str
    rate_limit: str | None = None
    max_concurrent: int | None = None
    max_jobs: int | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    keys: list[_Entry] = []


class Keyring:
    """All keys. A look-up takes the same time for correct and for incorrect keys."""

    def __init__(self, api_keys: Iterable[str] = (), file: Path | None = None, *, default: Key = NO_LIMITS) -> None:
        """`api_keys`: the keys of the settings. `default`: the limits of a key, unless the file sets others.

        Raises SettingsError when the file cannot be read.
        """
        self._default = default
        self._own = tuple(
            self._key(digest_of(key.encode()), name=f"KOE_API_KEYS {number}") for number, key in enumerate(api_keys, start=1)
        )
        self._file = file
        self._seen: tuple[int, ...] = ()
        self._looked_at = time.monotonic()
        self._keys = self._own
        if self._file is not None:
            self._seen = _stamp(self._file)
            self._keys = self._own + self._read(self._file)

    @property
    def is_open(self) -> bool:
        """Whether the server needs no key. A file without entries locks the server."""
        return not self._own and self._file is None

    @property
    def names(self) -> dict[str, str]:
        """Owner → name of its key."""
        return {key.owner: key.name for key in self._keys}

    def find(self, presented: bytes) -> Key | None:
        """Returns the presented key with its limits; None for an incorrect key."""
        if self.is_open:
            return self._default
        return self.find_digest(digest_of(presented))

    def find_named(self, name: str) -> Key | None:
        """Returns the key with this name; None if there is none any more."""
        if self.is_open:
            return self._default
        self._look()
        return next((key for key in self._keys if key.name == name), None)

    def find_digest(self, digest: bytes) -> Key | None:
        """Returns the key with this digest; None if there is none any more."""
        if self.is_open:
            return self._default
        self._look()
        # All keys are compared, so that the time does not show which key was nearly right, or how nearly.
        found = [key for key in self._keys if hmac.compare_digest(digest, key.digest)]
        return found[-1] if found else None

    def _look(self) -> None:
        if self._file is None or time.monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        try:
            stamp = _stamp(self._file)
            if stamp != self._seen:
                self._keys = self._own + self._read(self._file)
                log.info("keys_read_again", n_keys=len(self._keys))
        except SettingsError as error:
            stamp = ()
            log.error("keys_file_unreadable", error=str(error))
        self._seen = stamp

    def _read(self, file: Path) -> tuple[Key, ...]:
        try:
            entries = msgspec.toml.decode(file.read_bytes(), type=_File).keys
            keys = tuple(self._key_of(entry) for entry in entries)
        except (OSError, ValueError) as error:
            raise SettingsError(f"KOE_API_KEYS_FILE: {file} cannot be read ({error}).") from None
        for what, values in (("name", [entry.name for entry in entries]), ("sha256", [key.digest.hex() for key in keys])):
            if twice := next((value for value in values if values.count(value) > 1), None):
                raise SettingsError(f"KOE_API_KEYS_FILE: {file} has the {what} {twice!r} twice.")
        return keys

    def _key_of(self, entry: _Entry) -> Key:
        if not _DIGEST.fullmatch(entry.sha256.lower()):
            raise ValueError(f"the sha256 of {entry.name!r} is not 64 hex digits")
        limits: dict[str, Any] = {}
        if entry.rate_limit is not None:
            limits["rate_limit"] = None if entry.rate_limit == OPEN else parse_rate_limit(entry.rate_limit)
        for name in ("max_concurrent", "max_jobs"):
            most = getattr(entry, name)
            if most is not None and most < 0:
                raise ValueError(f"{name} of {entry.name!r} must be at least 0")
            limits |= {} if most is None else {name: most}
        return self._key(bytes.fromhex(entry.sha256), name=entry.name, **limits)

    def _key(self, digest: bytes, **fields: Any) -> Key:
        return msgspec.structs.replace(self._default, digest=digest, **fields)


def make_key(
    name: str, *, rate_limit: str | None = None, max_concurrent: int | None = None, max_jobs: int | None = None
) -> tuple[str, str]:
    """Returns a new key, and its entry for the file: an empty line, then TOML. Raises ValueError for an invalid rate limit."""
    if rate_limit not in (None, OPEN):
        rate_limit = str(parse_rate_limit(rate_limit))
    key = f"sk-koe-{secrets.token_urlsafe(24)}"
    limits: dict[str, Any] = {"rate_limit": rate_limit, "max_concurrent": max_concurrent, "max_jobs": max_jobs}
    entry = _Entry(name=name, sha256=digest_of(key.encode()).hex(), **limits)
    given = {field: value for field, value in msgspec.structs.asdict(entry).items() if value is not None}
    lines = (f"{field} = {json.dumps(value, ensure_ascii=False)}" for field, value in given.items())
    return key, "\n".join(["", "[[keys]]", *lines])


def digest_of(key: bytes) -> bytes:
    """Returns the form in which a key is stored: 32 bytes."""
    return hashlib.sha256(key).digest()


def _stamp(file: Path) -> tuple[int, ...]:
    try:
        stat = file.stat()
    except OSError as error:
        raise SettingsError(f"KOE_API_KEYS_FILE: {file} cannot be read ({error}).") from None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
