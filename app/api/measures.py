"""The metrics, their names, and their text for Prometheus.

Each API process counts its own answers. With several processes behind one address, a scrape reaches any of them, so each needs
an address of its own in Prometheus. The values from Redis are the same in all.

Why not the library's global registry: several applications may run in one process, and each counts only its own answers.

Why the values from Redis are read at each scrape: they are then never older than the scrape, and cost nothing between two
scrapes.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError
from typing_extensions import override

from app.core.errors import Cancelled, KoeError, NoWorker
from app.core.metrics.instruments import counter, gauge, histogram, new_registry
from app.core.metrics.table import TABLE, MetricInfo, Source
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
        self.open_requests = gauge("koe_open_requests", self._registry)

    def count_answer(self, method: str, route: str, status: int) -> None:
        """Counts one answer. `route`: a template such as `/v1/models/{model_id}`, or a fixed word; never text of a client."""
        self._requests.labels(method if method in METHODS else "other", route, status).inc()

    def count_first_audio(self, cache: str, seconds: float) -> None:
        """Records the seconds until the first audio. `cache`: how the utterance was found: `hit`, `join` or `miss`."""
        self._first_audio.labels(cache).observe(seconds)

    def count_audio(self, seconds: float) -> None:
        """Counts an utterance of this length that was sent to its end."""
        self._audio.inc(seconds)

    def count_broken_off(self, route: str, *, has_left: bool) -> None:
        """Counts an answer that was broken off. `has_left`: the client disconnected."""
        self._broken_off.labels(route, "left" if has_left else "failed").inc()

    def count_error(self, error: KoeError) -> None:
        """Counts an error that was sent to a client."""
        if not isinstance(error, Cancelled):
            self._errors.labels(label_of(error)).inc()

    def render(self, shared: "Shared | None") -> bytes:
        """All metrics in Prometheus' text format. `shared`: None when Redis is unreachable."""
        return generate_latest(self._registry) + generate_latest(_SharedGauges(shared))


def label_of(error: KoeError) -> str:
    """The code of the error, or the name of its class where it has none: `unknown_url`."""
    return error.code or _HUMP.sub("_", type(error).__name__).lower()


class Shared(msgspec.Struct, frozen=True, kw_only=True):
    """The values from Redis at one moment."""

    fleet: Fleet
    waiting: Mapping[QueueName, int]
    n_paused: int
    n_open_jobs: int
    cache_bytes: int
    task_segment_bytes: int
    segment_bytes: int


class SharedView:
    """Reads the values from Redis for a scrape."""

    def __init__(self, redis: AsyncRedis, blocking: Redis, fleet: FleetView) -> None:
        """`blocking` sends no command: RQ needs it to name its queues."""
        self._redis = redis
        self._fleet = fleet
        self._queue_keys = {queue_name: rq_queue(blocking, queue_name).key for queue_name in QueueName}

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
        pipe.scard(keys.PAUSED)
        pipe.zcard(keys.JOBS_OPEN)
        pipe.hget(keys.CACHE_SIZES, segment_cache.TOTAL)
        pipe.hget(keys.CACHED_SEGMENTS, segment_cache.TOTAL)
        pipe.hget(keys.SEGMENT_SIZES, segment_cache.TOTAL)
        *waiting, n_paused, n_open_jobs, cache_bytes, task_segment_bytes, segment_bytes = await pipe.execute()
        return Shared(
            fleet=await self._fleet.now(),
            waiting=dict(zip(self._queue_keys, waiting, strict=True)),
            n_paused=n_paused,
            n_open_jobs=n_open_jobs,
            cache_bytes=int(cache_bytes or 0),
            task_segment_bytes=int(task_segment_bytes or 0),
            segment_bytes=int(segment_bytes or 0),
        )


class _SharedGauges(Collector):
    """The values of `shared` as metrics, in the order of the table."""

    def __init__(self, shared: Shared | None) -> None:
        self._shared = shared

    @override
    def collect(self) -> Iterator[Metric]:
        families = {name: _family(row) for name, row in TABLE.items() if row.source is not Source.API}
        _add(families, "koe_redis_up", int(self._shared is not None))
        if self._shared is None:
            yield families["koe_redis_up"]
            return
        _add_values(families, self._shared)
        yield from families.values()


def _add_values(families: dict[str, Metric], shared: Shared) -> None:
    _add(families, "koe_workers", len(shared.fleet.registrations))
    for engine in sorted(shared.fleet.engines):
        _add(families, "koe_engine", int(engine == shared.fleet.best), engine=engine)
    for queue_name, n_waiting in shared.waiting.items():
        _add(families, "koe_waiting_utterances", n_waiting, lane=queue_name.value)
    _add(families, "koe_parked_utterances", shared.n_paused)
    _add(families, "koe_open_jobs", shared.n_open_jobs)
    _add(families, "koe_cache_bytes", shared.cache_bytes)
    _add(families, "koe_kept_bytes", shared.task_segment_bytes)
    _add(families, "koe_segment_bytes", shared.segment_bytes)


def _family(row: MetricInfo) -> Metric:
    return Metric(row.name.removesuffix("_total"), row.help, row.kind.value)


def _add(families: dict[str, Metric], name: str, value: float, **labels: str) -> None:
    families[name].add_sample(name, labels, value)
