"""Puts the tasks of a job into the batch queue, with their dependencies.

Why all tasks are queued at once: RQ's `depends_on` then starts each part and the join, in any process. At most WINDOW parts of
a job are ready at a time; each later part waits for the part WINDOW places before it. So the jobs of several users alternate. A
lost task breaks a chain; the sweep repairs it.
"""

from typing import Final

from redis import Redis

from app.core.jobs.job_store import JobStore
from app.core.queue.broker import enqueue_task
from app.core.queue.task import Task
from app.core.tracing.spans import Context

WINDOW: Final = 16
"""Most parts of one job that are ready in the queue at a time, and so the most slots that speak one job at once."""


class PartQueue:
    """Puts the tasks of jobs into the queue. A task that is queued or running is not queued again."""

    def __init__(self, redis: Redis, jobs: JobStore) -> None:
        self._redis = redis
        self._jobs = jobs

    def enqueue_all(self, job_id: str) -> None:
        """Queues all missing tasks, in the order in which they are needed."""
        missing, trace = self._missing(job_id), self._jobs.trace(job_id)
        for place, number in enumerate(missing):
            after = missing[place - WINDOW : place - WINDOW + 1] if place >= WINDOW else []
            self._enqueue_part(job_id, number, after=after, trace=trace)
        self._enqueue_join(job_id, after=missing, trace=trace)

    def enqueue_next(self, job_id: str) -> None:
        """Queues the tasks that the job needs next, since tasks of the chain may be lost."""
        missing, trace = self._missing(job_id), self._jobs.trace(job_id)
        if not self._jobs.parts(job_id):
            self._enqueue(Task.PLAN, [job_id], f"{job_id}-plan", "plan of a job", [], trace)
            return
        for number in missing[:WINDOW]:
            self._enqueue_part(job_id, number, after=[], trace=trace)
        self._enqueue_join(job_id, after=missing, trace=trace)

    def _missing(self, job_id: str) -> list[int]:
        done = self._jobs.done_parts(job_id)
        return [number for number in range(1, len(self._jobs.parts(job_id)) + 1) if number not in done]

    def _enqueue_part(self, job_id: str, number: int, *, after: list[int], trace: Context) -> None:
        self._enqueue(Task.PART, [job_id, number], _part_id(job_id, number), f"part {number} of a job", after, trace)

    def _enqueue_join(self, job_id: str, *, after: list[int], trace: Context) -> None:
        self._enqueue(Task.JOIN, [job_id], f"{job_id}-join", "joining of a job", after, trace)

    def _enqueue(
        self, task: Task, args: list[str | int], name: str, description: str, after: list[int], trace: Context
    ) -> None:
        depends_on = [_part_id(str(args[0]), number) for number in after]
        enqueue_task(self._redis, task, args, job_id=name, description=description, depends_on=depends_on, trace=trace)


def _part_id(job_id: str, number: int) -> str:
    return f"{job_id}-part-{number}"
