"""Client secrets: short-lived keys that a server makes for a page or an app, so that its own key stays with it.

Why a secret names the digest of the key that made it: the limits are that key's, and when the operator removes the key, its
secrets are worth nothing.
"""

import secrets
import time
from typing import Any, Final

import msgspec
from redis.asyncio import Redis as AsyncRedis

from app.access.keyring import Key, Keyring, digest_of
from app.core.storage import keys
from app.core.storage.connections import reachable

PREFIX: Final = "ek_"
"""The beginning of a secret, as at OpenAI's."""
MIN_SECONDS, MAX_SECONDS, DEFAULT_SECONDS = 10, 7200, 600
"""Life of a secret."""


class ClientSecret(msgspec.Struct, frozen=True):
    """What a secret stands for."""

    key: str
    """Hex digits of the digest of the key that made it; empty on a server without keys."""
    session: dict[str, Any]
    """The settings of the session that it opens."""


class ClientSecrets:
    """The secrets of all keys, in Redis. Raises NoWorker when Redis is unreachable."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis

    async def create(self, key: Key, session: dict[str, Any], seconds: int) -> tuple[str, int]:
        """Returns a new secret, and when it expires in seconds since 1970."""
        value = f"{PREFIX}{secrets.token_hex(16)}"
        stored = msgspec.json.encode(ClientSecret(key.digest.hex(), session))
        with reachable():
            await self._redis.set(_name(value), stored, ex=seconds)
        return value, int(time.time()) + seconds

    async def find(self, value: str, keyring: Keyring) -> tuple[Key, dict[str, Any]] | None:
        """Returns the key that a secret stands for, and the settings of its session; None for an unknown secret."""
        with reachable():
            stored = await self._redis.get(_name(value))
        if stored is None:
            return None
        found = msgspec.json.decode(stored, type=ClientSecret)
        key = keyring.find_digest(bytes.fromhex(found.key))
        return None if key is None else (key, found.session)


def _name(value: str) -> str:
    """The key in Redis. It holds no secret: who reads Redis cannot use it."""
    return keys.client_secret(digest_of(value.encode()).hex())
