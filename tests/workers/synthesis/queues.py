"""A scheduler for tests: its clock does not move by itself, and each segment waits for permission."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from app.core.queue.broker import QueueName
from app.core.speech.boundaries import Ending
from app.core.speech.voices import load_catalogue
from tests.engines import GatedEngine
from workers.engines.base import ALONE, Engine, Segment, Turn, Waveform
from workers.synthesis.audio import Sound, to_pcm
from workers.synthesis.fair_queue import FIRST_PACE, MAX_LEAD_SECONDS, QueuedSegment
from workers.synthesis.scheduler import Scheduler

VOICE = load_catalogue().parse("af_heart")[0]
NOW = 1000.0
OVERDUE, SOON, LATER, FAR = NOW - 1000, NOW + 1, NOW + 100, NOW + 10_000


def a_segment(text: str, n_phonemes: int | None = None) -> Segment:
    phonemes = text if n_phonemes is None else "x" * n_phonemes
    return Segment(text=text, phonemes=phonemes, voice=VOICE, language="en-US", speed=1.0, ending=Ending.SENTENCE)


def a_queued(
    text: str, engine: Engine, *, task: str = "task", deadline: float = SOON, n_phonemes: int | None = None, **options: Any
) -> QueuedSegment:
    """Returns an interactive segment, the first of its task and as long as its text, unless the options differ."""
    usual: dict[str, Any] = {"queue_name": QueueName.INTERACTIVE, "on_done": lambda waveform: Sound(to_pcm(waveform.samples))}
    return QueuedSegment(a_segment(text, n_phonemes), engine, task=task, deadline=deadline, **(usual | options))


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class TimedEngine(GatedEngine):
    """Takes as long on its clock as the scheduler expects of an engine without measurements."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        waveforms = super().synthesize(segments, turn)
        self._clock.now += sum(cost(segment) for segment in segments)
        return waveforms


def cost(segment: Segment) -> float:
    """Returns the compute seconds of a segment on the clock of a TimedEngine."""
    return FIRST_PACE * segment.expected_seconds


SEGMENT_SECONDS = cost(a_segment("", 10))
MAX_LEAD_PHONEMES = round(MAX_LEAD_SECONDS / SEGMENT_SECONDS) * 10


class HeldQueue:
    """A scheduler whose threads are each blocked by a first segment, so that later segments wait in the queue."""

    def __init__(self, *, n_threads: int = 1, engine: type[TimedEngine] = TimedEngine, **options: Any) -> None:
        self.clock = Clock()
        self.engine = engine(self.clock)
        self.scheduler = Scheduler(n_threads=n_threads, clock=self.clock, **options)
        self.futures: dict[str, Future[Sound]] = {}
        self.begun: list[str] = []
        """Segments that were taken from the queue, in order, without the first ones that block the threads."""
        self.held = [self.scheduler.submit(a_queued("held", self.engine, task=f"held {number}")) for number in range(n_threads)]
        self.engine.wait_begun(n_threads)
        self._n_begun = n_threads

    def add(self, text: str, *, arrived: float = 0.0, **options: Any) -> None:
        """Queues a segment. Each text may be used only once."""
        queued = a_queued(text, self.engine, arrived_at=arrived, on_begin=lambda: self.begun.append(text), **options)
        self.futures[text] = self.scheduler.submit(queued)

    def wait(self, seconds: float) -> None:
        """Moves the clock, so that all queued segments have waited for longer."""
        self.clock.now += seconds

    def step(self) -> str:
        """Releases one segment, and returns the one that is taken after it. At least one must be queued."""
        self._n_begun += 1
        self.engine.release()
        self.engine.wait_begun(self._n_begun)
        return self.begun[-1]

    def spoken(self) -> list[str]:
        """Releases all segments. Returns the added ones in the order in which they were taken."""
        self.engine.release(1000)
        for future in self.futures.values():
            future.exception(30)
        return self.begun

    def close(self) -> None:
        self.engine.release(1000)
        self.scheduler.close()


class BatchingEngine(GatedEngine):
    batch_size = 3

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        self.batches.append([segment.text for segment in segments])
        return super().synthesize(segments, turn)
