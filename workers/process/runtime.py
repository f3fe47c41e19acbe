"""The state of a worker process: engines, scheduler, Redis. The only global variable, since RQ calls tasks only by name."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.core.errors import (
    EncoderFailed,
    KoeError,
    OutOfMemory,
    StreamLost,
    WorkersDied,
    Yielded,
)
from app.core.jobs.files import Store
from app.core.jobs.job_store import JobBook
from app.core.queue.broker import Lane
from app.core.queue.fleet import some_worker_has
from app.core.queue.registry import Claim, Report, State, Take, WorkerLedger
from app.core.settings import Secret
from app.core.speech.utterance import Utterance
from app.core.storage.connections import patiently
from workers.engines.base import Engine
from workers.engines.identity import short
from workers.failures import Action, Failure, Meaning, run_task
from workers.jobs.runner import JobRunner
from workers.jobs.webhooks import Webhooks
from workers.synthesis.phonemes import Phonemes
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.stream_task import Limits, ListenedOrder
from workers.synthesis.synthesizer import Spoken, Synthesizer

log: Final = structlog.get_logger()

_T = TypeVar("_T")

_MOST_ATTEMPTS: Final = 3
"""Attempts at an utterance if its encoder was killed, its engine found no memory, or its stream lost its end."""

_PASSING: Final = (EncoderFailed, OutOfMemory, StreamLost)
"""Errors that may be temporary: the utterance starts again, with its cached segments."""

_BREATH_SECONDS: Final = 0.5
"""Pause before another attempt."""


class Runtime:
    """Speaks one utterance at a time in each slot."""

    def __init__(
        self,
        *,
        redis: Redis,
        ledger: WorkerLedger,
        engines: Mapping[str, Engine],
        scheduler: Scheduler,
        ffmpeg_path: Path,
        limits: Limits,
        jobs: JobBook,
        store: Store,
        webhook_secret: Secret | None,
        webhook_private: bool,
    ) -> None:
        self.engines = engines
        self.limits = limits
        self.synthesizer = Synthesizer(engines=engines, scheduler=scheduler, ffmpeg_path=ffmpeg_path)
        self.job_runner = JobRunner(
            redis=redis,
            jobs=jobs,
            store=store,
            synthesizer=self.synthesizer,
            ffmpeg_path=ffmpeg_path,
            keep=limits.keep,
            max_seconds=limits.max_job_seconds,
        )
        self.webhooks = Webhooks(
            redis=redis,
            jobs=jobs,
            secret=webhook_secret.reveal() if webhook_secret else None,
            private=webhook_private,
        )
        self.phonemes = Phonemes(redis=redis, engines=engines, patience_seconds=limits.patience_seconds)
        self._redis = redis
        self._ledger = ledger
        self._scheduler = scheduler
        self._speaking: dict[Take, ListenedOrder] = {}
        self.attempts: set[str] = set()
        """Attempts at utterances that run in this process."""

    def speak(self, utterance: Utterance, lane: Lane, *, caller: str = "") -> bool:
        """Speaks the utterance into its stream, if it is still wanted. Returns False if it was preempted and must be requeued.

        The reader gets every error. An error of this server is also raised, so that RQ records the task as failed.
        """
        with self._in_hand() as attempt:
            return self._speak_claimed(utterance, lane, caller, attempt)

    @contextmanager
    def _in_hand(self) -> Iterator[str]:
        """Yields a new name for an attempt at an utterance. The heartbeat reports the name until the end of the block."""
        attempt = secrets.token_hex(8)
        self.attempts.add(attempt)
        try:
            yield attempt
        finally:
            self.attempts.discard(attempt)

    def _speak_claimed(self, utterance: Utterance, lane: Lane, caller: str, attempt: str) -> bool:
        claim = self._patiently(lambda: self._ledger.claim(utterance.id, attempt=attempt))
        if claim is None:
            log.info("utterance_not_wanted")
            return True
        started = time.monotonic()
        order = ListenedOrder(utterance, lane, caller, redis=self._redis, ledger=self._ledger, claim=claim, limits=self.limits)
        try:
            return run_task(lambda: self._speak_all(order, started), lambda failure: self._end(order, failure, started))
        finally:
            order.close()

    def _speak_all(self, order: ListenedOrder, started: float) -> None:
        spoken = self._speak(order)
        self._finish(order, spoken, time.monotonic() - started)

    def _end(self, order: ListenedOrder, failure: Failure, started: float) -> Action:
        match failure.meaning:
            case Meaning.PREEMPTED:
                log.info("utterance_yielded", n_bytes=order.writer.n_bytes)
                return Action.REQUEUE if self._let_go(order, State.QUEUED) else Action.END
            case Meaning.PAUSED:
                log.info("utterance_parked", n_bytes=order.writer.n_bytes)
                self._let_go(order, State.PARKED)
                return Action.END
            case Meaning.CANCELLED:
                log.info("utterance_cancelled", seconds=round(time.monotonic() - started, 3))
                return Action.END
        self._fail(order.claim, failure.to_error())
        return Action.END if failure.meaning is Meaning.REFUSED else Action.RAISE

    def _let_go(self, order: ListenedOrder, state: State) -> bool:
        return self._patiently(lambda: self._ledger.let_go(order.claim, state))

    def cancel(self, utterance_id: str, token: str) -> None:
        """Stops the attempt between two segments, if it runs in this process."""
        order = self._speaking.get(Take(utterance_id, token))
        if order is not None:
            order.cancelled.set()
            self.synthesizer.cancel(order.name)

    def abandon_unread(self) -> None:
        """Cancels attempts without readers, because the readers' API process died. Raises RedisError if Redis is away."""
        for take in {*self._speaking, *self._ledger.parked()}:
            if self._ledger.abandon(take):
                log.info("utterance_abandoned", utterance_id=take.utterance_id)

    def identities(self) -> dict[str, str]:
        """Returns engine → short digest of its current identity, which changes if it is loaded again with other files."""
        return {name: short(engine.identity) for name, engine in self.engines.items()}

    def close(self) -> None:
        """Ends the compute threads and the engines."""
        self._scheduler.close()
        for engine in self.engines.values():
            engine.close()

    def _speak(self, order: ListenedOrder) -> Spoken:
        if order.claim.is_lethal:
            raise WorkersDied
        if order.utterance.engine not in self.engines and some_worker_has(self._redis, order.utterance.engine):
            # Workers are being replaced: an old worker has taken a task for the new ones, which have the engine.
            order.cancelled.wait(_BREATH_SECONDS)
            raise Yielded("Another worker has the engine.")
        if not self._sounds_as_asked(order.utterance):
            self._patiently(lambda: self._ledger.never_reuse(order.claim))
        with self._known(order):
            for n_left in reversed(range(_MOST_ATTEMPTS)):
                try:
                    return self.synthesizer.speak(order)
                except _PASSING as error:
                    if not n_left:
                        raise
                    log.warning("utterance_begun_again", error=type(error).__name__)
                    order.cancelled.wait(_BREATH_SECONDS)
                    order.begin_again()
        raise AssertionError("unreachable")

    def _sounds_as_asked(self, utterance: Utterance) -> bool:
        """False if the engine has changed since the request. The result must not be reused for the utterance's id later."""
        identity = self.identities().get(utterance.engine)
        return identity is None or not utterance.identities or identity in utterance.identities

    @contextmanager
    def _known(self, order: ListenedOrder) -> Iterator[None]:
        self._speaking[order.claim.take] = order
        try:
            yield
        finally:
            # A slot wrongly presumed dead may end after its successor, which may be in this process too.
            if self._speaking.get(order.claim.take) is order:
                del self._speaking[order.claim.take]

    def _finish(self, order: ListenedOrder, spoken: Spoken, seconds: float) -> None:
        report = Report(
            n_segments=spoken.n_segments,
            n_phonemes=spoken.n_phonemes,
            audio_seconds=spoken.audio_seconds,
            n_bytes=order.writer.n_bytes,
        )
        n_spoken = self._patiently(lambda: self._ledger.finish(order.claim, report))
        if n_spoken is not None:
            log.info(
                "utterance_finished",
                n_segments=spoken.n_segments,
                n_spoken=n_spoken,
                n_found=order.n_found,
                claim=int(order.claim.number),
                audio_seconds=round(spoken.audio_seconds, 3),
                rtf=round(seconds / spoken.audio_seconds, 3),
            )

    def _fail(self, claim: Claim, error: KoeError) -> None:
        log.warning("utterance_failed", error=type(error).__name__, code=error.code)
        with suppress(RedisError):
            self._patiently(lambda: self._ledger.fail(claim, error))

    def _patiently(self, step: Callable[[], _T]) -> _T:
        """Waits for Redis if it is away: readers would wait forever for an attempt that neither finishes nor fails."""
        return patiently(step, self.limits.patience_seconds)


_runtime: Runtime | None = None


def install(runtime: Runtime | None) -> None:
    """Sets the runtime that tasks use; None removes it."""
    global _runtime  # noqa: PLW0603 - see the module's first line
    _runtime = runtime


def current() -> Runtime:
    """Returns the process's runtime. Raises RuntimeError outside a worker."""
    if _runtime is None:
        raise RuntimeError("No runtime is installed: tasks run inside `koe worker`.")
    return _runtime
