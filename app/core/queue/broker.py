"""Submits tasks and looks at the queues; the only module that uses RQ's Queue.

Why the id of a task is the id of the utterance: RQ then refuses a second task for the same audio in one atomic step.

Why owners alternate in a queue: RQ's queue is first in, first out, and a key that sends five hundred requests at once would
make all others wait for them. RQ itself appends tasks that waited for other parts of their job to the end of the batch queue,
so that queue is sorted repeatedly.

Why each wire version has its own queues: one version may misread the data of another. While a fleet is updated, the API and the
workers of each version use their own queues.
"""

from collections.abc import Mapping, Sequence
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
from app.core.queue.questions import Question
from app.core.queue.task import Task
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.utterance import Utterance
from app.core.speech.voices import show_blend
from app.core.storage import keys
from app.core.storage.lua import load_script
from app.core.storage.redis_check import MIN_REDIS_VERSION
from app.core.tracing.spans import FIELDS, NO_CONTEXT, Context

log: Final = structlog.get_logger()

JOB_TIMEOUT_SECONDS: Final = 86_400
_PLAIN_VERSION: Final = 5
_RESULT_TTL_SECONDS: Final = 300
_FAILURE_TTL_SECONDS: Final = 86_400
MAX_RETURNS: Final = 1000
"""How often a task is queued again when the process that ran it died. The task itself decides much earlier whether it is the
cause.
"""

_TRACE: Final = "trace"
"""The key of a trace's context in the metadata of a message. A message without one is complete."""
_VERSION_AS_RQ_KEEPS_IT: Final = "__rq_redis_server_version"
_WAITING: Final = frozenset({JobStatus.QUEUED, JobStatus.CREATED, JobStatus.SCHEDULED})


class QueueName(StrEnum):
    """The RQ queues. A listener waits for tasks in the first; the second is served when the first is empty."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class ForeignJob(Exception):
    """A program other than Koe has put a task into one of Koe's queues."""


class TaskJob(Job):
    """An RQ job that runs Koe's own tasks and nothing else.

    Why: RQ imports and calls any dotted name that a job has, so a program that can write to Redis could run any code in a
    worker. RQ's callbacks and webhooks are removed when the job is read, because RQ also calls them for a job that was refused
    or abandoned.
    """

    _has_extras = False

    def restore(self, raw_data: Any) -> None:
        """Reads the job from Redis, without its callbacks and webhooks."""
        super().restore(raw_data)
        self._has_extras = bool(
            self._success_callback_name or self._failure_callback_name or self._stopped_callback_name or self.webhooks
        )
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []

    def perform(self) -> Any:
        """Raises ForeignJob, before anything is imported, when the job is not one of Koe's tasks."""
        if self._has_extras or self.instance is not None or self.func_name not in set(Task):
            # Only the id is logged: an argument may be a user's text, and a foreign name may be anything.
            log.error("foreign_job_refused", job_id=self.id, remedy="Only Koe may write to this Redis: see KOE_REDIS_URL.")
            raise ForeignJob
        return super().perform()


def rq_queue_name(queue_name: QueueName, version: int) -> str:
    """RQ's name of a queue. It contains the wire version, except for the first released version."""
    return queue_name.value if version == _PLAIN_VERSION else f"{queue_name.value}-{version}"


def rq_queue_key(queue_name: QueueName) -> str:
    """The key of the list in which the messages of a queue wait."""
    return Queue.redis_queue_namespace_prefix + rq_queue_name(queue_name, WIRE_VERSION)


def rq_queue(redis: Redis, queue_name: QueueName) -> Queue:
    """The RQ queue, with the JSON serializer and TaskJob: Redis holds data and never code."""
    # RQ would ask the server for its version, and some servers refuse that. `app.core.storage.redis_check` has refused older
    # versions.
    setattr(redis, _VERSION_AS_RQ_KEEPS_IT, MIN_REDIS_VERSION)
    return Queue(
        rq_queue_name(queue_name, WIRE_VERSION),
        connection=redis,
        serializer=JSONSerializer,
        job_class=TaskJob,
        default_timeout=JOB_TIMEOUT_SECONDS,
    )


def queue_of(job: Job) -> QueueName:
    """The queue that an RQ job came from."""
    return QueueName(job.origin.partition("-")[0])


