"""Which segment is spoken next: the one whose listener runs dry first.

Why deadlines: a listener who waits in silence is worse off than one with ten seconds in hand, whoever came first. A first
segment is due at once; every later one when the audio before it has been heard. So a new listener is heard within a segment's
time however many long texts are being read, and no priority needs to interrupt anything. Batch work has no listener: it fills
the gaps, and after `AGING_SECONDS` in line it goes before all others, once, so that it always moves.
"""

import itertools
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, Literal

import structlog

from app.core.broker import Lane
from app.core.errors import Cancelled, EngineFailed, KoeError
from app.core.logs import describe
from workers.engines.base import Engine, Segment, Waveform

log: Final = structlog.get_logger()

AGING_SECONDS: Final = 10.0
"""Longest that a batch segment is passed over."""

Policy = Literal["deadline", "fifo"]


class Turn:
    """One segment in line."""

    def __init__(
        self, segment: Segment, engine: Engine, *, owner: str, lane: Lane, deadline: float, arrived_at: float | None = None
    ) -> None:
        self.segment = segment
        self.engine = engine
        self.owner = owner
        """Who asked: all of an owner's turns are dropped together."""
        self.lane = lane
        self.deadline = deadline
        """When its listener runs dry, on the clock of `time.monotonic`."""
        self.arrived_at = deadline if arrived_at is None else arrived_at
        """When its utterance was begun, on the same clock."""
        self.queued_at = time.monotonic()
        self.waveform: Future[Waveform] = Future()


class Scheduler:
    """The line of segments and the compute threads that serve it."""

    def __init__(self, *, n_threads: int, policy: Policy = "deadline") -> None:
        self._policy = policy
        self._order = itertools.count()
        self._line: dict[int, Turn] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [threading.Thread(target=self._compute, name=f"compute-{n}", daemon=True) for n in range(n_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def n_waiting(self) -> int:
        """Segments in line that nobody computes yet."""
        return len(self._line)

    def submit(self, turn: Turn) -> Future[Waveform]:
        """Puts a segment in line. The future gets its waveform, EngineFailed, or Cancelled when it was dropped."""
        with self._changed:
            if self._closing:
                raise Cancelled("The worker is shutting down.")
            self._line[next(self._order)] = turn
            self._changed.notify()
        return turn.waveform

    def drop(self, owner: str) -> None:
        """Takes all of an owner's segments out of line; one that is being computed is left to finish."""
        with self._changed:
            dropped = [number for number, turn in self._line.items() if turn.owner == owner]
            turns = [self._line.pop(number) for number in dropped]
        for turn in turns:
            turn.waveform.set_exception(Cancelled("The utterance is not wanted any more."))

    def close(self) -> None:
        """Drops what waits and ends the threads once they have finished what they compute."""
        with self._changed:
            self._closing = True
            owners = {turn.owner for turn in self._line.values()}
            self._changed.notify_all()
        for owner in owners:
            self.drop(owner)
        for thread in self._threads:
            thread.join()

    def _compute(self) -> None:
        while (turns := self._take()) is not None:
            _speak(turns)

    def _take(self) -> list[Turn] | None:
        """The next turn, with as many of the same engine behind it as that engine likes at once; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._line or self._closing)
            if not self._line:
                return None
            now = time.monotonic()
            numbers = sorted(self._line, key=lambda number: self._urgency(number, now))
            first = self._line[numbers[0]]
            alike = [number for number in numbers if self._line[number].engine is first.engine]
            return [self._line.pop(number) for number in alike[: first.engine.batch_size]]

    def _urgency(self, number: int, now: float) -> tuple[int, float, int]:
        """Sorts: aged batch segments, then interactive ones by deadline, then the other batch segments; else as they came.

        First-in-first-out is by utterance: one request is spoken to its end before the next.
        """
        turn = self._line[number]
        if self._policy == "fifo":
            return (1, turn.arrived_at, number)
        if turn.lane is Lane.INTERACTIVE:
            return (1, turn.deadline, number)
        has_aged = now - turn.queued_at > AGING_SECONDS
        return (0 if has_aged else 2, turn.queued_at, number)


def _speak(turns: Sequence[Turn]) -> None:
    wanted = [turn for turn in turns if turn.waveform.set_running_or_notify_cancel()]
    if not wanted:
        return
    try:
        waveforms = wanted[0].engine.synthesize([turn.segment for turn in wanted])
        spoken = list(zip(wanted, waveforms, strict=True))
    except KoeError as error:
        _fail(wanted, error)
    except Exception as error:  # noqa: BLE001 - carried to the slots that wait, and the thread goes on
        n_phonemes = [turn.segment.n_phonemes for turn in wanted]
        log.error("engine_failed", engine=wanted[0].engine.name, n_phonemes=n_phonemes, **describe(error))
        _fail(wanted, EngineFailed())
    else:
        for turn, waveform in spoken:
            turn.waveform.set_result(waveform)


def _fail(turns: Sequence[Turn], error: KoeError) -> None:
    for turn in turns:
        turn.waveform.set_exception(error)
