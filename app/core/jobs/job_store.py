"""The workers' side of jobs: plan, progress, results and the end.

Why scripts: a cancelled job must never become completed, a late worker's writes to an ended job must be rejected, and the end
of a job, the deletion of its text and its webhook must be one step.
"""

import time
from typing import Any, cast

import msgspec
from redis import Redis

from app.core.errors import KoeError, UnknownJob
from app.core.jobs.job import File, Job, JobStatus, Part, PartResult, TextChapter
from app.core.jobs.records import Spec, ending, keys_until_the_end, read_job, read_parts
from app.core.storage import keys
from app.core.storage.lua import load_script
from app.core.tracing.spans import NO_CONTEXT, Context


class JobStore:
    """The workers' side of jobs. Parts are numbered from 1, in the order of the text."""

    def __init__(self, redis: Redis, *, job_ttl: int) -> None:
        """`job_ttl`: seconds that an ended job and its file are stored."""
        self._redis = redis
        self._job_ttl = job_ttl
        self._begin = redis.register_script(load_script(__file__, "begin"))
        self._plan = redis.register_script(load_script(__file__, "plan"))
        self._advance = redis.register_script(load_script(__file__, "advance"))
        self._attempt = redis.register_script(load_script(__file__, "count_attempt"))
        self._end = redis.register_script(load_script(__file__, "end"))

    def load(self, job_id: str) -> Job | None:
        """The job as it is now; None when it is unknown or deleted."""
        return read_job(job_id, cast("dict[bytes, bytes]", self._redis.hgetall(keys.job(job_id))))

    def trace(self, job_id: str) -> Context:
        """The context of the job's trace; empty without one."""
        job = self.load(job_id)
        return job.trace if job is not None else NO_CONTEXT

    def text(self, job_id: str) -> str:
        """The text to speak. Raises UnknownJob when the job has ended, because its text is then deleted."""
        text = cast("bytes | None", self._redis.get(keys.job_text(job_id)))
        if text is None:
            raise UnknownJob(job_id)
        return text.decode()

    def chapters(self, job_id: str) -> list[TextChapter]:
        """Where the chapters of the text begin; empty if that is unknown, or the job has ended."""
        found = cast("bytes | None", self._redis.get(keys.job_chapters(job_id)))
        return msgspec.json.decode(found, type=list[TextChapter]) if found is not None else []

    def begin(self, job_id: str) -> bool:
        """Sets a queued job in progress. True also when it is in progress already; False when it has ended or is unknown."""
        return bool(self._begin(keys=[keys.job(job_id)], args=[job_id, keys.JOB_NOTIFICATIONS]))

    def is_wanted(self, job_id: str) -> bool:
        """True while the job has not ended."""
        status = cast("bytes | None", self._redis.hget(keys.job(job_id), "status"))
        return status is not None and not JobStatus(status.decode()).is_ended

    def plan(self, job_id: str, parts: list[Part]) -> list[Part]:
        """Stores the plan and returns the stored one: the first plan wins. Empty when the job has ended."""
        args: list[str | bytes | int] = [job_id, keys.JOB_NOTIFICATIONS, msgspec.json.encode(parts)]
        args += [part.n_segments for part in parts]
        stored: Any = self._plan(keys=[keys.job(job_id), keys.job_plan(job_id), keys.job_progress(job_id)], args=args)
        return read_parts(stored)

    def parts(self, job_id: str) -> list[Part]:
        """The plan; empty when there is none yet, or the job has ended."""
        return read_parts(cast("bytes | None", self._redis.get(keys.job_plan(job_id))))

    def advance(self, job_id: str, part: int, *, n_segments: int, audio_seconds: float) -> None:
        """Records the total progress of a part; repeating it changes nothing. A finished part or an ended job does
        not change.
        """
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
        """Stores the result of a finished part, and corrects its expected totals. An ended job does not change."""
        result = PartResult(
            n_segments=n_segments, audio_seconds=audio_seconds, n_bytes=n_bytes, loudness_db=loudness_db, peak_db=peak_db
        )
        self._note(job_id, part, n_segments, audio_seconds, msgspec.json.encode(result))

    def done_parts(self, job_id: str) -> dict[int, PartResult]:
        """The finished parts by number; empty when the job has ended."""
        found = cast("dict[bytes, bytes]", self._redis.hgetall(keys.job_results(job_id)))
        return {int(part): msgspec.json.decode(result, type=PartResult) for part, result in sorted(found.items())}

    def count_attempt(self, job_id: str, part: int) -> int:
        """Counts a failure of a part (`part` 0: of planning or joining), or a start of it (`-part`). Returns the new count; 0
        when the job is not in progress.
        """
        return cast("int", self._attempt(keys=[keys.job(job_id), keys.job_attempts(job_id)], args=[part]))

    def complete(self, job_id: str, file: File) -> bool:
        """Ends the job well and queues its webhook. False when it had ended before."""
        return bool(self._end(**ending(job_id, JobStatus.COMPLETED, self._job_ttl, file=file)))

    def fail(self, job_id: str, error: KoeError) -> bool:
        """Ends the job with an error and queues its webhook. False when it had ended before."""
        return bool(self._end(**ending(job_id, JobStatus.FAILED, self._job_ttl, error=error)))

    def unfinished(self, *, created_before: float) -> list[str]:
        """Jobs that have not ended, the oldest first, created before that time in seconds since 1970."""
        found = self._redis.zrangebyscore(keys.JOBS_OPEN, "-inf", int(created_before * 1000))
        return [job_id.decode() for job_id in cast("list[bytes]", found)]

    def expired(self, limit: int = 100) -> list[str]:
        """Jobs whose files are due for deletion; `forget` follows."""
        found = self._redis.zrangebyscore(keys.JOBS_ENDED, "-inf", int(time.time()), start=0, num=limit)
        return [job_id.decode() for job_id in cast("list[bytes]", found)]

    def forget(self, job_id: str) -> None:
        """Deletes all data of the job in Redis, whatever its state."""
        spec = cast("bytes | None", self._redis.hget(keys.job(job_id), "spec"))
        pipe = self._redis.pipeline()
        for index in (keys.JOBS_OPEN, keys.JOBS_ENDED, keys.WEBHOOKS):
            pipe.zrem(index, job_id)
        if spec is not None:
            owner = msgspec.json.decode(spec, type=Spec).owner
            pipe.zrem(keys.jobs_of(owner), job_id)
            pipe.srem(keys.open_jobs_of(owner), job_id)
        pipe.delete(keys.job(job_id), *keys_until_the_end(job_id))
        pipe.publish(keys.JOB_NOTIFICATIONS, job_id)
        pipe.execute()

    def _note(self, job_id: str, part: int, n_segments: int, audio_seconds: float, result: bytes) -> None:
        self._advance(
            keys=[keys.job(job_id), keys.job_progress(job_id), keys.job_results(job_id)],
            args=[job_id, keys.JOB_NOTIFICATIONS, part, n_segments, f"{audio_seconds:.3f}", result],
        )
