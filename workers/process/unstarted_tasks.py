"""Puts tasks back that a worker took from a queue and never started."""

import time
from typing import Final

import structlog
from redis import Redis

from app.core.queue.broker import QueueName, dequeued_ids, put_back

log: Final = structlog.get_logger()


class UnstartedTasks:
    """Finds tasks that a worker took from a queue and did not start, because it died in between."""

    def __init__(self, redis: Redis, *, after_seconds: float) -> None:
        self._redis = redis
        self._after_seconds = after_seconds
        self._seen_at: dict[str, float] = {}

    def put_back(self) -> None:
        """Puts tasks back that were taken too long ago. Must be called at every heartbeat."""
        now = time.monotonic()
        taken_tasks = [(queue_name, job_id) for queue_name in QueueName for job_id in dequeued_ids(self._redis, queue_name)]
        self._seen_at = {job_id: self._seen_at.get(job_id, now) for _, job_id in taken_tasks}
        for queue_name, job_id in taken_tasks:
            if now - self._seen_at[job_id] > self._after_seconds and put_back(self._redis, queue_name, job_id):
                log.warning("job_put_back", lane=queue_name.value, job_id=job_id)
