"""The state of a worker process: engines, scheduler, Redis. The only global variable: RQ calls tasks only by name."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.core.custom_voices.packs import CustomPacks
from app.core.errors import (
    EncoderFailed,
    KoeError,
    OutOfMemory,
    Preempted,
    StreamLost,
    WorkersDied,
)
from app.core.jobs.files import Store
from app.core.jobs.job_store import JobStore
from app.core.queue.broker import QueueName
from app.core.queue.fleet import some_worker_has
from app.core.queue.registry import Attempt, Lease, Report, State, WorkerRegistry
from app.core.settings import Secret
from app.core.speech.utterance import Utterance
from app.core.storage.connections import patiently
from app.core.tracing.spans import NO_SPAN, NO_TRACING, Span, Tracing
from workers.documents.answering import DocumentReader
from workers.engines.base import Engine
from workers.engines.identity import short
from workers.failures import Action, Failure, Meaning, run_task
from workers.jobs.runner import JobRunner
from workers.jobs.webhooks import Webhooks
from workers.measures import Measures
from workers.synthesis.output import Spoken
from workers.synthesis.phonemes import Phonemes
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.stream_task import Limits, StreamTask
from workers.synthesis.synthesizer import Synthesizer

log: Final = structlog.get_logger()

_T = TypeVar("_T")

_MAX_ATTEMPTS: Final = 3
"""Most attempts at an utterance whose encoder was killed, whose engine found no memory, or whose stream lost its end."""

_TRANSIENT: Final = (EncoderFailed, OutOfMemory, StreamLost)
"""Errors that may be temporary: the utterance starts again, with its cached segments."""

_RETRY_SECONDS: Final = 0.5
"""Pause before another attempt."""


class Runtime:
    """Speaks one utterance at a time in each slot."""

    def __init__(
        self,
        *,
        redis: Redis,
        registry: WorkerRegistry,
        engines: Mapping[str, Engine],
        scheduler: Scheduler,
        ffmpeg_path: Path,
        limits: Limits,
        jobs: JobStore,
        store: Store,
        webhook_secret: Secret | None,
        webhook_private: bool,
        tracing: Tracing = NO_TRACING,
        measures: Measures | None = None,
    ) -> None:
        self.measures = measures or Measures()
        self.engines = engines
        self.tracing = tracing
        self.limits = limits
        self.synthesizer = Synthesizer(engines=engines, scheduler=scheduler, ffmpeg_path=ffmpeg_path, measures=self.measures)
        self.job_runner = JobRunner(
            redis=redis,
            jobs=jobs,
            store=store,
            synthesizer=self.synthesizer,
            ffmpeg_path=ffmpeg_path,
            cache_budget=limits.cache_budget,
            max_seconds=limits.max_job_seconds,
            measures=self.measures,
        )
        self.webhooks = Webhooks(
            redis=redis,
            jobs=jobs,
            secret=webhook_secret.reveal() if webhook_secret else None,
            private=webhook_private,
            measures=self.measures,
        )
        self._custom_packs = CustomPacks(redis)
        self.phonemes = Phonemes(redis=redis, engines=engines, patience_seconds=limits.patience_seconds)
        self.documents = DocumentReader(redis=redis, store=store, patience_seconds=limits.patience_seconds)
        self._redis = redis
        self._registry = registry
        self.scheduler = scheduler
        self._speaking: dict[Attempt, StreamTask] = {}
        self.lease_ids: set[str] = set()
        """Names of the attempts at utterances that run in this process."""

    def speak(
        self,
        utterance: Utterance,
        queue_name: QueueName,
        *,
        owner: str = "",
        heard_seconds: float = 0.0,
        span: Span = NO_SPAN,
    ) -> bool:
        """Speaks the utterance into its stream, if it is still wanted. Returns False if it was preempted and must be requeued.

        `heard_seconds`: how long its listener still heard something else when it was submitted. `span` is the task's; its steps
        become children of it. The reader gets every error. An error of this server is also
        raised, so that RQ records the task as failed.
        """
        with self._reported_lease_id() as lease_id:
            return self._speak_leased(utterance, queue_name, owner, heard_seconds, lease_id, span)

    @contextmanager
    def _reported_lease_id(self) -> Iterator[str]:
        """Yields a new name for an attempt at an utterance. The heartbeat reports the name until the end of the block."""
        lease_id = secrets.token_hex(8)
        self.lease_ids.add(lease_id)
        try:
            yield lease_id
        finally:
            self.lease_ids.discard(lease_id)

    def _speak_leased(
        self, utterance: Utterance, queue_name: QueueName, owner: str, heard_seconds: float, lease_id: str, span: Span
    ) -> bool:
        span.note(engine=utterance.engine, format=utterance.format, n_characters=len(utterance.text))
        lease = self._patiently(lambda: self._registry.lease(utterance.id, lease_id=lease_id))
        if lease is None:
            log.info("utterance_not_wanted")
            span.note(outcome="cancelled")
            return True
        span.note(attempt=int(lease.number))
        if lease.waited_seconds is not None:
            self.measures.record_wait(queue_name.value, lease.waited_seconds)
        started = time.monotonic()
        task = StreamTask(
            utterance,
            queue_name,
            owner,
            heard_seconds=heard_seconds,
            redis=self._redis,
            registry=self._registry,
            lease=lease,
            limits=self.limits,
            span=span,
        )
        try:
            return run_task(
                lambda: self._speak_all(task, started), lambda failure: self._end(task, failure, started), span=span
            )
        finally:
            task.close()

    def _speak_all(self, task: StreamTask, started: float) -> None:
        spoken = self._speak(task)
        self._finish(task, spoken, time.monotonic() - started)

    def _end(self, task: StreamTask, failure: Failure, started: float) -> Action:
        match failure.meaning:
            case Meaning.PREEMPTED:
                log.info("utterance_yielded", n_bytes=task.writer.n_bytes)
                return Action.REQUEUE if self._release(task, State.QUEUED) else Action.END
            case Meaning.PAUSED:
                log.info("utterance_parked", n_bytes=task.writer.n_bytes)
                self._release(task, State.PAUSED)
                return Action.END
            case Meaning.CANCELLED:
                log.info("utterance_cancelled", seconds=round(time.monotonic() - started, 3))
                return Action.END
        self._fail(task.lease, failure.to_error())
        return Action.END if failure.meaning is Meaning.REFUSED else Action.RAISE

    def _release(self, task: StreamTask, state: State) -> bool:
        return self._patiently(lambda: self._registry.release(task.lease, state))

    def cancel(self, utterance_id: str, token: str) -> None:
        """Stops the attempt between two segments, if it runs in this process."""
        task = self._speaking.get(Attempt(utterance_id, token))
        if task is not None:
            task.cancelled.set()
            self.synthesizer.cancel(task.name)

    def abandon_unread(self) -> None:
        """Cancels attempts that have no readers because an API process died. Raises RedisError if Redis is unreachable."""
        for attempt in {*self._speaking, *self._registry.paused()}:
            if self._registry.abandon(attempt):
                log.info("utterance_abandoned", utterance_id=attempt.utterance_id)

    @property
    def waiting_seconds(self) -> float:
        """Estimated seconds of audio that the utterances in this process still need; parts of jobs are counted elsewhere."""
        spoken = (one for one in self.synthesizer.tasks_now.view() if one.queue == QueueName.INTERACTIVE)
        return round(sum(max(0.0, one.whole_seconds - one.seconds) for one in spoken), 1)

    def identities(self) -> dict[str, str]:
        """Returns engine → short digest of its current identity, which changes if it is loaded again with other files."""
        return {name: short(engine.identity) for name, engine in self.engines.items()}

    def close(self) -> None:
        """Ends the compute threads and the engines."""
        self.scheduler.close()
        for engine in self.engines.values():
            engine.close()

    def _speak(self, task: StreamTask) -> Spoken:
        if task.lease.is_poison:
            raise WorkersDied
        if task.utterance.engine not in self.engines and some_worker_has(self._redis, task.utterance.engine):
            # Workers are being replaced: an old worker has taken a task for the new ones, which have the engine.
            task.cancelled.wait(_RETRY_SECONDS)
            raise Preempted("Another worker has the engine.")
        self._patiently(lambda: self._custom_packs.require(task.utterance.custom_voices))
        if not self._is_engine_unchanged(task.utterance):
            self._patiently(lambda: self._registry.never_reuse(task.lease))
        with self._cancellable(task):
            for n_left in reversed(range(_MAX_ATTEMPTS)):
                try:
                    return self.synthesizer.speak(task)
                except _TRANSIENT as error:
                    if not n_left:
                        raise
                    log.warning("utterance_begun_again", error=type(error).__name__)
                    self.measures.count_retry()
                    task.cancelled.wait(_RETRY_SECONDS)
                    task.begin_again()
        raise AssertionError("unreachable")

    def _is_engine_unchanged(self, utterance: Utterance) -> bool:
        """False if the engine has changed since the request. Then the audio must not be reused under the utterance's id."""
        identity = self.identities().get(utterance.engine)
        return identity is None or not utterance.identities or identity in utterance.identities

    @contextmanager
    def _cancellable(self, task: StreamTask) -> Iterator[None]:
        self._speaking[task.lease.attempt] = task
        try:
            yield
        finally:
            # A slot wrongly presumed dead may end after its successor, which may be in this process too.
            if self._speaking.get(task.lease.attempt) is task:
                del self._speaking[task.lease.attempt]

    def _finish(self, task: StreamTask, spoken: Spoken, seconds: float) -> None:
        report = Report(
            n_segments=spoken.n_segments,
            n_phonemes=spoken.n_phonemes,
            audio_seconds=spoken.audio_seconds,
            n_bytes=task.writer.n_bytes,
            lead_seconds=spoken.lead_seconds,
        )
        n_spoken = self._patiently(lambda: self._registry.finish(task.lease, report, task.utterance.custom_voices))
        task.span.note(n_segments=spoken.n_segments, audio_seconds=round(spoken.audio_seconds, 3))
        if n_spoken is not None:
            log.info(
                "utterance_finished",
                n_segments=spoken.n_segments,
                n_spoken=n_spoken,
                n_found=task.n_found,
                claim=int(task.lease.number),
                audio_seconds=round(spoken.audio_seconds, 3),
                rtf=round(seconds / spoken.audio_seconds, 3),
            )

    def _fail(self, lease: Lease, error: KoeError) -> None:
        log.warning("utterance_failed", error=type(error).__name__, code=error.code)
        with suppress(RedisError):
            self._patiently(lambda: self._registry.fail(lease, error))

    def _patiently(self, step: Callable[[], _T]) -> _T:
        """Waits for Redis if it is unreachable: readers would wait forever for an attempt that neither finishes nor fails."""
        return patiently(step, self.limits.patience_seconds)


_runtime: Runtime | None = None


def install(runtime: Runtime | None) -> Runtime | None:
    """Sets the runtime that tasks use; None removes it. Returns the one before it."""
    global _runtime
    before, _runtime = _runtime, runtime
    return before


def current() -> Runtime:
    """Returns the process's runtime. Raises RuntimeError outside a worker."""
    if _runtime is None:
        raise RuntimeError("No runtime is installed: tasks run inside `koe worker`.")
    return _runtime
