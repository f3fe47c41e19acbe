"""The table of all metrics: name, help, labels, buckets, and where each is counted. Dashboards, alerts and guides name these.

Why a metric has a source: each API process has its own counts, so they are added up; all others are the same at every API
process, so the value of one is enough.
"""

from enum import Enum
from typing import Final

import msgspec

SPEECH_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Buckets for waiting, speaking and encoding."""
_AUDIO_SECONDS: Final = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 30.0, 60.0)
"""Buckets for the length of a segment."""
_JOB_SECONDS: Final = (1.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 7200.0, 21_600.0, 86_400.0)
_RATIOS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)
"""Buckets for the real-time factor: 1 is as fast as the audio plays."""


class Kind(Enum):
    """The type of a metric in Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Source(Enum):
    """Where a metric comes from."""

    API = "api"
    """Counted by the API process that answers the scrape."""
    WORKERS = "workers"
    """Counted by workers, which hand it over through Redis: the sum of all workers, also of those that have ended."""
    REDIS = "redis"
    """Read from Redis at each scrape: events that a script counts, heartbeat records of workers, sizes."""


class MetricInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: str
    kind: Kind
    source: Source
    help: str
    labels: dict[str, tuple[str, ...]] = {}
    """Label → its known values. Empty: the values are not known in advance."""
    buckets: tuple[float, ...] = SPEECH_SECONDS
    """Upper bounds of a histogram's buckets."""


_Labels = dict[str, tuple[str, ...]]

_LANES: Final[_Labels] = {"lane": ("interactive", "batch")}
_CACHE: Final[_Labels] = {"cache": ("hit", "join", "miss")}
_ENGINE: Final[_Labels] = {"engine": ()}
_PROTOCOL: Final[_Labels] = {"protocol": ("realtime", "together", "cartesia", "wyoming")}


def _counter(source: Source, name: str, help_: str, **labels: tuple[str, ...]) -> MetricInfo:
    return MetricInfo(name=name, kind=Kind.COUNTER, source=source, help=help_, labels=labels)


def _gauge(source: Source, name: str, help_: str, **labels: tuple[str, ...]) -> MetricInfo:
    return MetricInfo(name=name, kind=Kind.GAUGE, source=source, help=help_, labels=labels)


def _histogram(
    source: Source,
    name: str,
    help_: str,
    labels: _Labels,
    buckets: tuple[float, ...] = SPEECH_SECONDS,
) -> MetricInfo:
    return MetricInfo(name=name, kind=Kind.HISTOGRAM, source=source, help=help_, labels=labels, buckets=buckets)


_API, _WORKERS, _REDIS = Source.API, Source.WORKERS, Source.REDIS

