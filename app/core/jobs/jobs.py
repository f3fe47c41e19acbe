"""Users' jobs: one long text each, its record, its progress and its end, as the API and the workers share them.

Why scripts: that a job which was cancelled is never completed, that what a late worker says of an ended job is not heard, and
that its end, its text's removal and its webhook are one step, are decisions over several keys, taken by many processes at once.

Why a deleted job leaves a record that nobody is shown: a worker may still be writing one of its files. The workers' sweep comes
by a little later and takes what is left of both.
"""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import InvalidValue, KoeError, RateLimited, UnknownJob, to_wire
from app.core.speech.utterance import Utterance
from app.core.storage import keys
from app.core.storage.connections import replicated
from app.core.storage.lua import load_script
from app.core.storage.notifier import Bell

DELETED_TTL_SECONDS: Final = 600
"""How long after its deletion a job's folder is emptied once more."""

_LOOK_SECONDS: Final = 1.0
"""How often somebody who watches a job looks at it when nothing rings."""

_ID: Final = re.compile(r"job_[0-9a-f]{24}")


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_ended(self) -> bool:
        """True when nothing will change any more."""
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


class Progress(msgspec.Struct, frozen=True):
    """How far a job is. Before the plan is made the total is 0; it is an estimate until the last part is spoken."""

    segments_done: int = 0
    segments_total: int = 0
    audio_seconds: float = 0.0


class File(msgspec.Struct, frozen=True, kw_only=True):
    """The finished file of a job."""

    name: str
    """In the job's folder of the store: `speech.mp3`."""
    n_bytes: int
    etag: str
    """Hex digits: SHA-256 of the bytes, shortened; without quotes."""
    seconds: float


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the text that one worker speaks at a time."""

    start: int
    """First code point of the text, from 0."""
    end: int
    """One behind the last code point."""
    n_segments: int
    """As many as are expected."""
    chapter: str | None = None
    """Title, when a chapter begins with this part."""


class PartResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished part amounts to."""

    n_segments: int
    audio_seconds: float
    n_bytes: int
    loudness_db: float | None = None
    peak_db: float | None = None
    """Both below full scale; None where nothing is heard."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as both sides know it. Times are whole seconds since 1970."""

    id: str
    owner: str
    """Digest of the key that asked; `""` where no keys are set."""
    status: JobStatus
    utterance: Utterance
    """All that decides the sound; its `text` is `""` here, since the text lies under a key of its own."""
    model: str
    """As the user wrote it."""
    voice: str
    """As the user wrote it."""
    title: str | None = None
    metadata: dict[str, str] | None = None
    webhook_url: str | None = None
    timestamps: bool = False
    """Whether the times of its words are kept."""
    request_id: str
    created_at: int
    started_at: int | None = None
    completed_at: int | None = None
    """When it ended, in whichever way."""
    expires_at: int | None = None
    progress: Progress = Progress()
    file: File | None = None
    """Of a completed job."""
    error: dict[str, str] | None = None
    """Of a failed job, as `app.core.errors.to_wire` writes it."""


