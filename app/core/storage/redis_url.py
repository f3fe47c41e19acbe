"""Parses `KOE_REDIS_URL`: one Redis, by TCP, TLS or a socket, or a primary that sentinels know.

Why mistakes are found here and not by the client: the client would look up half a password as a host name and write it into its
error. Messages contain no more of the URL than its scheme.
"""

from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
from redis.connection import parse_url

from app.core.errors import Misconfigured

_SCHEMES: Final = {
    "redis": "redis",
    "rediss": "rediss",
    "unix": "unix",
    "valkey": "redis",
    "valkeys": "rediss",
    "redis+sentinel": "redis",
    "rediss+sentinel": "rediss",
}
_FORMS: Final = (
    "redis://HOST:PORT/DB, rediss://… with TLS, unix:///PATH, or redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB, each with "
    "USER:PASSWORD@ before the host where one is needed"
)
_ENCODE: Final = "percent-encode the user and the password in it (@ is %40, # is %23, / is %2F, ? is %3F, : is %3A)."
_REDIS_PORT: Final = 6379
_SENTINEL_PORT: Final = 26_379
_MAX_PORT: Final = 65_535

Address = tuple[str, int]
"""Host and port."""


class RedisPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A Redis and how to reach it."""

    url: str
    """URL for redis-py; without the addresses of sentinels."""
    sentinels: tuple[Address, ...] = ()
    """The sentinels that know the primary; empty when the URL names the server itself."""
    service: str = ""
    """The sentinels' name for the primary that they watch."""
    sentinel_username: str | None = None
    sentinel_password: str | None = None

    @property
    def is_tls(self) -> bool:
        """Whether connections are encrypted, including connections to sentinels."""
        return self.url.startswith("rediss:")

    def at(self, address: Address) -> str:
        """The URL with that address instead of the sentinels' addresses."""
        parts, (host, port) = urlsplit(self.url), address
        login, divider, _ = parts.netloc.rpartition("@")
        shown = f"[{host}]" if ":" in host else host
        return parts._replace(netloc=f"{login}{divider}{shown}:{port}").geturl()


def read_redis_url(text: str) -> RedisPlace:
    """The Redis that the URL names. Raises Misconfigured for an invalid URL; the message contains nothing
    that may be secret.
    """
    scheme, divider, _ = text.partition("://")
    if not divider or scheme not in _SCHEMES:
        what = (
            f"has the scheme {scheme!r}" if divider and scheme.isascii() and scheme.isidentifier() else "has no scheme of Redis"
        )
        raise Misconfigured(f"KOE_REDIS_URL {what}: it must be {_FORMS}.")
    try:
        place = _read(scheme, text)
        parse_url(place.url)
    except Misconfigured:
        raise
    except ValueError:
        # From None: the message of the cause may contain part of the password.
        raise Misconfigured(f"KOE_REDIS_URL cannot be read: it must be {_FORMS}; {_ENCODE}") from None
    return place


def show_redis_url(text: str) -> str:
    """The URL without user, password and options."""
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def _read(scheme: str, text: str) -> RedisPlace:
    plain = _SCHEMES[scheme]
    parts = urlsplit(text)
    if parts.fragment or "@" in parts.path + parts.query or parts.netloc.count("@") > 1:
        raise Misconfigured(f"KOE_REDIS_URL cannot be read: {_ENCODE}")
    if plain == "unix":
        if not parts.path:
            raise Misconfigured(f"KOE_REDIS_URL names no path: it must be {_FORMS}.")
        return RedisPlace(url=text)
    return _read_sentinels(plain, parts) if scheme.endswith("+sentinel") else _read_one(plain, parts)


def _read_one(scheme: str, parts: SplitResult) -> RedisPlace:
    _check_database(parts.path.removeprefix("/"))
    login, _, place = parts.netloc.rpartition("@")
    _address(place, _REDIS_PORT)
    return RedisPlace(url=_url(scheme, login, place, parts.path, parts.query))


def _read_sentinels(scheme: str, parts: SplitResult) -> RedisPlace:
    login, _, places = parts.netloc.rpartition("@")
    service, _, database = parts.path.removeprefix("/").partition("/")
    if not service:
        raise Misconfigured(f"KOE_REDIS_URL names no service for its sentinels: it must be {_FORMS}.")
    _check_database(database)
    options = dict(option.partition("=")[::2] for option in parts.query.split("&") if option)
    own = {name: options.pop(name, None) for name in ("sentinel_username", "sentinel_password")}
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return RedisPlace(
        url=_url(scheme, login, "sentinel", f"/{database}" if database else "", query),
        sentinels=tuple(_address(place, _SENTINEL_PORT) for place in places.split(",")),
        service=unquote(service),
        **{name: unquote(value) if value else None for name, value in own.items()},
    )


def _url(scheme: str, login: str, place: str, path: str, query: str) -> str:
    return f"{scheme}://{login}{'@' if login else ''}{place}{path}{'?' if query else ''}{query}"


def _check_database(text: str) -> None:
    if text and not (text.isascii() and text.isdigit()):
        raise Misconfigured(f"KOE_REDIS_URL: a number must follow the host (the database); or {_ENCODE}")


def _address(text: str, default_port: int) -> Address:
    """The address in `host`, `host:port` or `[::1]:port`. An invalid address may be part of a password, so no
    message shows it.
    """
    host, bracket, rest = text.rpartition("]")
    if bracket:
        host, port = host.removeprefix("["), rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    if not host or (port and not (port.isascii() and port.isdigit() and 0 < int(port) <= _MAX_PORT)):
        raise Misconfigured(f"KOE_REDIS_URL has no HOST:PORT: it must be {_FORMS}; {_ENCODE}")
    return unquote(host), int(port or default_port)
