"""Maintains jobs about once a minute: deletes expired jobs, and queues the lost tasks of stalled jobs again."""

import time
from typing import Final

import structlog

from app.core.errors import StoreFailed
from app.core.jobs.files import Store
from app.core.jobs.job_store import JobStore
from workers.jobs.part_queue import PartQueue

log: Final = structlog.get_logger()

_STALE_SECONDS: Final = 60.0
"""Age from which an unfinished job is checked."""


class Sweeper:
    """Sweeps jobs. Several workers may sweep at the same time."""

    def __init__(self, *, jobs: JobStore, store: Store, queue: PartQueue) -> None:
        self._jobs = jobs
        self._store = store
        self._queue = queue

    def sweep(self) -> None:
        """Deletes expired jobs and queues lost tasks again. Raises RedisError if Redis is unreachable."""
        for job_id in self._jobs.expired():
            self._delete(job_id)
        for job_id in self._jobs.unfinished(created_before=time.time() - _STALE_SECONDS):
            self._queue.enqueue_next(job_id)

    def _delete(self, job_id: str) -> None:
        try:
            self._store.delete_folder(job_id)
        except StoreFailed:
            log.warning("job_not_swept", job_id=job_id)
        else:
            self._jobs.forget(job_id)
            log.info("job_swept", job_id=job_id)
