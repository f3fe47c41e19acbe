"""Runs the compute threads: each takes the next segments from the queue, and their engine speaks them.

Why a first segment may use all threads: while no other task waits, the other threads could only speak segments after it, which
are needed later. So they work on the first segment until a segment of another task comes.

Why a later segment gives way: it takes seconds, and a new listener would wait for all of it although its own listener has audio
left. So the engine looks between its steps, and speaks the newcomer's segment in the same thread. The other threads stop at
their next step too, so that the newcomer has all of them, unless several newcomers wait. Nothing interrupts a first segment
before its listener has the beginning, so a thread has at most two segments in memory.

The policies differ only in their queue: `deadline` is the fair queue of `workers.synthesis.fair_queue`; `fifo`, for
comparison, speaks one request to its end before the next.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Final, Literal

import structlog

from app.core.errors import Cancelled, EngineFailed, InvalidRequest, KoeError, OutOfMemory
from app.core.logs import describe
from app.core.queue.broker import QueueName
from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Turn, Waveform
from workers.measures import Measures
from workers.synthesis.audio import Sound
from workers.synthesis.fair_queue import FairQueue, FifoQueue, QueuedSegment

log: Final = structlog.get_logger()

_UNWANTED: Final = "The utterance is not wanted any more."

Policy = Literal["deadline", "fifo"]


class _Run:
    """One call of an engine, for segments that were taken together."""

    def __init__(self, taken: list[QueuedSegment], n_threads: int) -> None:
        self.taken = taken
        self.n_threads = n_threads
        self.away_seconds = 0.0
        """Time that it gave to newcomers."""
        self.is_for_newcomer = any(_is_newcomer(queued) for queued in taken)
        """Whether a listener without audio waits for it."""
        self.is_wanted = True
        """False when it should be broken off."""


class Scheduler:
    """The queue of segments and the compute threads that serve it."""

    def __init__(
        self,
        *,
        n_threads: int,
        policy: Policy = "deadline",
        clock: Callable[[], float] = time.monotonic,
        measures: Measures | None = None,
    ) -> None:
        self._clock = clock
        self._measures = measures or Measures()
        self._queue = FifoQueue() if policy == "fifo" else FairQueue(n_threads)
        self._changed = threading.Condition()
        self._closing = False
        self._runs: list[_Run] = []
        """Calls of engines that have not ended."""
        self._n_newcomers = 0
        self._n_busy_threads = 0
        self._alone: str | None = None
        """Task whose first segment all threads speak together."""
        self._threads = [threading.Thread(target=self._compute, name=f"compute-{n}", daemon=True) for n in range(n_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def n_busy_threads(self) -> int:
        """Number of threads that speak now. A segment that all threads speak together keeps all of them busy."""
        return min(self._n_busy_threads, len(self._threads))

    @property
    def n_waiting(self) -> int:
        """Number of queued segments that no thread has taken yet."""
        return len(self._queue.waiting)

    def submit(self, segment: QueuedSegment) -> Future[Sound]:
        """Queues a segment. The future gets its sound, EngineFailed (OutOfMemory), or Cancelled if it is dropped."""
        with self._changed:
            if self._closing:
                raise Cancelled("The worker is shutting down.")
            segment.queued_at = self._clock()
            self._queue.add(segment)
            self._changed.notify()
        return segment.sound

    def drop(self, task: str, *, breaks_off: bool = False) -> None:
        """Removes all queued segments of a task. A segment that is being computed is finished, or with `breaks_off` ends at its
        engine's next step.
        """
        with self._changed:
            dropped = self._queue.drop(task)
            for run in self._runs:
                run.is_wanted &= not breaks_off or any(queued.task != task for queued in run.taken)
        for queued in dropped:
            queued.sound.set_exception(Cancelled(_UNWANTED))

    def close(self) -> None:
        """Drops all waiting segments, and ends each thread after its current segments."""
        with self._changed:
            self._closing = True
            tasks = {queued.task for queued in self._queue.waiting}
            self._changed.notify_all()
        for task in tasks:
            self.drop(task)
        for thread in self._threads:
            thread.join()

    def _compute(self) -> None:
        while (run := self._take()) is not None:
            self._carry_out(run)

    def _carry_out(self, run: _Run) -> None:
        began_at = self._clock()
        spoken = self._speak(run)
        with self._changed:
            now = self._clock()
            self._queue.done(run.taken, spoken, now - began_at - run.away_seconds, now)
            self._runs.remove(run)
            self._n_newcomers -= run.is_for_newcomer
            run.is_for_newcomer = False
            self._n_busy_threads -= run.n_threads
            self._end_alone(run)

    def _take(self) -> _Run | None:
        """Waits for segments, and returns those to speak next, in one call; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or any(queued.task != self._alone for queued in self._queue.waiting))
            if not self._queue.waiting:
                return None
            taken = self._queue.take(self._clock())
            is_alone = not self._runs and all(queued.task == taken[0].task for queued in self._queue.waiting)
            return self._begin_run(taken, is_alone=is_alone)

    def _take_newcomer(self) -> _Run | None:
        """Returns a newcomer's segment if it is next."""
        with self._changed:
            if self._closing or self._alone is not None or not (taken := self._queue.take_newcomer(self._clock())):
                return None
            # The threads that speak other segments stop at their next step.
            is_alone = not self._n_newcomers and not any(_is_newcomer(queued) for queued in self._queue.waiting)
            return self._begin_run(taken, is_alone=is_alone)

    def _begin_run(self, taken: list[QueuedSegment], *, is_alone: bool) -> _Run:
        """A newcomer that `is_alone` gets all threads."""
        run = _Run(taken, 1)
        if is_alone and run.is_for_newcomer and len(taken) == 1 and len(self._threads) > 1:
            self._alone = taken[0].task
            run.n_threads = len(self._threads)
        self._runs.append(run)
        self._n_newcomers += run.is_for_newcomer
        self._n_busy_threads += run.n_threads
        return run

    def _give_way(self, run: _Run) -> None:
        """Speaks newcomers' segments in this thread. While a newcomer has all threads, this one stops.

        Raises Cancelled if nobody wants the run any more.
        """
        if not run.is_wanted:
            raise Cancelled(_UNWANTED)
        if run.is_for_newcomer:
            return
        stopped_at = self._clock()
        with self._changed:
            self._changed.wait_for(lambda: self._alone is None or self._closing)
        while (newcomer := self._take_newcomer()) is not None:
            self._carry_out(newcomer)
        run.away_seconds += self._clock() - stopped_at

    def _begin_sound(self, run: _Run, queued: QueuedSegment, waveform: Waveform) -> None:
        """Gives the listener the beginning of a segment. From then on newcomers may go first, and the other threads go on."""
        queued.on_beginning(waveform)
        with self._changed:
            self._queue.begun(queued, self._clock())
            self._n_newcomers -= run.is_for_newcomer
            run.is_for_newcomer = False
            self._end_alone(run)

    def _end_alone(self, run: _Run) -> None:
        """Lets the other threads go on, if they stopped for this run."""
        if self._alone == run.taken[0].task:
            self._alone = None
            self._changed.notify_all()

    def _speak(self, run: _Run) -> list[QueuedSegment]:
        """Sets the future of each segment. Returns the segments that an engine has spoken."""
        wanted = [queued for queued in run.taken if queued.sound.set_running_or_notify_cancel() and _begin(queued)]
        if not wanted:
            return []
        error = self._synthesize(wanted, run)
        # One invalid voice must not fail the segments that are spoken with it.
        if isinstance(error, OutOfMemory | InvalidRequest) and len(wanted) > 1:
            log.warning("tried_alone", engine=wanted[0].engine.name, n_turns=len(wanted))
            outcomes = [(queued, self._synthesize([queued], run)) for queued in wanted]
        else:
            outcomes = [(queued, error) for queued in wanted]
        for queued, failure in outcomes:
            if failure is not None:
                queued.sound.set_exception(failure)
        return [queued for queued, failure in outcomes if failure is None]

    def _synthesize(self, wanted: Sequence[QueuedSegment], run: _Run) -> KoeError | None:
        """Speaks the segments and sets their futures. If the engine fails, sets no future and returns the error."""
        engine = wanted[0].engine
        began_at, away_before = self._clock(), run.away_seconds
        turn = Turn(
            n_threads=run.n_threads,
            give_way=partial(self._give_way, run),
            on_beginning=partial(self._begin_sound, run, wanted[0]),
        )
        try:
            waveforms = engine.synthesize([queued.segment for queued in wanted], turn)
            spoken = list(zip(wanted, waveforms, strict=True))
        except KoeError as error:
            return error
        except Exception as error:  # noqa: BLE001 - third party: an engine may raise anything; the waiting slots get EngineFailed
            n_phonemes = [queued.segment.n_phonemes for queued in wanted]
            log.error("engine_failed", engine=engine.name, n_phonemes=n_phonemes, **describe(error))
            return EngineFailed()
        seconds = [len(waveform.samples) / SAMPLE_RATE_HZ for waveform in waveforms]
        away_seconds = run.away_seconds - away_before
        self._measures.record_synthesis(engine.name, self._clock() - began_at - away_seconds, seconds)
        for queued, waveform in spoken:
            _finish(queued, waveform)
        return None


def _is_newcomer(queued: QueuedSegment) -> bool:
    """Whether its listener has no audio yet."""
    return queued.is_first and queued.queue_name is QueueName.INTERACTIVE


def _begin(queued: QueuedSegment) -> bool:
    """Returns whether the engine must speak the segment. If not, its future is set."""
    try:
        found = queued.on_begin()
    except Exception as error:  # noqa: BLE001 - border of a thread: raised in the slot that waits
        queued.sound.set_exception(error)
        return False
    if found is not None:
        queued.sound.set_result(found)
    return found is None


def _finish(queued: QueuedSegment, waveform: Waveform) -> None:
    try:
        queued.sound.set_result(queued.on_done(waveform))
    except Exception as error:  # noqa: BLE001 - border of a thread: raised in the slot that waits
        queued.sound.set_exception(error)