class _Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What of a job never changes."""

    owner: str
    utterance: Utterance
    model: str
    voice: str
    title: str | None
    metadata: dict[str, str] | None
    webhook_url: str | None
    request_id: str
    created_at: int
    timestamps: bool = False


def new_job_id() -> str:
    """`job_` and 24 hex digits."""
    return f"job_{secrets.token_hex(12)}"


class JobBook:
    """The workers' side. Parts are numbered from 1, in the order of the text."""

    def __init__(self, redis: Redis, *, job_ttl: int) -> None:
        """`job_ttl`: seconds that an ended job and its file are kept."""
        self._redis = redis
        self._job_ttl = job_ttl
        self._begin = redis.register_script(load_script(__file__, "begin"))
        self._plan = redis.register_script(load_script(__file__, "plan"))
        self._advance = redis.register_script(load_script(__file__, "advance"))
        self._attempt = redis.register_script(load_script(__file__, "count_attempt"))
        self._end = redis.register_script(load_script(__file__, "end"))

    def load(self, job_id: str) -> Job | None:
        """The job as it is now; None when it is unknown or deleted."""
        return _read_job(job_id, cast("dict[bytes, bytes]", self._redis.hgetall(keys.job(job_id))))

    def text(self, job_id: str) -> str:
        """What is to be spoken. Raises UnknownJob when it is gone: the job has ended."""
        text = cast("bytes | None", self._redis.get(keys.job_text(job_id)))
        if text is None:
            raise UnknownJob(job_id)
        return text.decode()

    def begin(self, job_id: str) -> bool:
        """Sets a queued job in progress. True as well when it is so already; False when it has ended or is unknown."""
        return bool(self._begin(keys=[keys.job(job_id)], args=[job_id, keys.JOBS_BELL]))

    def is_wanted(self, job_id: str) -> bool:
        """True while the job has not ended."""
        status = cast("bytes | None", self._redis.hget(keys.job(job_id), "status"))
        return status is not None and not JobStatus(status.decode()).is_ended

    def plan(self, job_id: str, parts: list[Part]) -> list[Part]:
        """Keeps the plan and gives it back, or the one that was kept before: the first wins. Empty when the job has ended."""
        args: list[str | bytes | int] = [job_id, keys.JOBS_BELL, msgspec.json.encode(parts)]
        args += [part.n_segments for part in parts]
        kept: Any = self._plan(keys=[keys.job(job_id), keys.job_plan(job_id), keys.job_progress(job_id)], args=args)
        return _read_parts(kept)

    def parts(self, job_id: str) -> list[Part]:
        """The plan; empty when there is none yet, or the job has ended."""
        return _read_parts(cast("bytes | None", self._redis.get(keys.job_plan(job_id))))

    def advance(self, job_id: str, part: int, *, n_segments: int, audio_seconds: float) -> None:
        """Says how far a part is, in all: saying it twice counts once. A finished part or an ended job is not changed."""
        self._note(job_id, part, n_segments, audio_seconds, b"")

    def part_done(
        self,
        job_id: str,
        part: int,
        *,
        n_segments: int,
        audio_seconds: float,
        n_bytes: int,
        loudness_db: float | None,
        peak_db: float | None = None,
    ) -> None:
        """Keeps what a finished part amounts to; what was expected of it is corrected. An ended job is not changed."""
        result = PartResult(
            n_segments=n_segments, audio_seconds=audio_seconds, n_bytes=n_bytes, loudness_db=loudness_db, peak_db=peak_db
        )
        self._note(job_id, part, n_segments, audio_seconds, msgspec.json.encode(result))

    def done_parts(self, job_id: str) -> dict[int, PartResult]:
        """The finished parts by number; none any more when the job has ended."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.job_results(job_id)))
        return {int(part): msgspec.json.decode(result, type=PartResult) for part, result in sorted(found.items())}

    def count_attempt(self, job_id: str, part: int) -> int:
        """Counts a failure of the part, or of the joining as part 0; how many there were with it. 0: the job has ended."""
        return cast("int", self._attempt(keys=[keys.job(job_id), keys.job_attempts(job_id)], args=[part]))

    def complete(self, job_id: str, file: File) -> bool:
        """Ends the job well and queues its webhook. False when it had ended before."""
        return bool(self._end(**_ending(job_id, JobStatus.COMPLETED, self._job_ttl, file=file)))

    def fail(self, job_id: str, error: KoeError) -> bool:
        """Ends the job with an error and queues its webhook. False when it had ended before."""
        return bool(self._end(**_ending(job_id, JobStatus.FAILED, self._job_ttl, error=error)))

    def unfinished(self, *, created_before: float) -> list[str]:
        """Jobs that have not ended, the oldest first, of those created before a time in seconds since 1970."""
        found = self._redis.zrangebyscore(keys.JOBS_OPEN, "-inf", int(created_before * 1000))
        return [job_id.decode() for job_id in cast("list[bytes]", found)]

    def expired(self, limit: int = 100) -> list[str]:
        """Jobs whose files are to be deleted, and which are to be forgotten after that."""
        found = self._redis.zrangebyscore(keys.JOBS_ENDED, "-inf", int(time.time()), start=0, num=limit)
        return [job_id.decode() for job_id in cast("list[bytes]", found)]

    def forget(self, job_id: str) -> None:
        """Removes all that Redis holds of the job, whatever its state."""
        spec = cast("bytes | None", self._redis.hget(keys.job(job_id), "spec"))
        pipe = self._redis.pipeline()
        for index in (keys.JOBS_OPEN, keys.JOBS_ENDED, keys.WEBHOOKS):
            pipe.zrem(index, job_id)
        if spec is not None:
            owner = msgspec.json.decode(spec, type=_Spec).owner
            pipe.zrem(keys.jobs_of(owner), job_id)
            pipe.srem(keys.open_jobs_of(owner), job_id)
        pipe.delete(keys.job(job_id), *_until_the_end(job_id))
        pipe.publish(keys.JOBS_BELL, job_id)
        pipe.execute()

    def _note(self, job_id: str, part: int, n_segments: int, audio_seconds: float, result: bytes) -> None:
        self._advance(
            keys=[keys.job(job_id), keys.job_progress(job_id), keys.job_results(job_id)],
            args=[job_id, keys.JOBS_BELL, part, n_segments, f"{audio_seconds:.3f}", result],
        )


class Jobs:
    """The API's side. An owner sees their own jobs alone; any other id raises UnknownJob."""

    def __init__(self, redis: AsyncRedis, bell: Bell, *, job_ttl: int) -> None:
        """`bell` rings on `keys.JOBS_BELL`; `job_ttl`: seconds that an ended job and its file are kept."""
        self._redis = redis
        self._bell = bell
        self._job_ttl = job_ttl
        self._create = redis.register_script(load_script(__file__, "create"))
        self._list = redis.register_script(load_script(__file__, "list"))
        self._end = redis.register_script(load_script(__file__, "end"))
        self._delete = redis.register_script(load_script(__file__, "delete"))

    async def create(self, job: Job, text: str, *, max_open: int = 0) -> None:
        """Keeps a new job. The caller submits it, or deletes it again.

        Raises RateLimited when its owner has `max_open` jobs that have not ended; 0 is any number.
        """
        spec = _Spec(**{name: getattr(job, name) for name in _Spec.__struct_fields__})
        host = (urlsplit(job.webhook_url).hostname or "") if job.webhook_url else ""
        index = [keys.jobs_of(job.owner), keys.JOBS_OPEN, keys.open_jobs_of(job.owner)]
        n_open = await self._create(
            keys=[keys.job(job.id), keys.job_text(job.id), *index],
            args=[job.id, msgspec.json.encode(spec), text.encode(), host, keys.JOBS_BELL, job.owner, max_open],
        )
        if n_open:
            raise RateLimited.with_jobs(n_open)
        await replicated(self._redis)

    async def get(self, job_id: str, owner: str) -> Job:
        """The job as it is now. Raises UnknownJob, also when its time has come and nobody has swept it yet."""
        job = await self._load(job_id)
        if job is None or job.owner != owner:
            raise UnknownJob(_shorten(job_id))
        return job

    async def list(self, owner: str, *, limit: int, after: str | None = None) -> tuple[list[Job], bool]:
        """At most `limit` jobs, the newest first, from behind the job `after`; whether there are more.

        Raises InvalidValue when `after` is none of the owner's jobs.
        """
        found: Any = await self._list(keys=[keys.jobs_of(owner)], args=[after or "", limit + 1])
        if found is None:
            raise InvalidValue("Invalid value for 'after': no job has that id.", param="after")
        loaded = await asyncio.gather(*(self._load(job_id.decode()) for job_id in found[:limit]))
        return [job for job in loaded if job is not None], len(found) > limit

    async def cancel(self, job_id: str, owner: str) -> Job:
        """The job, cancelled. One that has ended stays as it is."""
        await self.get(job_id, owner)
        await self._end(**_ending(job_id, JobStatus.CANCELLED, self._job_ttl))
        await replicated(self._redis)
        return await self.get(job_id, owner)

    async def delete(self, job_id: str, owner: str) -> None:
        """Nobody is shown the job any more, and nobody works on it. Its folder in the store is the caller's to delete."""
        await self.get(job_id, owner)
        await self._end(**_ending(job_id, JobStatus.CANCELLED, self._job_ttl))
        record = [keys.job(job_id), keys.jobs_of(owner), keys.JOBS_ENDED, keys.WEBHOOKS]
        await self._delete(keys=record, args=[job_id, keys.JOBS_BELL, DELETED_TTL_SECONDS])
        await replicated(self._redis)

    async def watch(self, job_id: str, owner: str) -> AsyncGenerator[Job, None]:
        """The job now and after each of its changes, until it has ended; one that is deleted meanwhile ends as cancelled.

        Raises UnknownJob before it yields anything.
        """
        changed = self._bell.hear(job_id)
        try:
            job = await self.get(job_id, owner)
            yield job
            while not job.status.is_ended:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await changed.wait()
                changed.clear()
                now = await self._load(job_id) or msgspec.structs.replace(job, status=JobStatus.CANCELLED)
                if now != job:
                    job = now
                    yield job
        finally:
            self._bell.forget(job_id, changed)

    async def _load(self, job_id: str) -> Job | None:
        if not _ID.fullmatch(job_id):
            return None
        fields = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.job(job_id)))
        job = _read_job(job_id, fields)
        has_expired = job is not None and job.expires_at is not None and job.expires_at <= time.time()
        return None if has_expired else job


