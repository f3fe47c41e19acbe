"""What is done for jobs about once a minute: expired ones are deleted, and those that lie still get their tasks back."""

import time
from typing import Final

import structlog

from app.core.errors import StoreFailed
from app.core.jobs.files import Store
from app.core.jobs.job_store import JobBook
from workers.jobs.part_queue import PartQueue

log: Final = structlog.get_logger()

_STALE_SECONDS: Final = 60.0
"""An unfinished job of this age is looked at."""


class Sweeper:
    """Sweeps jobs. Several workers may do so at the same time."""

    def __init__(self, *, jobs: JobBook, store: Store, queue: PartQueue) -> None:
        self._jobs = jobs
        self._store = store
        self._queue = queue

    def sweep(self) -> None:
        """Deletes what has expired, and queues again what was lost. Raises RedisError when Redis is away."""
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