_ROWS: Final = (
    _gauge(_API, "koe_build_info", "1, with the versions of Koe and of Python as labels.", version=(), python=()),
    _counter(
        _API,
        "koe_requests_total",
        "Answers by method, route and status; status 499 is a client that left before its answer began.",
        method=(),
        route=(),
        status=(),
    ),
    _gauge(_API, "koe_open_requests", "Requests that are being answered now."),
    _histogram(
        _API,
        "koe_first_audio_seconds",
        "Seconds from a request for speech to the first byte of its audio, by `cache`: hit, join, miss.",
        _CACHE,
    ),
    _histogram(
        _API,
        "koe_first_sound_seconds",
        "The same with the silence at the beginning of the audio: seconds to the first sound. Of answers read to their end.",
        _CACHE,
    ),
    _counter(_API, "koe_audio_seconds_total", "Seconds of audio of requests that were sent completely."),
    _counter(
        _API,
        "koe_broken_off_total",
        "Answers that were broken off after they began, by route and reason (`left`, `failed`).",
        route=(),
        reason=("left", "failed"),
    ),
    _gauge(_API, "koe_live_sessions", "Open sessions for text that streams in, by protocol.", **_PROTOCOL),
    _counter(
        _API,
        "koe_live_texts_total",
        "Texts of these sessions, by protocol and outcome: `cancelled` by the client or since it left; `failed` with an error.",
        **_PROTOCOL,
        outcome=("spoken", "cancelled", "failed"),
    ),
    _counter(_API, "koe_errors_total", "Errors that were sent to clients, by code, or by kind if they have no code.", code=()),
    _counter(
        _API,
        "koe_refusals_total",
        "Requests that Koe did not serve because of a limit, load or an outage (429, 503, 504), by the code of the error.",
        reason=(),
    ),
    _gauge(_REDIS, "koe_redis_up", "1 when Redis answers. Otherwise the metrics below are absent."),
    _gauge(_REDIS, "koe_redis_memory_bytes", "Memory that Redis uses."),
    _gauge(_REDIS, "koe_redis_max_memory_bytes", "Memory that Redis may use; 0 is no limit."),
    _gauge(_REDIS, "koe_workers", "Worker processes that are alive."),
    _gauge(_REDIS, "koe_engine", "Engines that every live worker has; 1 for the one that OpenAI's model names use.", engine=()),
    _gauge(_REDIS, "koe_slots", "Tasks that the live workers can take at the same time."),
    _gauge(_REDIS, "koe_busy_slots", "Slots with a task."),
    _gauge(_REDIS, "koe_threads", "Compute threads of the live workers."),
    _gauge(_REDIS, "koe_busy_threads", "Compute threads that speak now."),
    _gauge(_REDIS, "koe_worker_memory_bytes", "Resident memory of each live worker.", worker=()),
    _gauge(
        _REDIS,
        "koe_device_memory_bytes",
        "Memory of the GPU that each live worker has reserved; absent for workers without a GPU.",
        worker=(),
    ),
    _gauge(
        _REDIS,
        "koe_model_loaded",
        "1 while a worker has the engine in memory, 0 after `KOE_IDLE_UNLOAD`.",
        worker=(),
        engine=(),
    ),
    _counter(_REDIS, "koe_worker_deaths_total", "Workers whose heartbeats ended unannounced: killed, crashed or hanging."),
    _counter(_REDIS, "koe_takeovers_total", "Utterances that a worker took over from one without a heartbeat."),
    _counter(_WORKERS, "koe_retries_total", "Utterances and steps of jobs that were begun again after a failure."),
    _counter(_REDIS, "koe_cancelled_total", "Utterances that were cancelled because their last reader left."),
    _gauge(_REDIS, "koe_waiting_utterances", "Entries that wait for a worker, by queue (label `lane`).", **_LANES),
    _gauge(
        _REDIS,
        "koe_waiting_audio_seconds",
        "Estimated seconds of audio that are not spoken yet, of all utterances (interactive) and open jobs (batch).",
        **_LANES,
    ),
    _gauge(_REDIS, "koe_parked_utterances", "Utterances that wait for a slow reader."),
    _histogram(
        _WORKERS,
        "koe_queue_wait_seconds",
        "Seconds that an utterance (interactive) or a step of a job (batch) waited for a slot, by queue.",
        _LANES,
    ),
    _histogram(_WORKERS, "koe_synthesis_seconds", "Seconds that an engine needed for one call, by engine.", _ENGINE),
    _histogram(
        _WORKERS,
        "koe_realtime_factor_ratio",
        "Seconds that an engine needed for each second of audio, in one call, by engine.",
        _ENGINE,
        _RATIOS,
    ),
    _histogram(
        _WORKERS, "koe_segment_audio_seconds", "Seconds of audio of each spoken segment, by engine.", _ENGINE, _AUDIO_SECONDS
    ),
    _histogram(
        _WORKERS,
        "koe_encoding_seconds",
        "Seconds that a task spent in its encoder, with the writing of the audio, by format. Parts of jobs are pcm.",
        {"format": ()},
    ),
    _counter(_WORKERS, "koe_segment_hits_total", "Segments that were found in the cache and not spoken."),
    _counter(
        _REDIS,
        "koe_evictions_total",
        "Finished audio (`audio`) and segments (`segment`) that were deleted from the cache to make room.",
        kind=("audio", "segment"),
    ),
    _gauge(_REDIS, "koe_cache_bytes", "Bytes of finished audio in the cache."),
    _gauge(_REDIS, "koe_kept_bytes", "Bytes of segments in the cache for their own text until it is finished."),
    _gauge(_REDIS, "koe_segment_bytes", "Bytes of segments in the cache for other texts."),
    _gauge(_REDIS, "koe_open_jobs", "Jobs that have not ended."),
    _counter(_REDIS, "koe_jobs_total", "Jobs that have ended, by outcome.", outcome=("completed", "failed", "cancelled")),
    _histogram(_WORKERS, "koe_job_seconds", "Seconds from the creation of a job to its finished file.", {}, _JOB_SECONDS),
    _counter(
        _WORKERS,
        "koe_webhooks_total",
        "Webhooks that were sent, by outcome: `failed` is sent again, `given_up` is not; `unwanted` was answered with 410.",
        outcome=("delivered", "failed", "given_up", "unwanted"),
    ),
)

TABLE: Final = {row.name: row for row in _ROWS}
"""Every metric by its name, in the order in which a scrape shows them. Metrics of the process, such as
`koe_process_resident_memory_bytes`, come from the library.
"""

HELP: Final = {name: row.help for name, row in TABLE.items()}