def _ending(
    job_id: str, status: JobStatus, job_ttl: int, *, file: File | None = None, error: KoeError | None = None
) -> dict[str, Any]:
    """The arguments of the script END."""
    records = [keys.job(job_id), keys.JOBS_OPEN, keys.JOBS_ENDED, keys.WEBHOOKS]
    file_json = msgspec.json.encode(file) if file else b""
    error_json = msgspec.json.encode(to_wire(error)) if error else b""
    return {
        "keys": [*records, *_until_the_end(job_id)],
        "args": [job_id, keys.JOBS_BELL, status.value, job_ttl, file_json, error_json],
    }


def _until_the_end(job_id: str) -> list[str]:
    """The keys that are of use only until the job has ended."""
    rooms = (keys.job_text, keys.job_plan, keys.job_progress, keys.job_results, keys.job_attempts)
    return [room(job_id) for room in rooms]


def _read_job(job_id: str, fields: dict[bytes, bytes]) -> Job | None:
    if b"spec" not in fields or b"deleted" in fields:
        return None
    spec = msgspec.json.decode(fields[b"spec"], type=_Spec)
    file, error = fields.get(b"file"), fields.get(b"error")
    return Job(
        id=job_id,
        status=JobStatus(fields[b"status"].decode()),
        **{name: getattr(spec, name) for name in _Spec.__struct_fields__},
        started_at=_read_time(fields, b"started_at"),
        completed_at=_read_time(fields, b"completed_at"),
        expires_at=_read_time(fields, b"expires_at"),
        progress=Progress(
            int(fields.get(b"segments_done", 0)),
            int(fields.get(b"segments_total", 0)),
            float(fields.get(b"audio_seconds", 0)),
        ),
        file=msgspec.json.decode(file, type=File) if file else None,
        error=msgspec.json.decode(error, type=dict[str, str]) if error else None,
    )


def _read_time(fields: dict[bytes, bytes], name: bytes) -> int | None:
    return int(fields[name]) if name in fields else None


def _read_parts(plan: bytes | None) -> list[Part]:
    return [] if plan is None else msgspec.json.decode(plan, type=list[Part])


def _shorten(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"
