"""Submit work and look at the lanes; the only file that knows RQ's Queue.

Why a job's id is the utterance's: RQ then refuses a second job for the same sound by itself, in one atomic step.

Why callers take turns in a lane: RQ's queue is first in, first out, and a key that sends five hundred requests at once would
have all others wait for them. In the batch lane RQ itself puts in what waited for other parts of its job, always at the end, so
that lane is put into turns again and again.

Why each version of the wire has queues of its own: what one writes another may misread, so while a fleet is renewed the API
and the workers of each version meet by themselves.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import structlog
from redis import Redis
from rq import Queue, Retry
from rq.exceptions import DuplicateJobError, InvalidJobOperation, NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Dependency, Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.errors import QueueFull
from app.core.speech.question import Question
from app.core.speech.utterance import WIRE_VERSION, Utterance
from app.core.speech.voices import show_blend
from app.core.storage import keys
from app.core.storage.lua import load_script
from app.core.storage.redis_check import MIN_REDIS_VERSION

log: Final = structlog.get_logger()

JOB_TIMEOUT_SECONDS: Final = 86_400
_PLAIN_VERSION: Final = 5
_RESULT_TTL_SECONDS: Final = 300
_FAILURE_TTL_SECONDS: Final = 86_400
MOST_RETURNS: Final = 1000
"""How often a job comes back when the process that ran it died. Whether it is to blame the task decides itself, much sooner."""

_VERSION_AS_RQ_KEEPS_IT: Final = "__rq_redis_server_version"
_WAITING: Final = frozenset({JobStatus.QUEUED, JobStatus.CREATED, JobStatus.SCHEDULED})


class Lane(StrEnum):
    """RQ queues. A listener waits for what is in the first; the second is read when the first is served."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class Task(StrEnum):
    """Dotted names of what workers do; a test resolves them."""

    SPEAK = "workers.tasks.speak"
    PLAN = "workers.tasks.plan_job"
    PART = "workers.tasks.speak_part"
    JOIN = "workers.tasks.join_job"
    PHONEMIZE = "workers.tasks.phonemize"


class ForeignJob(Exception):
    """Somebody else than Koe has put a job into one of its queues."""


class TaskJob(Job):
    """A job that performs Koe's own tasks and nothing else.

    Why: RQ imports and calls whatever dotted name a job has, so whoever can write to Redis could run any code in a worker. What
    RQ would call or send after a job (callbacks, webhooks) is dropped as the job is read, since RQ calls it for a job that was
    refused or abandoned too.
    """

    _has_extras = False

    def restore(self, raw_data: Any) -> None:
        """Reads what Redis has of it."""
        super().restore(raw_data)
        self._has_extras = bool(
            self._success_callback_name or self._failure_callback_name or self._stopped_callback_name or self.webhooks
        )
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []

    def perform(self) -> Any:
        """Raises ForeignJob, before anything is imported, for what is none of Koe's tasks."""
        if self._has_extras or self.instance is not None or self.func_name not in set(Task):
            # Its name says which one it is: an argument may be somebody's text, and a foreign name anything.
            log.error("foreign_job_refused", job_id=self.id, remedy="Only Koe may write to this Redis: see KOE_REDIS_URL.")
            raise ForeignJob
        return super().perform()


def queue_name(lane: Lane, version: int) -> str:
    """What RQ knows a lane by: plainly its name in the first version that was released, then with the version."""
    return lane.value if version == _PLAIN_VERSION else f"{lane.value}-{version}"


def lane_queue(redis: Redis, lane: Lane) -> Queue:
    """The RQ queue of a lane, with the JSON serializer and TaskJob: what stands in Redis is data and never code."""
    # RQ would ask the server, which may refuse to describe itself; `app.core.storage.redis_check` has refused what is older.
    setattr(redis, _VERSION_AS_RQ_KEEPS_IT, MIN_REDIS_VERSION)
    return Queue(
        queue_name(lane, WIRE_VERSION),
        connection=redis,
        serializer=JSONSerializer,
        job_class=TaskJob,
        default_timeout=JOB_TIMEOUT_SECONDS,
    )


def lane_of(job: Job) -> Lane:
    """The lane that an RQ job came from."""
    return Lane(job.origin.partition("-")[0])