def trace_of(job: Job) -> Context:
    """The context of the trace in the metadata of an RQ job; empty without one."""
    found = job.meta.get(_TRACE)
    if not isinstance(found, Mapping):
        return NO_CONTEXT
    return {name: value for name in FIELDS if isinstance(value := found.get(name), str)}


class Broker:
    """Submits tasks. The methods block: the API calls them in a thread."""

    def __init__(self, redis: Redis, *, max_queue: int) -> None:
        self._redis = redis
        self._queues = {queue_name: rq_queue(redis, queue_name) for queue_name in QueueName}
        self._max_queue = max_queue
        self._share_fairly = redis.register_script(load_script(__file__, "share_fairly"))

    def submit(
        self,
        utterance: Utterance,
        queue_name: QueueName,
        *,
        request_id: str,
        owner: str = "",
        heard_seconds: float = 0.0,
        again: bool = False,
        trace: Context = NO_CONTEXT,
    ) -> bool:
        """Puts the utterance into the queue. Raises QueueFull when too many wait there already, unless this one was there
        before.

        `owner` is the owner whose share of the machine the work uses, and `trace` the context of its trace. `heard_seconds`:
        how long its listener still hears something else. Returns False while a task of the same id is still releasing an
        earlier attempt: call again in a moment if the audio is still wanted.
        """
        queue = self._queues[queue_name] if again else self._queue_unless_full(queue_name)
        args: list[str | float] = [utterance.to_json().decode(), request_id, owner]
        if heard_seconds:
            args.append(heard_seconds)
        is_submitted = _enqueue(queue, Task.SPEAK, args, job_id=utterance.id, description=describe(utterance), trace=trace)
        if is_submitted:
            self._move_to_owners_place(queue, utterance.id, owner)
        return is_submitted

    def submit_question(
        self, question: Question[Any], *, request_id: str, owner: str = "", again: bool = False, trace: Context = NO_CONTEXT
    ) -> bool:
        """Puts a question into the interactive queue, as `submit` does with an utterance. Raises QueueFull."""
        queue = self._queues[QueueName.INTERACTIVE] if again else self._queue_unless_full(QueueName.INTERACTIVE)
        args = [*question.args, request_id]
        is_submitted = _enqueue(queue, question.task, args, job_id=question.id, description=question.description, trace=trace)
        if is_submitted:
            self._move_to_owners_place(queue, question.id, owner)
        return is_submitted

    def submit_job(self, job_id: str, *, trace: Context = NO_CONTEXT) -> None:
        """Puts the planning task of a user's job into the queue. The limit on open jobs is checked before."""
        enqueue_task(self._redis, Task.PLAN, [job_id], job_id=f"{job_id}-plan", description="plan of a job", trace=trace)
        share_batch_fairly(self._redis)

    def trace_of_task(self, task_id: str) -> Context:
        """The context of the trace in the message of a task; empty when the task has ended."""
        try:
            return trace_of(Job.fetch(task_id, connection=self._redis, serializer=JSONSerializer))
        except NoSuchJobError:
            return NO_CONTEXT

    def waiting(self) -> dict[QueueName, int]:
        """Number of waiting tasks in each queue."""
        return {queue_name: queue.count for queue_name, queue in self._queues.items()}

    def _move_to_owners_place(self, queue: Queue, job_id: str, owner: str) -> None:
        """Moves the task, which is the last of the queue, to its owner's place."""
        if owner:
            self._share_fairly(keys=[queue.key, keys.OWNERS], args=[job_id, owner])

    def _queue_unless_full(self, queue_name: QueueName) -> Queue:
        queue = self._queues[queue_name]
        n_waiting = queue.count
        if n_waiting >= self._max_queue:
            raise QueueFull.after(n_waiting, retry_after_seconds=5)
        return queue


def enqueue_task(
    redis: Redis,
    task: Task,
    args: Sequence[str | float],
    *,
    job_id: str,
    description: str,
    depends_on: Sequence[str] = (),
    trace: Context = NO_CONTEXT,
) -> bool:
    """Puts a task into the batch queue. It runs when the tasks of `depends_on` have ended, well or not.

    `job_id` (letters, digits, `_`, `-`) is unique: while a task of that id waits or runs, no second one is made. Returns False
    when one is still being released.
    """
    queue = rq_queue(redis, QueueName.BATCH)
    return _enqueue(queue, task, args, job_id=job_id, description=description, depends_on=depends_on, trace=trace)


