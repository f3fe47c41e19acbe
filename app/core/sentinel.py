"""Connections to the primary that sentinels know: each asks them where it is, as it connects.

Why connections and not redis-py's pools for sentinels: an event loop's few connections wait for one another, and any pool makes
connections of the class that it is given. Why a primary that has become a replica counts as away: the next connection finds the
new one, and whoever waits for Redis to come back waits for no more than that.
"""

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
from redis.retry import Retry

from app.core.redis_url import Address, RedisPlace, read_redis_url

_ASK_SECONDS: Final = 0.5
"""Longest wait for a sentinel, which may be on the machine that has died."""


def pool_options(place: RedisPlace, *, is_async: bool) -> dict[str, Any]:
    """What a pool is to be made with, for connections to this place."""
    options: dict[str, Any] = dict((parse_async_url if is_async else parse_url)(place.url))
    if place.sentinels:
        kinds = (_AsyncTls, _AsyncPlain) if is_async else (_Tls, _Plain)
        options |= {"connection_class": kinds[0] if place.is_tls else kinds[1], "place": place}
    return options


def primary_url(url: str) -> str:
    """The URL of the server itself, for programs that know no sentinels. Raises ConnectionError when no sentinel knows it."""
    place = read_redis_url(url)
    if not place.sentinels:
        return place.url
    options = pool_options(place, is_async=False)
    connection: _Plain = options.pop("connection_class")(**options)
    return place.at(connection.find())


class _Asking:
    """What both kinds of connections know of their sentinels."""

    def __init__(self, *args: Any, place: RedisPlace, **options: Any) -> None:
        super().__init__(*args, **options)
        self._place = place
        self._sentinels = list(place.sentinels)
        self._tls = {name: value for name, value in options.items() if name.startswith("ssl_")}

    def _pass_over(self, sentinel: Address) -> None:
        """Asks the others first from now on: what this one says may be out of date."""
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
            **self._tls,
        }

    def _unknown(self) -> RedisConnectionError:
        return RedisConnectionError(f"No sentinel knows a primary of {self._place.service!r} now.")


class _Plain(_Asking, Connection):
    """For threads."""

    def _connect(self) -> Any:
        self.host, self.port = self.find()
        return super()._connect()  # type: ignore[no-untyped-call]

    def find(self) -> Address:
        """Where the primary is now. Raises ConnectionError when no sentinel knows."""
        for sentinel in tuple(self._sentinels):
            self._pass_over(sentinel)
            try:
                with Redis(**self._options(sentinel), retry=Retry(NoBackoff(), 0)) as redis:
                    found: Any = redis.sentinel_get_master_addr_by_name(self._place.service)
            except RedisError:
                continue
            if found:
                return _read_address(found)
        raise self._unknown()

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Raises ConnectionError where the server has become a replica."""
        try:
            return super().read_response(*args, **options)
        except ReadOnlyError as error:
            self.disconnect()  # type: ignore[no-untyped-call]
            raise RedisConnectionError("The primary has become a replica.") from error


class _Tls(_Plain, SSLConnection):
    """For threads, encrypted."""


class _AsyncPlain(_Asking, AsyncConnection):
    """For an event loop."""

    async def _connect(self) -> None:
        self.host, self.port = await self.find()
        await super()._connect()  # type: ignore[no-untyped-call]

    async def find(self) -> Address:
        """Where the primary is now. Raises ConnectionError when no sentinel knows."""
        for sentinel in tuple(self._sentinels):
            self._pass_over(sentinel)
            try:
                async with AsyncRedis(**self._options(sentinel), retry=AsyncRetry(NoBackoff(), 0)) as redis:
                    found: Any = await redis.sentinel_get_master_addr_by_name(self._place.service)
            except RedisError:
                continue
            if found:
                return _read_address(found)
        raise self._unknown()

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Raises ConnectionError where the server has become a replica."""
        try:
            return await super().read_response(*args, **options)
        except ReadOnlyError as error:
            await self.disconnect()
            raise RedisConnectionError("The primary has become a replica.") from error


class _AsyncTls(_AsyncPlain, AsyncSSLConnection):
    """For an event loop, encrypted."""


def _read_address(found: Any) -> Address:
    host, port = found
    return (host.decode() if isinstance(host, bytes) else host), int(port)
