"""What each worker does now, without any text: written by the workers at every heartbeat, read by `koe top`.

Why apart from the registration: the API reads all registrations twice a second and needs none of this.
"""

from typing import Final, cast

import msgspec
from redis import Redis

from app.core.queue.fleet import Vitals
from app.core.storage import keys

_FORGET_SECONDS: Final = 60.0
"""A worker that ended without a word is listed for this time."""


class SpokenNow(msgspec.Struct, frozen=True, kw_only=True):
    """An utterance, or a part of a job, that a worker speaks now."""

    id: str
    """Id of the utterance or of the job."""
    owner: str
    """Owner of the request: the first digits of the key's digest; empty on a server without keys."""
    queue: str
    voice: str
    format: str
    n_characters: int
    seconds: float
    """Seconds of audio that are spoken."""
    whole_seconds: float
    """Estimated seconds of all its audio."""
    age_seconds: float
    """Seconds since this worker began with it."""


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker process does at a heartbeat."""

    host: str
    pid: int
    vitals: Vitals
    spoken: tuple[SpokenNow, ...] = ()


def report_activity(redis: Redis, name: str, activity: Activity, ttl_seconds: float) -> None:
    """Writes what the worker does now; it counts for `ttl_seconds`."""
    now = redis_time(redis)
    pipe = redis.pipeline(transaction=False)
    pipe.zadd(keys.ACTIVITIES, {name: now})
    pipe.zremrangebyscore(keys.ACTIVITIES, 0, now - _FORGET_SECONDS)
    pipe.expire(keys.ACTIVITIES, round(_FORGET_SECONDS))
    pipe.set(keys.activity(name), msgspec.json.encode(activity), px=max(1, int(ttl_seconds * 1000)))
    pipe.execute()


def forget_activity(redis: Redis, name: str) -> None:
    """Removes the worker, which has ended in order."""
    pipe = redis.pipeline(transaction=False)
    pipe.zrem(keys.ACTIVITIES, name)
    pipe.delete(keys.activity(name))
    pipe.execute()


def read_activities(redis: Redis) -> dict[str, tuple[float, Activity | None]]:
    """Worker → time of its last heartbeat by the clock of Redis, and what it does; None for a worker that no longer reports."""
    beats = cast("list[tuple[bytes, float]]", redis.zrange(keys.ACTIVITIES, 0, -1, withscores=True))
    names = [name.decode() for name, _ in beats]
    raw = cast("list[bytes | None]", redis.mget([keys.activity(name) for name in names]) if names else [])
    found = (msgspec.json.decode(one, type=Activity) if one else None for one in raw)
    return {name: (beat, one) for name, (_, beat), one in zip(names, beats, found, strict=True)}


def redis_time(redis: Redis) -> float:
    """Seconds since 1970 by the clock of Redis: those of the machines may differ."""
    seconds, microseconds = redis.time()
    return seconds + microseconds / 1e6
