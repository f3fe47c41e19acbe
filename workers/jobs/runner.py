"""Runs the steps of a job as tasks, and handles their failures.

Each step has its own module: `planner`, `speaker` and `joiner`. `sweeper` repairs jobs whose tasks were lost.
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog
from redis import Redis

from app.core.errors import InternalError, KoeError, StoreFailed, StoreFull, UnknownJob, WorkersDied
from app.core.jobs.files import Store, parts_folder
from app.core.jobs.job import Job, JobStatus
from app.core.jobs.job_store import JobStore
from app.core.queue.segment_cache import Budget
from app.core.storage.connections import patiently
from app.core.tracing.spans import NO_SPAN, Span
from workers.failures import Action, Failure, Meaning, run_task
from workers.jobs.joiner import Joiner
from workers.jobs.part_queue import PartQueue
from workers.jobs.planner import Planner
from workers.jobs.speaker import PartSpeaker
from workers.jobs.sweeper import Sweeper
from workers.jobs.wanted import PATIENCE_SECONDS, not_wanted
from workers.measures import Measures
from workers.synthesis.synthesizer import Synthesizer

log: Final = structlog.get_logger()

MAX_RETRIES: Final = 3
"""Retries of a failed part, and of planning and joining together."""

_WHOLE: Final = 0
"""The part number under which failures of planning and joining are counted."""

_DIFFERENCES: Final[Mapping[type[Exception], Meaning]] = {
    UnknownJob: Meaning.CANCELLED,
    FileNotFoundError: Meaning.CANCELLED,  # another worker has deleted the files of an ended job meanwhile
    WorkersDied: Meaning.REFUSED,
    StoreFull: Meaning.REFUSED,
}


class JobRunner:
    """Runs the tasks of a job. Each task may run twice, even at the same time.

    `plan`, `speak_part` and `join` return False if they must run again. They raise only RedisError. `span` is the task's.
    """

    def __init__(
        self,
        *,
        redis: Redis,
        jobs: JobStore,
        store: Store,
        synthesizer: Synthesizer,
        ffmpeg_path: Path,
        cache_budget: Budget,
        max_seconds: float = math.inf,
        measures: Measures | None = None,
    ) -> None:
        """`max_seconds` is the longest audio of a job."""
        self._measures = measures or Measures()
        self._jobs = jobs
        self._store = store
        self._queue = PartQueue(redis, jobs)
        self._planner = Planner(jobs=jobs, queue=self._queue)
        self._speaker = PartSpeaker(
            redis=redis, jobs=jobs, store=store, synthesizer=synthesizer, cache_budget=cache_budget, max_seconds=max_seconds
        )
        self._joiner = Joiner(jobs=jobs, store=store, ffmpeg_path=ffmpeg_path, max_seconds=max_seconds)
        self._sweeper = Sweeper(jobs=jobs, store=store, queue=self._queue)

    def plan(self, job_id: str, span: Span = NO_SPAN) -> bool:
        """Divides the job's text into parts and queues them."""
        return self._run(job_id, _WHOLE, lambda job: self._planner.plan(job, span), span)

    def speak_part(self, job_id: str, number: int, span: Span = NO_SPAN) -> bool:
        """Speaks one part into the store, unless it is there already."""
        return self._run(job_id, number, lambda job: self._speaker.speak(job, number, span), span)

    def join(self, job_id: str, span: Span = NO_SPAN) -> bool:
        """Makes the finished file from all parts and ends the job, or queues the missing parts."""
        return self._run(job_id, _WHOLE, lambda job: self._join(job, span), span)

    def sweep(self) -> None:
        """Maintains all jobs; to be called about once a minute. May take seconds. Raises RedisError if Redis is unreachable."""
        self._sweeper.sweep()

    def _join(self, job: Job, span: Span) -> None:
        if self._joiner.join(job, span):
            self._measures.record_job(time.time() - job.created_at)
            self._clean_up(job.id, _WHOLE)
        else:
            self._queue.enqueue_next(job.id)

    def _run(self, job_id: str, number: int, step: Callable[[Job], None], span: Span) -> bool:
        return run_task(
            lambda: self._step(job_id, step),
            lambda failure: self._end(job_id, number, failure),
            differences=_DIFFERENCES,
            span=span,
        )

    def _step(self, job_id: str, step: Callable[[Job], None]) -> None:
        job = self._jobs.load(job_id)
        if job is None or job.status.is_ended:
            raise not_wanted()
        with structlog.contextvars.bound_contextvars(request_id=job.request_id):
            step(job)

    def _end(self, job_id: str, number: int, failure: Failure) -> Action:
        match failure.meaning:
            case Meaning.REDIS_UNAVAILABLE:
                return Action.RAISE
            case Meaning.CANCELLED:
                return self._leave(job_id, number)
            case Meaning.REFUSED:
                return self._fail(job_id, number, failure.to_error())
            case _:
                return self._try_again(job_id, number, failure.to_error())

    def _leave(self, job_id: str, number: int) -> Action:
        if self._jobs.is_wanted(job_id):
            return self._try_again(job_id, number, InternalError())
        log.info("job_not_wanted")
        self._clean_up(job_id, number)
        return Action.END

    def _try_again(self, job_id: str, number: int, error: KoeError) -> Action:
        n_failures = patiently(lambda: self._jobs.count_attempt(job_id, number), PATIENCE_SECONDS)
        if 0 < n_failures <= MAX_RETRIES:
            log.warning("part_failed", part=number, n_failures=n_failures, error=type(error).__name__, code=error.code)
            self._measures.count_retry()
            return Action.REQUEUE
        return self._fail(job_id, number, error)

    def _fail(self, job_id: str, number: int, error: KoeError) -> Action:
        if patiently(lambda: self._jobs.fail(job_id, error), PATIENCE_SECONDS):
            log.error("job_failed", part=number, error=type(error).__name__, code=error.code)
        self._clean_up(job_id, number)
        return Action.END

    def _clean_up(self, job_id: str, number: int) -> None:
        """Deletes the files of an ended job, except a finished file, and the part's cached segments. The sweep deletes the rest
        later.
        """
        if number != _WHOLE:
            self._speaker.drop_segments(job_id, number)
        job = self._jobs.load(job_id)
        is_completed = job is not None and job.status is JobStatus.COMPLETED
        try:
            self._store.delete_folder(parts_folder(job_id) if is_completed else job_id)
        except StoreFailed:
            log.warning("files_left_for_the_sweep")
