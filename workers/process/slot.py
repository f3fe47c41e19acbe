"""An RQ worker in a thread, bound to one queue.

Why one queue: RQ moves a popped task to the intermediate queue, where it cannot be lost, only for a worker with a single queue.
Why threads: a fork for each task would load the model for each task. So a slot installs no signal handlers, limits tasks with a
timer, and stops when the pool sets a flag.
"""

import logging
import threading
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import DequeueTimeout, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.worker import WorkerStatus

from app.core.queue.broker import QueueName, TaskJob, rq_queue
from app.core.storage.connections import is_refusal, trouble_of

POP_SECONDS: Final = 2
"""Duration of one blocking pop. An idle slot notices within this time that it must stop."""


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Filters out RQ's tracebacks in each slot if Redis is unreachable or full: the heartbeat logs this once. A refusal is
    logged in one line, without the refused command.
    """
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, RedisError):
        return True
    if is_refusal(error):
        trouble_of(error)
    return False


class SlotWorker(SimpleWorker):
    """The RQ worker of one slot."""

    death_penalty_class = TimerDeathPenalty

    def __init__(self, *args: Any, stopping: threading.Event, execution_ttl_seconds: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stopping = stopping
        self._execution_ttl_seconds = execution_ttl_seconds
        self.log.addFilter(_is_worth_a_line)  # logging adds the same filter only once

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> tuple[Job, Queue] | None:
        """Waits for a task. Checks the pool's flag before each pop, never between a pop and its task."""
        self.set_state(WorkerStatus.IDLE)
        while not self._stopping.is_set():
            self.heartbeat()
            try:
                popped = self.queue_class.dequeue_any(
                    self.queues,
                    POP_SECONDS,
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                continue
            if popped is not None:
                popped[0].redis_server_version = self.get_redis_server_version()  # type: ignore[no-untyped-call]
                return popped
        raise StopRequested

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Returns how many seconds a task counts as running without a heartbeat. The pool sends one every second."""
        return self._execution_ttl_seconds

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """False: one thread of the pool does maintenance for all slots."""
        return False

    def _set_connection(self, connection: Redis) -> Redis:
        """Returns the connection unchanged. RQ would set a timeout of seven minutes; our blocking pops take seconds."""
        return connection

    def subscribe(self) -> None:
        """Does nothing: RQ's commands stop a child process, and there is none."""

    def unsubscribe(self) -> None:
        """Does nothing: there is no subscription."""

    def _install_signal_handlers(self) -> None:
        """Does nothing: the process handles signals."""

    def handle_job_failure(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """Fails a task without a retry. Only abandoned tasks are retried."""
        job.retries_left = 0
        super().handle_job_failure(job, *args, **kwargs)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Does nothing: the runtime has logged the error, without the user's text that a traceback may contain."""

    def procline(self, message: str) -> None:
        """Does nothing: a slot must not change the title of the process."""


class Slot:
    """Runs a SlotWorker in a thread, and starts a new one after an outage of Redis."""

    def __init__(
        self, redis: Redis, queue_name: QueueName, name: str, *, stopping: threading.Event, execution_ttl_seconds: int
    ) -> None:
        self.name = name
        self.queue_name = queue_name
        self._redis = redis
        self._queue = rq_queue(redis, queue_name)
        self._stopping = stopping
        self._execution_ttl_seconds = execution_ttl_seconds
        self._worker: SlotWorker | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins to take tasks."""
        self._thread.start()

    def join(self) -> None:
        """Returns when the slot has stopped: within POP_SECONDS if it is idle, otherwise when its task is done."""
        self._thread.join()

    @property
    def is_busy(self) -> bool:
        """Whether a task is running in the slot."""
        return self._worker is not None and bool(self._worker.executions)

    def beat(self) -> None:
        """Sends the heartbeat of the running task, if there is one. Raises RedisError if Redis is unreachable."""
        worker = self._worker
        for execution in list(worker.executions.values()) if worker else ():
            job = execution.job
            if worker is not None and job is not None:
                worker.maintain_heartbeats(job, execution)

    def _run(self) -> None:
        n_workers = 0
        while not self._stopping.is_set():
            n_workers += 1
            try:
                self._run_worker(f"{self.name}-{n_workers}" if n_workers > 1 else self.name)
            except RedisError:
                self._stopping.wait(1.0)

    def _run_worker(self, name: str) -> None:
        self._worker = SlotWorker(
            [self._queue],
            name=name,
            connection=self._redis,
            serializer=JSONSerializer,
            job_class=TaskJob,
            log_job_description=False,
            stopping=self._stopping,
            execution_ttl_seconds=self._execution_ttl_seconds,
        )
        self._worker.log_result_lifespan = False
        self._worker.work(logging_level="WARNING")
