"""What one worker process holds for life: engines, scheduler, Redis. The only global, since RQ calls tasks by name alone."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.core.broker import Lane
from app.core.chunks import ChunkWriter
from app.core.errors import Cancelled, InternalError, InvalidRequest, KoeError
from app.core.ledger import Report, Take, WorkerLedger
from app.core.logs import describe
from app.core.utterance import Utterance
from workers.engines.base import Engine
from workers.scheduler import Scheduler
from workers.synthesizer import Spoken, Synthesizer

log: Final = structlog.get_logger()


class Runtime:
    """Speaks one utterance at a time in each slot."""

    def __init__(
        self, *, redis: Redis, ledger: WorkerLedger, engines: Mapping[str, Engine], scheduler: Scheduler, ffmpeg_path: Path
    ) -> None:
        self.engines = engines
        self._redis = redis
        self._ledger = ledger
        self._scheduler = scheduler
        self._synthesizer = Synthesizer(engines=engines, scheduler=scheduler, ffmpeg_path=ffmpeg_path)
        self._speaking: dict[tuple[str, str], threading.Event] = {}

    def speak(self, utterance: Utterance, lane: Lane) -> None:
        """Speaks the utterance into its stream, if it is still wanted.

        A fault of the request reaches the reader and ends here; a fault of ours reaches the reader and is raised, so that RQ
        keeps the job among the failed ones.
        """
        take = self._ledger.claim(utterance.id)
        if take is None:
            log.info("utterance_not_wanted")
            return
        started = time.monotonic()
        try:
            with self._cancellable(take) as cancelled:
                spoken, writer = self._speak(utterance, take, lane, cancelled)
            self._finish(take, spoken, writer.n_bytes, time.monotonic() - started)
        except Cancelled:
            log.info("utterance_cancelled", seconds=round(time.monotonic() - started, 3))
        except InvalidRequest as error:
            self._fail(take, error)
        except KoeError as error:
            self._fail(take, error)
            raise
        except Exception as error:
            log.error("unforeseen_error", **describe(error))
            self._fail(take, InternalError())
            raise

    def cancel(self, utterance_id: str, token: str) -> None:
        """Stops the take between two segments, if it is spoken here."""
        cancelled = self._speaking.get((utterance_id, token))
        if cancelled is not None:
            cancelled.set()
            self._synthesizer.cancel(utterance_id)

    def close(self) -> None:
        """Ends the compute threads and the engines."""
        self._scheduler.close()
        for engine in self.engines.values():
            engine.close()

    @contextmanager
    def _cancellable(self, take: Take) -> Iterator[threading.Event]:
        name = (take.utterance_id, take.token)
        cancelled = self._speaking[name] = threading.Event()
        try:
            yield cancelled
        finally:
            del self._speaking[name]

    def _speak(self, utterance: Utterance, take: Take, lane: Lane, cancelled: threading.Event) -> tuple[Spoken, ChunkWriter]:
        writer = ChunkWriter(self._redis, take)
        spoken = self._synthesizer.speak(
            utterance, writer.write, lane=lane, cancelled=cancelled, on_spoken=lambda: self._ledger.ending(take)
        )
        return spoken, writer

    def _finish(self, take: Take, spoken: Spoken, n_bytes: int, seconds: float) -> None:
        report = Report(
            n_segments=spoken.n_segments, n_phonemes=spoken.n_phonemes, audio_seconds=spoken.audio_seconds, n_bytes=n_bytes
        )
        if self._ledger.finish(take, report):
            log.info(
                "utterance_finished",
                n_segments=spoken.n_segments,
                audio_seconds=round(spoken.audio_seconds, 3),
                rtf=round(seconds / spoken.audio_seconds, 3),
            )

    def _fail(self, take: Take, error: KoeError) -> None:
        log.warning("utterance_failed", error=type(error).__name__, code=error.code)
        with suppress(RedisError):
            self._ledger.fail(take, error)


_runtime: Runtime | None = None


def install(runtime: Runtime | None) -> None:
    """Makes it the one that tasks use; None takes it away."""
    global _runtime  # noqa: PLW0603 - see the module's first line
    _runtime = runtime


def current() -> Runtime:
    """The process's runtime. Raises RuntimeError outside a worker."""
    if _runtime is None:
        raise RuntimeError("No runtime is installed: tasks run inside `koe worker`.")
    return _runtime
