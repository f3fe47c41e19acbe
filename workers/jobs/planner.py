"""The first step of a job: divides its text into parts and queues its tasks."""

from typing import Final

import structlog

from app.core.jobs.job import Job
from app.core.jobs.job_store import JobStore
from app.core.tracing.spans import NO_SPAN, Span
from workers.jobs.part_queue import PartQueue
from workers.jobs.plan import plan_parts
from workers.jobs.wanted import not_wanted
from workers.text.normalization.tags.speakers import hide_speakers

log: Final = structlog.get_logger()


class Planner:
    """Plans jobs. If a job is planned again, its first plan stays."""

    def __init__(self, *, jobs: JobStore, queue: PartQueue) -> None:
        self._jobs = jobs
        self._queue = queue

    def plan(self, job: Job, span: Span = NO_SPAN) -> None:
        """Sets the job in progress and queues its parts. `span` is the task's. Raises Cancelled if the job has ended."""
        if not self._jobs.begin(job.id):
            raise not_wanted()
        if not self._jobs.parts(job.id):
            text = self._jobs.text(job.id)
            chapters = self._jobs.chapters(job.id)
            planned = plan_parts(hide_speakers(text, job.utterance.speakers), job.utterance.language, chapters)
            parts = self._jobs.plan(job.id, planned)
            span.note(n_parts=len(parts), n_characters=len(text))
            log.info("job_planned", n_parts=len(parts), n_chars=len(text))
        self._queue.enqueue_all(job.id)
