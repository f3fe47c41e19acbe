"""The metrics, their names, and their text for Prometheus.

Each API process counts its own answers. With several processes behind one address, a scrape reaches any of them, so each needs
an address of its own in Prometheus. The values from Redis are the same in all.

Why not the library's global registry: several applications may run in one process, and each counts only its own answers.

Why the values from Redis are read at each scrape: they are then never older than the scrape, and cost nothing between two
scrapes.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any, Final

import msgspec
from prometheus_client import generate_latest
from prometheus_client.process_collector import ProcessCollector
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError, ResponseError

from app.core.errors import Busy, Cancelled, KoeError, NoWorker, TimedOut, Unavailable
from app.core.metrics.families import Families
from app.core.metrics.handover import FleetCounts
from app.core.metrics.instruments import counter, gauge, histogram, new_registry
from app.core.metrics.waiting_audio import WaitingAudio
from app.core.queue import segment_cache
from app.core.queue.broker import QueueName, rq_queue
from app.core.queue.fleet import Fleet, FleetView
from app.core.storage import keys

MEDIA_TYPE: Final = "text/plain; version=0.0.4"
"""Prometheus' text format."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods that become labels. A client can send any word as a method; all other words are counted as `other`."""
_MAX_SECONDS: Final = 1.0
"""Longest wait for Redis at a scrape."""
_REFUSALS: Final = (Busy, Unavailable, TimedOut)
"""Errors of requests that Koe did not serve, although they were correct."""
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Metrics:
    """The counts of one API process since it started."""

    def __init__(self) -> None:
        self._registry = new_registry()
        ProcessCollector(namespace="koe", registry=self._registry)
        self._requests = counter("koe_requests_total", self._registry)
        self._errors = counter("koe_errors_total", self._registry)
        self._refusals = counter("koe_refusals_total", self._registry)
        self._broken_off = counter("koe_broken_off_total", self._registry)
        self._audio = counter("koe_audio_seconds_total", self._registry)
        self._first_audio = histogram("koe_first_audio_seconds", self._registry)
        self._first_sound = histogram("koe_first_sound_seconds", self._registry)
        self._live_sessions = gauge("koe_live_sessions", self._registry)
        self._live_texts = counter("koe_live_texts_total", self._registry)
        self.open_requests = gauge("koe_open_requests", self._registry)

    def count_answer(self, method: str, route: str, status: int) -> None:
        """Counts one answer. `route`: a template such as `/v1/models/{model_id}`, or a fixed word; never text of a client."""
        self._requests.labels(method if method in METHODS else "other", route, status).inc()

    def count_first_audio(self, cache: str, seconds: float) -> None:
        """Records the seconds until the first audio. `cache`: how the utterance was found: `hit`, `join` or `miss`."""
        self._first_audio.labels(cache).observe(seconds)

    def count_first_sound(self, cache: str, seconds: float) -> None:
        """Records the seconds until the first sound, which comes after the silence at the beginning of the audio."""
        self._first_sound.labels(cache).observe(seconds)

    def count_audio(self, seconds: float) -> None:
        """Counts an utterance of this length that was sent to its end."""
        self._audio.inc(seconds)

    def count_broken_off(self, route: str, *, has_left: bool) -> None:
        """Counts an answer that was broken off. `has_left`: the client disconnected."""
        self._broken_off.labels(route, "left" if has_left else "failed").inc()

    def live_session(self, protocol: str) -> AbstractContextManager[Any]:
        """Counts a WebSocket as open within the block."""
        return self._live_sessions.labels(protocol).track_inprogress()

    def count_live_text(self, protocol: str, outcome: str) -> None:
        """Counts a text of a WebSocket. `outcome`: `spoken`, `cancelled` or `failed`."""
        self._live_texts.labels(protocol, outcome).inc()

    def count_error(self, error: KoeError) -> None:
        """Counts an error that was sent to a client."""
        if not isinstance(error, Cancelled):
            self._errors.labels(label_of(error)).inc()
        if isinstance(error, _REFUSALS):
            self._refusals.labels(label_of(error)).inc()

    def render(self, shared: "Shared | None") -> bytes:
        """All metrics in Prometheus' text format. `shared`: None when Redis is unreachable."""
        return generate_latest(self._registry) + generate_latest(_families(shared))


