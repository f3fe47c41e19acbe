"""The API's side of jobs: create, show, list, watch, cancel and delete.

Why a deleted job leaves a hidden record: a worker may still be writing one of its files. The workers' sweep deletes the rest of
both a little later.
"""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any, Final, cast
from urllib.parse import urlsplit

import msgspec
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import InvalidValue, RateLimited, UnknownJob
from app.core.jobs.job import Job, JobStatus, TextChapter
from app.core.jobs.records import Spec, ending, read_job
from app.core.storage import keys
from app.core.storage.connections import replicated
from app.core.storage.lua import load_script
from app.core.storage.notifier import Notifier

DELETED_TTL_SECONDS: Final = 600
"""Seconds after its deletion when a job's folder is emptied once more."""

_LOOK_SECONDS: Final = 1.0
"""How often `watch` looks at a job when no notification comes."""

_ID: Final = re.compile(r"job_[0-9a-f]{24}")


class Jobs:
    """The API's side of jobs. An owner sees only their own jobs; any other id raises UnknownJob."""

    def __init__(self, redis: AsyncRedis, notifier: Notifier, *, job_ttl: int) -> None:
        """`notifier` is subscribed to `keys.JOB_NOTIFICATIONS`. `job_ttl`: seconds that an ended job and its
        file are stored.
        """
        self._redis = redis
        self._notifier = notifier
        self._job_ttl = job_ttl
        self._create = redis.register_script(load_script(__file__, "create"))
        self._list = redis.register_script(load_script(__file__, "list"))
        self._end = redis.register_script(load_script(__file__, "end"))
        self._delete = redis.register_script(load_script(__file__, "delete"))

    async def create(self, job: Job, text: str, *, chapters: Sequence[TextChapter] = (), max_open: int = 0) -> None:
        """Stores a new job. The caller submits it, or deletes it again. `chapters`: those of the text, if they are known.

        Raises RateLimited when the owner has `max_open` jobs that have not ended; 0 is no limit.
        """
        spec = Spec(**{name: getattr(job, name) for name in Spec.__struct_fields__})
        host = (urlsplit(job.webhook_url).hostname or "") if job.webhook_url else ""
        index = [keys.jobs_of(job.owner), keys.JOBS_OPEN, keys.open_jobs_of(job.owner)]
        n_open = await self._create(
            keys=[keys.job(job.id), keys.job_text(job.id), *index, keys.job_chapters(job.id)],
            args=[
                *(job.id, msgspec.json.encode(spec), text.encode(), host, keys.JOB_NOTIFICATIONS, job.owner, max_open),
                msgspec.json.encode(chapters) if chapters else b"",
            ],
        )
        if n_open:
            raise RateLimited.with_jobs(n_open)
        await replicated(self._redis)

    async def get(self, job_id: str, owner: str) -> Job:
        """The job as it is now. Raises UnknownJob, also when it has expired and the sweep has not deleted it yet."""
        job = await self._load(job_id)
        if job is None or job.owner != owner:
            raise UnknownJob(_shorten(job_id))
        return job

    async def list(self, owner: str, *, limit: int, after: str | None = None) -> tuple[list[Job], bool]:
        """At most `limit` jobs, the newest first, starting after the job `after`; and whether there are more.

        Raises InvalidValue when `after` is not one of the owner's jobs.
        """
        found: Any = await self._list(keys=[keys.jobs_of(owner)], args=[after or "", limit + 1])
        if found is None:
            raise InvalidValue("Invalid value for 'after': no job has that id.", param="after")
        loaded = await asyncio.gather(*(self._load(job_id.decode()) for job_id in found[:limit]))
        return [job for job in loaded if job is not None], len(found) > limit

    async def cancel(self, job_id: str, owner: str) -> Job:
        """Cancels the job and returns it. An ended job does not change."""
        await self.get(job_id, owner)
        await self._end(**ending(job_id, JobStatus.CANCELLED, self._job_ttl))
        await replicated(self._redis)
        return await self.get(job_id, owner)

    async def delete(self, job_id: str, owner: str) -> None:
        """Hides the job from everybody and stops the work on it. The caller deletes its folder in the store."""
        await self.get(job_id, owner)
        await self._end(**ending(job_id, JobStatus.CANCELLED, self._job_ttl))
        record = [keys.job(job_id), keys.jobs_of(owner), keys.JOBS_ENDED, keys.WEBHOOKS]
        await self._delete(keys=record, args=[job_id, keys.JOB_NOTIFICATIONS, DELETED_TTL_SECONDS])
        await replicated(self._redis)

    async def watch(self, job_id: str, owner: str) -> AsyncGenerator[Job, None]:
        """The job now and after each change, until it has ended; a job that is deleted meanwhile ends as cancelled.

        Raises UnknownJob before it yields anything.
        """
        changed = self._notifier.subscribe(job_id)
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
            self._notifier.unsubscribe(job_id, changed)

    async def _load(self, job_id: str) -> Job | None:
        if not _ID.fullmatch(job_id):
            return None
        fields = cast("dict[bytes, bytes]", await self._redis.hgetall(keys.job(job_id)))
        job = read_job(job_id, fields)
        has_expired = job is not None and job.expires_at is not None and job.expires_at <= time.time()
        return None if has_expired else job


def _shorten(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}…"
