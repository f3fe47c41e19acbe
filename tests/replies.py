"""Reads Redis with the types that Koe stores: every name and value is bytes.

Why not the client's own types: they name the replies of every protocol and every option at once.
"""

from typing import cast

from redis import Redis


def entries(redis: Redis, stream: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The id and the fields of each entry of a stream, oldest first."""
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(stream))


def fields(redis: Redis, key: str) -> dict[str, str]:
    """The fields of a hash as text; empty if the key does not exist."""
    found = cast("dict[bytes, bytes]", redis.hgetall(key))
    return {name.decode(): value.decode() for name, value in found.items()}


def field(redis: Redis, key: str, name: str) -> bytes | None:
    """One field of a hash."""
    return cast("bytes | None", redis.hget(key, name))


def members(redis: Redis, key: str) -> list[str]:
    """The members of a sorted set, lowest score first."""
    return [member for member, _ in scores(redis, key)]


def scores(redis: Redis, key: str) -> list[tuple[str, float]]:
    """The members of a sorted set with their scores, lowest first."""
    found = cast("list[tuple[bytes, float]]", redis.zrange(key, 0, -1, withscores=True))
    return [(member.decode(), score) for member, score in found]


def key_names(redis: Redis, pattern: str) -> list[str]:
    """The existing keys that match `pattern`."""
    return [key.decode() for key in cast("list[bytes]", redis.keys(pattern))]
