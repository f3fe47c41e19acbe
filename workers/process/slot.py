"""An RQ worker in a thread, bound to one lane.

Why one lane: RQ moves a job into the intermediate queue as it pops it, so that it cannot vanish, only for a worker of a single
queue. Why threads: forking for each job would load the model for each job. So a slot installs no signal handlers, times jobs
with a timer, and is stopped by the flag that its pool holds.
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

from app.core.queue.broker import Lane, TaskJob, lane_queue
from app.core.storage.connections import is_refusal, trouble_of

POP_SECONDS: Final = 2
"""How long one blocking pop waits; an idle slot notices within this that it is to stop."""


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """False for what RQ says with a traceback, in each slot, when Redis is away or full: the heartbeat says it once. A refusal
    is said in one line, without what was refused.
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
        self.log.addFilter(_is_worth_a_line)  # Once, however often it is added.

    def dequeue_job_and_maintain_ttl(self, timeout: int | None, max_idle_time: int | None = None) -> tuple[Job, Queue] | None:
        """Waits for a job, and looks at the pool's flag before each pop: never between a pop and its job."""
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
        """Seconds that a job counts as running without a sign of life; the pool gives one every second."""
        return self._execution_ttl_seconds

    @property
    def should_run_maintenance_tasks(self) -> bool:
        """Never: one thread of the pool does it for all slots."""
        return False

    def _set_connection(self, connection: Redis) -> Redis:
        """As it is: RQ would wait for seven minutes for an answer, and a blocking pop of ours takes seconds."""
        return connection

    def subscribe(self) -> None:
        """Nothing: RQ's commands stop a child process, and there is none."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""

    def _install_signal_handlers(self) -> None:
        """Signals belong to the process."""

    def handle_job_failure(self, job: Job, *args: Any, **kwargs: Any) -> None:
        """A job that was abandoned comes back; one that has failed by itself does not."""
        job.retries_left = 0
        super().handle_job_failure(job, *args, **kwargs)

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Nothing: the runtime has logged it, without the user's text that a traceback may hold."""

    def procline(self, message: str) -> None:
        """The process's title belongs to the process."""


class Slot:
    """Keeps one SlotWorker at work in a thread of its own, through losses of Redis."""

    def __init__(self, redis: Redis, lane: Lane, name: str, *, stopping: threading.Event, execution_ttl_seconds: int) -> None:
        self.name = name
        self.lane = lane
        self._redis = redis
        self._queue = lane_queue(redis, lane)
        self._stopping = stopping
        self._execution_ttl_seconds = execution_ttl_seconds
        self._worker: SlotWorker | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begins to take jobs."""
        self._thread.start()

    def join(self) -> None:
        """Returns when the slot has stopped: within POP_SECONDS when idle, else when its job is done."""
        self._thread.join()

    @property
    def is_busy(self) -> bool:
        """Whether a job runs in it."""
        return self._worker is not None and bool(self._worker.executions)

    def beat(self) -> None:
        """Says for the running job, if there is one, that its process lives. Raises RedisError when Redis is away."""
        worker = self._worker
        for execution in list(worker.executions.values()) if worker else ():
            job = execution.job
            if worker is not None and job is not None:
                worker.maintain_heartbeats(job, execution)

    def _run(self) -> None:
        n_lives = 0
        while not self._stopping.is_set():
            n_lives += 1
            try:
                self._live(f"{self.name}-{n_lives}" if n_lives > 1 else self.name)
            except RedisError:
                self._stopping.wait(1.0)

    def _live(self, name: str) -> None:
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
