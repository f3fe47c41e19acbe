"""Submit utterances and look at the lanes; the only file that knows RQ's Queue.

Why a job's id is the utterance's: RQ then refuses a second job for the same sound by itself, in one atomic step.
"""

from enum import StrEnum
from typing import Final

from redis import Redis
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.errors import QueueFull
from app.core.utterance import Utterance
from app.core.voices import show_blend

SPEAK: Final = "workers.tasks.speak"
"""Dotted name of the task; a test resolves it."""

JOB_TIMEOUT_SECONDS: Final = 86_400
_RESULT_TTL_SECONDS: Final = 300
_FAILURE_TTL_SECONDS: Final = 86_400
_WAITING: Final = frozenset({JobStatus.QUEUED, JobStatus.CREATED, JobStatus.DEFERRED, JobStatus.SCHEDULED})


class Lane(StrEnum):
    """RQ queues. A listener waits for what is in the first; the second is read when the first is served."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


def lane_queue(redis: Redis, lane: Lane) -> Queue:
    """The RQ queue of a lane, with the JSON serializer: what stands in Redis is data and never code."""
    return Queue(lane.value, connection=redis, serializer=JSONSerializer, default_timeout=JOB_TIMEOUT_SECONDS)


class Broker:
    """The submitting side. Its methods block: the API calls them in a thread."""

    def __init__(self, redis: Redis, *, max_queue: int) -> None:
        self._queues = {lane: lane_queue(redis, lane) for lane in Lane}
        self._max_queue = max_queue

    def submit(self, utterance: Utterance, lane: Lane, *, request_id: str) -> bool:
        """Puts the utterance into the lane. Raises QueueFull when too many wait there already.

        False while a job of the same id is still letting go of an earlier take: ask again in a moment, if it is still wanted.
        """
        queue = self._queues[lane]
        n_waiting = queue.count
        if n_waiting >= self._max_queue:
            raise QueueFull.after(n_waiting, retry_after_seconds=5)
        # Twice: the first attempt clears a job that has ended out of the way.
        return self._enqueue(queue, utterance, request_id) or self._enqueue(queue, utterance, request_id)

    def waiting(self) -> dict[Lane, int]:
        """Jobs that wait, by lane."""
        return {lane: queue.count for lane, queue in self._queues.items()}

    def _enqueue(self, queue: Queue, utterance: Utterance, request_id: str) -> bool:
        try:
            queue.enqueue_call(
                SPEAK,
                args=[utterance.to_json().decode(), request_id],
                job_id=utterance.id,
                unique=True,
                description=describe(utterance),
                result_ttl=_RESULT_TTL_SECONDS,
                failure_ttl=_FAILURE_TTL_SECONDS,
            )
        except DuplicateJobError:
            return self._settle(queue, utterance.id)
        return True

    def _settle(self, queue: Queue, job_id: str) -> bool:
        """True when the job that is there already will do the work; one that has ended is cleared out of the way."""
        try:
            job = Job.fetch(job_id, connection=queue.connection, serializer=JSONSerializer)
            status = job.get_status()
        except NoSuchJobError:
            return False
        if status in _WAITING:
            return True
        if status != JobStatus.STARTED:
            # RQ asks for the executions of a job that it deletes, and raises at one that expired with its worker.
            queue.connection.delete(job.execution_registry.key)
            job.delete()
        return False


def describe(utterance: Utterance) -> str:
    """One line for rq-dashboard and the log: what is asked, and nothing of what it says."""
    voice = show_blend(utterance.voice)
    return f"{len(utterance.text)} characters, {voice}, {utterance.language}, {utterance.format}, {utterance.engine}"
