"""Reads queues, workers and what is spoken now from Redis, for `koe top`. No text is read."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, Literal, cast

import msgspec
from redis import Redis
from rq.job import Job

from app.core.queue.activity import Activity, SpokenNow, read_activities, redis_time
from app.core.queue.broker import QueueName, rq_queue
from app.core.queue.fleet import Registration
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.storage import keys

_MAX_LOOKED_AT: Final = 1000
"""Entries of a queue that are looked at for the oldest: owners take turns, so it need not be the first."""

WorkerState = Literal["speaking", "idle", "draining", "away", "other version"]
"""`draining` finishes its tasks and takes no more; `away` sends no heartbeats; `other version` takes no work from this one."""


class QueueView(msgspec.Struct, frozen=True, kw_only=True):
    """One queue."""

    name: str
    n_waiting: int
    oldest_seconds: float | None
    """How long the oldest entry has waited for a slot; None when none waits."""


class SpokenView(SpokenNow, frozen=True, kw_only=True):
    """What is spoken now, and by which worker."""

    worker: str


class WorkerView(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process."""

    name: str
    host: str
    pid: int
    engines: tuple[str, ...]
    n_busy: int
    n_slots: int
    memory_bytes: int
    beat_seconds: float
    """Seconds since its last heartbeat."""
    uptime_seconds: float | None
    state: WorkerState


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one moment."""

    queues: tuple[QueueView, ...]
    n_waiting_for_first_audio: int
    """Requests that have no audio yet, in a queue or in a slot."""
    oldest_first_audio_seconds: float | None
    n_paused: int
    """Utterances that wait for a slow reader."""
    n_open_jobs: int
    spoken: tuple[SpokenView, ...]
    """The oldest first."""
    workers: tuple[WorkerView, ...]


def read_overview(redis: Redis) -> Overview:
    """Reads all of it. Raises RedisError."""
    now = redis_time(redis)
    activities = read_activities(redis)
    pipe = redis.pipeline(transaction=False)
    pipe.zcard(keys.WAITING_FOR_FIRST_AUDIO)
    pipe.zrange(keys.WAITING_FOR_FIRST_AUDIO, 0, 0, withscores=True)
    pipe.scard(keys.PAUSED)
    pipe.zcard(keys.JOBS_OPEN)
    n_unheard, unheard, n_paused, n_open_jobs = pipe.execute()
    return Overview(
        queues=tuple(_view_queue(redis, queue_name) for queue_name in QueueName),
        n_waiting_for_first_audio=n_unheard,
        oldest_first_audio_seconds=max(0.0, now - unheard[0][1]) if unheard else None,
        n_paused=n_paused,
        n_open_jobs=n_open_jobs,
        spoken=tuple(sorted(_view_spoken(activities), key=lambda one: -one.age_seconds)),
        workers=tuple(_view_workers(redis, activities, now)),
    )


def _view_queue(redis: Redis, queue_name: QueueName) -> QueueView:
    queue = rq_queue(redis, queue_name)
    pipe = redis.pipeline(transaction=False)
    for job_id in queue.get_job_ids(length=_MAX_LOOKED_AT):
        pipe.hget(Job.key_for(job_id), "enqueued_at")
    times = [datetime.fromisoformat(at.decode()) for at in pipe.execute() if at]
    oldest = (datetime.now(UTC) - min(times)).total_seconds() if times else None
    return QueueView(name=queue_name, n_waiting=queue.count, oldest_seconds=None if oldest is None else max(0.0, oldest))


def _view_spoken(activities: Mapping[str, tuple[float, Activity | None]]) -> Iterator[SpokenView]:
    for name, (_, activity) in activities.items():
        for one in activity.spoken if activity else ():
            yield SpokenView(**msgspec.structs.asdict(one), worker=name)


def _view_workers(redis: Redis, activities: Mapping[str, tuple[float, Activity | None]], now: float) -> Iterator[WorkerView]:
    taking = {name.decode() for name in cast("list[bytes]", redis.zrange(keys.WORKERS, 0, -1))}
    raw = cast("list[bytes | None]", redis.mget([keys.worker(name) for name in activities]) if activities else [])
    for (name, (beat, activity)), one in zip(activities.items(), raw, strict=True):
        registration = msgspec.json.decode(one, type=Registration) if one else None
        host, pid = _host_and_pid(name)
        yield WorkerView(
            name=name,
            host=activity.host if activity else host,
            pid=activity.pid if activity else pid,
            engines=registration.engines if registration else (),
            n_busy=activity.vitals.n_busy_slots if activity else 0,
            n_slots=registration.n_slots if registration else 0,
            memory_bytes=activity.vitals.memory_bytes if activity else 0,
            beat_seconds=max(0.0, now - beat),
            uptime_seconds=max(0.0, now - registration.started_at) if registration else None,
            state=_state_of(registration, activity, takes_work=name in taking),
        )


def _state_of(registration: Registration | None, activity: Activity | None, *, takes_work: bool) -> WorkerState:
    if registration is None or activity is None:
        return "away"
    if registration.wire != WIRE_VERSION:
        return "other version"
    if not takes_work:
        return "draining"
    return "speaking" if activity.vitals.n_busy_slots else "idle"


def _host_and_pid(name: str) -> tuple[str, int]:
    """What the name of a worker says: `HOST-PID-DIGITS`."""
    host, _, rest = name.rpartition("-")[0].rpartition("-")
    return host, int(rest) if rest.isdigit() else 0