def share_batch_fairly(redis: Redis, *, every_seconds: float = 0.0) -> None:
    """Sorts the batch queue so that owners alternate; does nothing when it was sorted within the last `every_seconds`."""
    queue_name = rq_queue(redis, QueueName.BATCH).key
    redis.register_script(load_script(__file__, "share_batch_fairly"))(
        keys=[queue_name, keys.JOBS_TURNS], args=[int(1000 * every_seconds)]
    )


def put_back(redis: Redis, queue_name: QueueName, job_id: str) -> bool:
    """Returns a task to the head of its queue after a worker dequeued it and never began it. False when it has
    begun meanwhile.
    """
    queue = rq_queue(redis, queue_name)
    if not redis.lrem(queue.intermediate_queue_key, 1, job_id):
        return False
    redis.lpush(queue.key, job_id)
    return True


def dequeued_ids(redis: Redis, queue_name: QueueName) -> list[str]:
    """Ids of tasks that a worker has dequeued and not begun yet. They stay in RQ's intermediate queue for a moment, or for ever
    when the worker died.
    """
    return IntermediateQueue(rq_queue(redis, queue_name).key, redis).get_job_ids()


def _enqueue(
    queue: Queue,
    task: Task,
    args: Sequence[str | float],
    *,
    job_id: str,
    description: str,
    depends_on: Sequence[str] = (),
    trace: Context = NO_CONTEXT,
) -> bool:
    # Twice: the first call may only remove a task that has ended.
    return any(_enqueue_once(queue, task, args, job_id, description, depends_on, trace) for _ in range(2))


def _enqueue_once(
    queue: Queue,
    task: Task,
    args: Sequence[str | float],
    job_id: str,
    description: str,
    depends_on: Sequence[str],
    trace: Context,
) -> bool:
    dependency = _dependency(queue, depends_on)
    # RQ cannot make a job both unique and dependent. If two are made at the same time both run, and tasks allow that.
    if dependency is not None and Job.exists(job_id, connection=queue.connection):
        return _settle(queue, job_id, may_be_deferred=True)
    try:
        queue.enqueue_call(
            task.value,
            args=list(args),
            job_id=job_id,
            unique=dependency is None,
            description=description,
            depends_on=dependency,
            retry=Retry(max=MAX_RETURNS),
            result_ttl=_RESULT_TTL_SECONDS,
            failure_ttl=_FAILURE_TTL_SECONDS,
            meta={_TRACE: dict(trace)} if trace else None,
        )
    except DuplicateJobError:
        return _settle(queue, job_id, may_be_deferred=False)
    return True


def _dependency(queue: Queue, job_ids: Sequence[str]) -> Dependency | None:
    """A dependency on those tasks that RQ still knows; the others ended long ago."""
    known = [job_id for job_id in job_ids if Job.exists(job_id, connection=queue.connection)]
    return Dependency(jobs=known, allow_failure=True) if known else None


def _settle(queue: Queue, job_id: str, *, may_be_deferred: bool) -> bool:
    """True when the task that exists already will do the work. Removes a task that has ended, or that waits for others when
    there is nothing left to wait for.
    """
    try:
        job = Job.fetch(job_id, connection=queue.connection, serializer=JSONSerializer)
        status = job.get_status()
        if status in _WAITING or (status == JobStatus.DEFERRED and may_be_deferred):
            return True
        if status != JobStatus.STARTED:
            # RQ reads the executions of a job that it deletes, and raises when one expired with its worker.
            queue.connection.delete(job.execution_registry.key)
            job.delete()
    except (NoSuchJobError, InvalidJobOperation):
        # Another process has removed it, at once or between two of RQ's steps.
        return False
    return False


def describe(utterance: Utterance) -> str:
    """One line for rq-dashboard and the log: the options of the request, without its text."""
    voice = show_blend(utterance.voice)
    return f"{len(utterance.text)} characters, {voice}, {utterance.language}, {utterance.format}, {utterance.engine}"
