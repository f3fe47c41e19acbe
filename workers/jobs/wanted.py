"""Checks whether a job is still wanted, while its tasks run."""

import time
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError

from app.core.errors import Cancelled
from app.core.jobs.job_store import JobStore

_CHECK_SECONDS: Final = 1.0

PATIENCE_SECONDS: Final = 30.0
"""How long a task waits for Redis if only its result must still be stored."""


def not_wanted() -> Cancelled:
    """Returns the error that ends a task if its job has ended or is deleted."""
    return Cancelled("The job is not wanted any more.")


class Wanted:
    """Checks from time to time whether a job is still wanted."""

    def __init__(self, jobs: JobStore, job_id: str) -> None:
        self._jobs = jobs
        self._job_id = job_id
        self._check_at = 0.0

    def check(self) -> None:
        """Asks Redis at most once a second. Raises Cancelled if the job has ended or is deleted."""
        if time.monotonic() < self._check_at:
            return
        self._check_at = time.monotonic() + _CHECK_SECONDS
        with suppress(RedisError):
            if not self._jobs.is_wanted(self._job_id):
                raise not_wanted()