class Broker:
    """The submitting side. Its methods block: the API calls them in a thread."""

    def __init__(self, redis: Redis, *, max_queue: int) -> None:
        self._redis = redis
        self._queues = {lane: lane_queue(redis, lane) for lane in Lane}
        self._max_queue = max_queue
        self._take_turn = redis.register_script(load_script(__file__, "share_fairly"))

    def submit(self, utterance: Utterance, lane: Lane, *, request_id: str, caller: str = "", again: bool = False) -> bool:
        """Puts the utterance into the lane. Raises QueueFull when too many wait there already, unless it was there before.

        `caller` is whose share of the machine it takes. False while a job of the same id is still letting go of an earlier
        take: ask again in a moment, if it is still wanted.
        """
        queue = self._queues[lane] if again else self._room(lane)
        args: list[str | int] = [utterance.to_json().decode(), request_id, caller]
        is_submitted = _enqueue(queue, Task.SPEAK, args, job_id=utterance.id, description=describe(utterance))
        return is_submitted and self._queue_up(queue, utterance.id, caller)

    def submit_question(self, question: Question, *, request_id: str, caller: str = "", again: bool = False) -> bool:
        """Puts the question into the lane of those who wait for an answer, in the same way as `submit`. Raises QueueFull."""
        queue = self._queues[Lane.INTERACTIVE] if again else self._room(Lane.INTERACTIVE)
        args: list[str | int] = [question.to_json().decode(), request_id]
        description = f"phonemes of {len(question.text)} characters, {question.language}, {question.engine}"
        is_submitted = _enqueue(queue, Task.PHONEMIZE, args, job_id=question.id, description=description)
        return is_submitted and self._queue_up(queue, question.id, caller)

    def submit_job(self, job_id: str) -> None:
        """Has a user's job planned, spoken and joined. How many an owner may have open is decided before."""
        enqueue_task(self._redis, Task.PLAN, [job_id], job_id=f"{job_id}-plan", description="plan of a job")
        take_turns(self._redis)

    def waiting(self) -> dict[Lane, int]:
        """Jobs that wait, by lane."""
        return {lane: queue.count for lane, queue in self._queues.items()}

    def _queue_up(self, queue: Queue, job_id: str, caller: str) -> bool:
        """Gives the job, which stands at the lane's end, its caller's turn. True."""
        if caller:
            self._take_turn(keys=[queue.key, keys.CALLERS], args=[job_id, caller])
        return True

    def _room(self, lane: Lane) -> Queue:
        queue = self._queues[lane]
        n_waiting = queue.count
        if n_waiting >= self._max_queue:
            raise QueueFull.after(n_waiting, retry_after_seconds=5)
        return queue


def enqueue_task(
    redis: Redis, task: Task, args: list[str | int], *, job_id: str, description: str, depends_on: Sequence[str] = ()
) -> bool:
    """Puts a task into the batch lane, to run when those of `depends_on` have ended, well or not.

    `job_id` (letters, digits, `_`, `-`) is its own: while a job of that id waits or runs, there is no second. False when one is
    still letting go.
    """
    return _enqueue(lane_queue(redis, Lane.BATCH), task, args, job_id=job_id, description=description, depends_on=depends_on)


def take_turns(redis: Redis, *, every_seconds: float = 0.0) -> None:
    """Puts the batch lane into turns by owner; where somebody has done so within `every_seconds`, nothing is done."""
    lane = lane_queue(redis, Lane.BATCH).key
    redis.register_script(load_script(__file__, "share_batch_fairly"))(
        keys=[lane, keys.JOBS_TURNS], args=[int(1000 * every_seconds)]
    )


def put_back(redis: Redis, lane: Lane, job_id: str) -> bool:
    """Puts a job back to the head of its lane that a worker took and never began. False when it was begun meanwhile."""
    queue = lane_queue(redis, lane)
    if not redis.lrem(queue.intermediate_queue_key, 1, job_id):
        return False
    redis.lpush(queue.key, job_id)
    return True


def taken(redis: Redis, lane: Lane) -> list[str]:
    """Ids of the jobs of a lane that a worker has taken and not begun yet: for a moment, or for ever when it died."""
    return IntermediateQueue(lane_queue(redis, lane).key, redis).get_job_ids()


def _enqueue(
    queue: Queue, task: Task, args: list[str | int], *, job_id: str, description: str, depends_on: Sequence[str] = ()
) -> bool:
    # Twice: the first attempt clears a job that has ended out of the way.
    return any(_enqueue_once(queue, task, args, job_id, description, depends_on) for _ in range(2))


def _enqueue_once(
    queue: Queue, task: Task, args: list[str | int], job_id: str, description: str, depends_on: Sequence[str]
) -> bool:
    dependency = _dependency(queue, depends_on)
    # RQ makes no job both unique and dependent. Two that are put in at once would both run, and a task may.
    if dependency is not None and Job.exists(job_id, connection=queue.connection):
        return _settle(queue, job_id, may_be_deferred=True)
    try:
        queue.enqueue_call(
            task.value,
            args=args,
            job_id=job_id,
            unique=dependency is None,
            description=description,
            depends_on=dependency,
            retry=Retry(max=MOST_RETURNS),
            result_ttl=_RESULT_TTL_SECONDS,
            failure_ttl=_FAILURE_TTL_SECONDS,
        )
    except DuplicateJobError:
        return _settle(queue, job_id, may_be_deferred=False)
    return True


def _dependency(queue: Queue, job_ids: Sequence[str]) -> Dependency | None:
    """On those that RQ still knows: the others have ended long ago."""
    known = [job_id for job_id in job_ids if Job.exists(job_id, connection=queue.connection)]
    return Dependency(jobs=known, allow_failure=True) if known else None


def _settle(queue: Queue, job_id: str, *, may_be_deferred: bool) -> bool:
    """True when the job that is there already will do the work; one that has ended is cleared out of the way, and so is one
    that waits for others when there is nothing left to wait for.
    """
    try:
        job = Job.fetch(job_id, connection=queue.connection, serializer=JSONSerializer)
        status = job.get_status()
        if status in _WAITING or (status == JobStatus.DEFERRED and may_be_deferred):
            return True
        if status != JobStatus.STARTED:
            # RQ asks for the executions of a job that it deletes, and raises at one that expired with its worker.
            queue.connection.delete(job.execution_registry.key)
            job.delete()
    except (NoSuchJobError, InvalidJobOperation):
        # Somebody else has cleared it away: at once, or between two of RQ's steps.
        return False
    return False


def describe(utterance: Utterance) -> str:
    """One line for rq-dashboard and the log: what is asked, and nothing of what it says."""
    voice = show_blend(utterance.voice)
    return f"{len(utterance.text)} characters, {voice}, {utterance.language}, {utterance.format}, {utterance.engine}"
