"""Connections to the primary that sentinels know: each connection asks them for its address when it connects.

Why the connections of one pool share an answer for a moment: when a primary is lost, a hundred threads reconnect at once and
repeatedly. If each asked the sentinels, the process would have no time for its readers for half a minute.

Why connection classes and not redis-py's pools for sentinels: commands of an event loop must wait for one of its few
connections, and any pool uses the connection class that it is given. Why a primary that has become a replica counts as
unreachable: the next connection finds the new primary, and every caller that waits for Redis needs no other rule.
"""

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.connection import Connection as AsyncConnection
from redis.asyncio.connection import SSLConnection as AsyncSSLConnection
from redis.asyncio.connection import parse_url as parse_async_url
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection, parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from app.core.storage.redis_url import Address, RedisPlace, read_redis_url

_ASK_SECONDS: Final = 0.5
"""Longest wait for a sentinel, which may be on the machine that has died."""
_SHARE_SECONDS: Final = 0.2
"""How long others use an answer: shorter than the pause between two tries."""
_SHORT_GREETING: Final[dict[str, Any]] = {
    "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    "driver_info": None,
}
"""Options that omit notices of Redis Enterprise and redis-py's name, which would cost every connection three round trips."""


def pool_options(place: RedisPlace, *, is_async: bool) -> dict[str, Any]:
    """Options of a pool for connections to this place."""
    options: dict[str, Any] = _SHORT_GREETING | (parse_async_url if is_async else parse_url)(place.url)
    if place.sentinels:
        kinds = (_AsyncTls, _AsyncPlain) if is_async else (_Tls, _Plain)
        primary = (_AsyncPrimary if is_async else _Primary)(place, options)
        options |= {"connection_class": kinds[0] if place.is_tls else kinds[1], "primary": primary}
    return options


def has_sentinels(redis: Redis | AsyncRedis) -> bool:
    """Whether this client finds its server by sentinels."""
    return "primary" in redis.connection_pool.connection_kwargs


def primary_url(url: str) -> str:
    """The URL of the server itself, for programs that do not support sentinels. Raises ConnectionError when no sentinel knows
    it.
    """
    place = read_redis_url(url)
    return place.at(_Primary(place, pool_options(place, is_async=False)).find()) if place.sentinels else place.url


class _Sentinels:
    """The sentinels that know the primary, how to ask them, and their last answer."""

    def __init__(self, place: RedisPlace, options: Mapping[str, Any]) -> None:
        """`options` are the options of connections to the primary; the TLS options among them also apply to the sentinels."""
        self._place = place
        self._sentinels = list(place.sentinels)
        self._tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
        self._asked_at = float("-inf")
        self._found: Address | None = None

    def _pass_over(self, sentinel: Address) -> None:
        """Asks the other sentinels first from now on: the answer of this one may be out of date."""
        self._sentinels.remove(sentinel)
        self._sentinels.append(sentinel)

    def _options(self, sentinel: Address) -> dict[str, Any]:
        host, port = sentinel
        return {
            "host": host,
            "port": port,
            "ssl": self._place.is_tls,
            "username": self._place.sentinel_username,
            "password": self._place.sentinel_password,
            "socket_timeout": _ASK_SECONDS,
            "socket_connect_timeout": _ASK_SECONDS,
            **_SHORT_GREETING,
            **self._tls,
        }

    @property
    def _is_to_ask(self) -> bool:
        return time.monotonic() - self._asked_at > _SHARE_SECONDS

    def _note(self, found: Address | None) -> None:
        self._found, self._asked_at = found, time.monotonic()

    def _found_or_raise(self) -> Address:
        if self._found is None:
            raise RedisConnectionError(f"No sentinel knows a primary of {self._place.service!r} now.")
        return self._found


class _Primary(_Sentinels):
    """Finds the primary, for threads."""

    def __init__(self, place: RedisPlace, options: Mapping[str, Any]) -> None:
        super().__init__(place, options)
        self._asking = threading.Lock()

    def find(self) -> Address:
        """Address of the primary now. Raises ConnectionError when no sentinel knows it."""
        with self._asking:
            if self._is_to_ask:
                self._note(self._ask())
            return self._found_or_raise()

    def _ask(self) -> Address | None:
        for sentinel in tuple(self._sentinels):
            self._pass_over(sentinel)
            try:
                with Redis(**self._options(sentinel), retry=Retry(NoBackoff(), 0)) as redis:
                    found: Any = redis.sentinel_get_master_addr_by_name(self._place.service)
            except RedisError:
                continue
            if found:
                return _read_address(found)
        return None


class _AsyncPrimary(_Sentinels):
    """Finds the primary, for an event loop."""

    def __init__(self, place: RedisPlace, options: Mapping[str, Any]) -> None:
        super().__init__(place, options)
        self._asking = asyncio.Lock()

    async def find(self) -> Address:
        """Address of the primary now. Raises ConnectionError when no sentinel knows it."""
        async with self._asking:
            if self._is_to_ask:
                self._note(await self._ask())
            return self._found_or_raise()

    async def _ask(self) -> Address | None:
        for sentinel in tuple(self._sentinels):
            self._pass_over(sentinel)
            try:
                async with AsyncRedis(**self._options(sentinel), retry=AsyncRetry(NoBackoff(), 0)) as redis:
                    found: Any = await redis.sentinel_get_master_addr_by_name(self._place.service)
            except RedisError:
                continue
            if found:
                return _read_address(found)
        return None


class _Plain(Connection):
    """A connection to the primary, for threads."""

    def __init__(self, *args: Any, primary: _Primary, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]
        self._primary = primary

    def _connect(self) -> Any:
        self.host, self.port = self._primary.find()
        return super()._connect()  # type: ignore[no-untyped-call]

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Raises ConnectionError when the server has become a replica."""
        try:
            return super().read_response(*args, **options)
        except ReadOnlyError as error:
            self.disconnect()  # type: ignore[no-untyped-call]
            raise RedisConnectionError("The primary has become a replica.") from error


class _Tls(_Plain, SSLConnection):
    """An encrypted connection to the primary, for threads."""


class _AsyncPlain(AsyncConnection):
    """A connection to the primary, for an event loop."""

    def __init__(self, *args: Any, primary: _AsyncPrimary, **options: Any) -> None:
        super().__init__(*args, **options)
        self._primary = primary

    async def _connect(self) -> None:
        self.host, self.port = await self._primary.find()
        await super()._connect()  # type: ignore[no-untyped-call]

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Raises ConnectionError when the server has become a replica."""
        try:
            return await super().read_response(*args, **options)
        except ReadOnlyError as error:
            await self.disconnect()
            raise RedisConnectionError("The primary has become a replica.") from error


class _AsyncTls(_AsyncPlain, AsyncSSLConnection):
    """An encrypted connection to the primary, for an event loop."""


def _read_address(found: Any) -> Address:
    host, port = found
    return (host.decode() if isinstance(host, bytes) else host), int(port)