def label_of(error: KoeError) -> str:
    """The code of the error, or the name of its class where it has none: `unknown_url`."""
    return error.code or _HUMP.sub("_", type(error).__name__).lower()


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The values from Redis at one moment."""

    fleet: Fleet
    counts: Mapping[str, float]
    """The counts of the fleet, by the names of `app.core.metrics.samples`."""
    waiting: Mapping[QueueName, int]
    waiting_seconds: Mapping[QueueName, float]
    """Estimated seconds of audio that are not spoken yet."""
    numbers: Mapping[str, float]
    """Metrics without labels that are a number in Redis."""


_NUMBERS: Final[Mapping[str, Callable[[Pipeline], object]]] = {
    "koe_parked_utterances": lambda pipe: pipe.scard(keys.PAUSED),
    "koe_open_jobs": lambda pipe: pipe.zcard(keys.JOBS_OPEN),
    "koe_cache_bytes": lambda pipe: pipe.hget(keys.CACHE_SIZES, segment_cache.TOTAL),
    "koe_kept_bytes": lambda pipe: pipe.hget(keys.CACHED_SEGMENTS, segment_cache.TOTAL),
    "koe_segment_bytes": lambda pipe: pipe.hget(keys.SEGMENT_SIZES, segment_cache.TOTAL),
}
"""Metrics that are one number in Redis, with the command that reads it."""


class SharedView:
    """Reads the values from Redis for a scrape."""

    def __init__(self, redis: AsyncRedis, blocking: Redis, fleet: FleetView) -> None:
        """`blocking` sends no command: RQ needs it to name its queues."""
        self._redis = redis
        self._fleet = fleet
        self._counts = FleetCounts()
        self._queue_keys = {queue_name: rq_queue(blocking, queue_name).key for queue_name in QueueName}
        self._waiting_audio = WaitingAudio(redis, self._queue_keys[QueueName.INTERACTIVE])

    async def now(self) -> Shared | None:
        """The values now; None when Redis is unreachable, or slower than a scrape can wait."""
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                return await self._read()
        except (RedisError, NoWorker, TimeoutError):
            return None

    async def _read(self) -> Shared:
        pipe = self._redis.pipeline(transaction=False)
        for key in self._queue_keys.values():
            pipe.llen(key)
        for command in _NUMBERS.values():
            command(pipe)
        pipe.hgetall(keys.METRICS)
        *found, counts = await pipe.execute()
        n_queues = len(self._queue_keys)
        fleet = await self._fleet.now()
        return Shared(
            fleet=fleet,
            counts=self._counts.update(counts),
            waiting=dict(zip(self._queue_keys, found[:n_queues], strict=True)),
            waiting_seconds=await self._waiting_audio.now(fleet.registrations),
            numbers=dict(zip(_NUMBERS, (int(n or 0) for n in found[n_queues:]), strict=True)) | await self._memory(),
        )

    async def _memory(self) -> dict[str, float]:
        """The memory of Redis; empty where Redis does not allow the question."""
        with suppress(ResponseError):
            info = await self._redis.info("memory")
            return {"koe_redis_memory_bytes": info["used_memory"], "koe_redis_max_memory_bytes": info["maxmemory"]}
        return {}


def _families(shared: Shared | None) -> Families:
    """The values of `shared`."""
    if shared is None:
        families = Families(["koe_redis_up"])
        families.add("koe_redis_up", 0)
        return families
    families = Families.of_redis()
    families.add("koe_redis_up", 1)
    families.add_counts(shared.counts)
    families.add_workers(shared.fleet.registrations)
    for engine in sorted(shared.fleet.engines):
        families.add("koe_engine", int(engine == shared.fleet.best), engine=engine)
    for queue_name in QueueName:
        families.add("koe_waiting_utterances", shared.waiting[queue_name], lane=queue_name.value)
        families.add("koe_waiting_audio_seconds", shared.waiting_seconds[queue_name], lane=queue_name.value)
    for name, value in shared.numbers.items():
        families.add(name, value)
    return families
