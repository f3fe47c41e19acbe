"""Which segment is spoken next: the one whose listener runs dry first.

Why deadlines: a listener who waits in silence is worse off than one with ten seconds in hand, whoever came first. So the
segments in line stand in groups, and no priority needs to interrupt anything, for a turn lasts one segment:

1. New: first segments, whose listeners have heard nothing. However many long texts are being read, the next turn is theirs.
2. Endangered: segments of playing streams that might come too late if only every other turn went to such streams from now on,
   and all that are due before them. How long a segment will take is foretold from its length and from what its engine has
   lately taken for a second of audio; each turn between is reckoned as long as the longest in line.
3. Playing: their listeners have enough in hand. What follows a first segment that is still to be spoken is one of these,
   whatever its deadline, since nobody listens yet; when the first has been spoken, what follows is due no earlier than its end.
4. Batch: it has no listener and fills the gaps.

Two rules see to it that no group waits for ever. When an endangered segment has been passed over, the next turn is for the
endangered: while listeners come and streams are in danger, they alternate. When a batch segment has waited for `AGING_SECONDS`,
batch goes before all others, though in one turn of `TURNS_PER_AGED` at most. So the new are passed over for three turns on end
at most, the endangered for one, and batch, once one of its segments has waited for so long, for four.

Why callers, within a group, come before deadlines: fifty first segments of one caller are all due before the only one of
another. So the turn is the caller's who has had the least of the machine lately, and among that caller's segments the one with
the nearest deadline (of batch: the longest wait) is taken. It is start-time fair queueing: each lane has an account for each
caller, in compute seconds, to which a turn adds what it is foretold to take. Whoever comes begins with the least of those who
wait, so that nobody saves up credit; nobody falls behind by more than `LATELY_SECONDS`; and whoever has nothing in line is
forgotten once the others have had as much. Without keys all are one caller, and deadlines alone decide.

Why a first segment may have all threads: while nobody else wants anything, the others could only speak what follows it, which
is wanted later. So they are lent to it, until somebody else's segment comes.

The policy `fifo` knows none of the groups: one request is spoken to its end before the next.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from enum import IntEnum
from typing import Final, Literal

import structlog

from app.core.errors import Cancelled, EngineFailed, KoeError, OutOfMemory
from app.core.logs import describe
from app.core.queue.broker import Lane
from workers.engines.base import Engine, Segment, Waveform
from workers.synthesis.audio import Sound

log: Final = structlog.get_logger()

AGING_SECONDS: Final = 10.0
"""Wait of a batch segment after which batch goes before all others."""

TURNS_PER_AGED: Final = 4
"""Batch has at most one turn in so many while others wait: this moves every job, and a machine that keeps up with its listeners
can spare a quarter."""

LATELY_SECONDS: Final = 10.0
"""The most compute that one caller can be ahead of another. More comes together while one caller's streams wait with much in
hand and another has the machine for its new listeners; it must not keep those waiting for as long again."""

FIRST_PACE: Final = 0.25
"""Compute seconds for a second of audio, until an engine has been measured: that of a slow machine, which is the safe side."""

PACE_MEMORY: Final = 0.9
"""What a measurement still counts for after the next one: the pace is that of the last ten turns or so."""

Policy = Literal["deadline", "fifo"]


class Turn:
    """One segment in line."""

    def __init__(
        self,
        segment: Segment,
        engine: Engine,
        *,
        owner: str,
        lane: Lane,
        deadline: float,
        caller: str = "",
        arrived_at: float | None = None,
        is_first: bool = True,
        on_begin: Callable[[], Sound | None] = lambda: None,
        on_done: Callable[[Waveform], Sound],
    ) -> None:
        self.segment = segment
        self.engine = engine
        self.owner = owner
        """Whose segment it is: all of an owner's turns are dropped together."""
        self.caller = caller
        """Whose share of the machine it takes."""
        self.lane = lane
        self.deadline = deadline
        """When its listener runs dry, on the clock of `time.monotonic`. It may be set anew while the turn is in line."""
        self.arrived_at = deadline if arrived_at is None else arrived_at
        """When its utterance was begun, on the same clock."""
        self.is_first = is_first
        """Whether its listener has heard nothing yet."""
        self.on_begin = on_begin
        """Called in the compute thread before the engine is; what it raises is the turn's end, and so is a sound that it has
        found.
        """
        self.on_done = on_done
        """Called in the compute thread with the waveform; what it returns is the turn's result, what it raises its end."""
        self.queued_at = 0.0
        """When it was put in line, on the same clock: the scheduler writes it."""
        self.sound: Future[Sound] = Future()


class Scheduler:
    """The line of segments and the compute threads that serve it."""

    def __init__(self, *, n_threads: int, policy: Policy = "deadline", clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._line = _Line() if policy == "fifo" else _FairLine(n_threads)
        self._changed = threading.Condition()
        self._closing = False
        self._n_computing = 0
        self._alone: str | None = None
        """The owner whose first segment is being spoken by all threads together."""
        self._threads = [threading.Thread(target=self._compute, name=f"compute-{n}", daemon=True) for n in range(n_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def n_waiting(self) -> int:
        """Segments in line that nobody computes yet."""
        return len(self._line.turns)

    def submit(self, turn: Turn) -> Future[Sound]:
        """Puts a segment in line. The future gets its sound, EngineFailed (OutOfMemory), or Cancelled when it was dropped."""
        with self._changed:
            if self._closing:
                raise Cancelled("The worker is shutting down.")
            turn.queued_at = self._clock()
            self._line.add(turn)
            self._changed.notify()
        return turn.sound

    def drop(self, owner: str) -> None:
        """Takes all of an owner's segments out of line; one that is being computed is left to finish."""
        with self._changed:
            turns = self._line.drop(owner)
        for turn in turns:
            turn.sound.set_exception(Cancelled("The utterance is not wanted any more."))

    def close(self) -> None:
        """Drops what waits and ends the threads once they have finished what they compute."""
        with self._changed:
            self._closing = True
            owners = {turn.owner for turn in self._line.turns}
            self._changed.notify_all()
        for owner in owners:
            self.drop(owner)
        for thread in self._threads:
            thread.join()

    def _compute(self) -> None:
        while (taken := self._take()) is not None:
            turns, n_threads = taken
            began_at = self._clock()
            spoken = _speak(turns, n_threads)
            with self._changed:
                now = self._clock()
                self._line.done(turns, spoken, now - began_at, now)
                self._n_computing -= 1
                if n_threads > 1:
                    self._alone = None
                    self._changed.notify_all()

    def _take(self) -> tuple[list[Turn], int] | None:
        """The next turn, with as many of the same engine behind it as that engine likes at once, and how many threads it may
        have; None at the end.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closing or any(turn.owner != self._alone for turn in self._line.turns))
            if not self._line.turns:
                return None
            turns = self._line.take(self._clock())
            n_threads = self._n_threads_for(turns)
            self._n_computing += 1
            return turns, n_threads

    def _n_threads_for(self, turns: Sequence[Turn]) -> int:
        """One, or all that are idle for a first segment that nobody else's stands beside; they are then lent."""
        first = turns[0]
        is_alone = len(turns) == 1 and not self._n_computing and all(turn.owner == first.owner for turn in self._line.turns)
        if not (is_alone and first.is_first and first.lane is Lane.INTERACTIVE and len(self._threads) > 1):
            return 1
        self._alone = first.owner
        return len(self._threads)


class _Line:
    """The turns that wait: one request is spoken to its end before the next."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        """As they came; `min` and `sorted` keep to it among equals."""

    def add(self, turn: Turn) -> None:
        """Puts it at the end."""
        self.turns.append(turn)

    def drop(self, owner: str) -> list[Turn]:
        """Takes an owner's turns out."""
        dropped = [turn for turn in self.turns if turn.owner == owner]
        self.turns = [turn for turn in self.turns if turn.owner != owner]
        return dropped

    def take(self, now: float) -> list[Turn]:
        """Takes out those that are spoken next, together; there is at least one."""
        in_order = sorted(self.turns, key=lambda turn: turn.arrived_at)
        engine = in_order[0].engine
        taken = [turn for turn in in_order if turn.engine is engine][: engine.batch_size]
        for turn in taken:
            self.turns.remove(turn)
        return taken

    def done(self, turns: Sequence[Turn], spoken: Sequence[Turn], seconds: float, now: float) -> None:
        """Of the turns that were taken together, these have been spoken, in so many seconds of compute."""


class _Group(IntEnum):
    """Who goes before whom, two rules aside."""

    NEW = 1
    ENDANGERED = 2
    PLAYING = 3
    BATCH = 4


_Groups = dict[_Group, list[Turn]]


class _FairLine(_Line):
    """The turns that wait, in the order that the module's docstring tells."""

    def __init__(self, n_threads: int) -> None:
        super().__init__()
        self._n_threads = n_threads
        self._paces = _Paces()
        self._shares = {lane: _Shares() for lane in Lane}
        self._unheard: set[str] = set()
        """Owners whose first segment is in line or being spoken."""
        self._passed_over = False
        """Whether an endangered turn had to wait when the last was taken."""
        self._n_since_batch = TURNS_PER_AGED
        """Turns since the last that was batch's, itself counted."""

    def add(self, turn: Turn) -> None:
        super().add(turn)
        self._shares[turn.lane].enter(turn.caller)
        if turn.is_first:
            self._unheard.add(turn.owner)

    def drop(self, owner: str) -> list[Turn]:
        dropped = super().drop(owner)
        self._unhear(dropped)
        self._forget_idle()
        return dropped

    def take(self, now: float) -> list[Turn]:
        groups = self._groups(now)
        self._passed_over &= bool(groups[_Group.ENDANGERED])
        taken = [self._next(groups, now)]
        engine = taken[0].engine
        alike = {group: [turn for turn in turns if turn.engine is engine] for group, turns in groups.items()}
        while len(taken) < engine.batch_size and any(alike.values()):
            taken.append(self._next(alike, now))
        self._forget_idle()
        return taken

    def done(self, turns: Sequence[Turn], spoken: Sequence[Turn], seconds: float, now: float) -> None:
        self._unhear(turns)
        self._paces.measure(spoken, seconds)
        for turn in spoken:
            if turn.is_first and not turn.sound.exception():
                self._postpone(turn.owner, now + turn.sound.result().seconds)

    def _next(self, groups: _Groups, now: float) -> Turn:
        """Takes out one of `groups`, which are not all empty."""
        group = self._turn_of(groups, now)
        turn = min(groups[group], key=self._place)
        groups[group].remove(turn)
        self.turns.remove(turn)
        self._shares[turn.lane].charge(turn.caller, self._paces.seconds(turn))
        self._passed_over = group is not _Group.ENDANGERED and (self._passed_over or bool(groups[_Group.ENDANGERED]))
        self._n_since_batch = 1 if group is _Group.BATCH else self._n_since_batch + 1
        return turn

    def _turn_of(self, groups: _Groups, now: float) -> _Group:
        if self._passed_over and groups[_Group.ENDANGERED]:
            return _Group.ENDANGERED
        if self._n_since_batch >= TURNS_PER_AGED and any(now - turn.queued_at > AGING_SECONDS for turn in groups[_Group.BATCH]):
            return _Group.BATCH
        return next(group for group in _Group if groups[group])

    def _place(self, turn: Turn) -> tuple[float, float]:
        """Sorts the turns of one group."""
        due = turn.queued_at if turn.lane is Lane.BATCH else turn.deadline
        return self._shares[turn.lane].had(turn.caller), due

    def _groups(self, now: float) -> _Groups:
        endangered = self._endangered(now)
        groups: _Groups = {group: [] for group in _Group}
        for turn in self.turns:
            groups[_Group.ENDANGERED if turn in endangered else _group(turn)].append(turn)
        return groups

    def _endangered(self, now: float) -> set[Turn]:
        """Those that might come too late if every other turn went to others, and those that are due before them."""
        playing = [turn for turn in self.turns if _group(turn) is _Group.PLAYING and turn.owner not in self._unheard]
        playing.sort(key=lambda turn: turn.deadline)
        between_seconds = max((self._paces.seconds(turn) for turn in self.turns), default=0.0)
        ready_at, n_endangered = now + between_seconds, 0
        for n_turns, turn in enumerate(playing, 1):
            seconds = self._paces.seconds(turn)
            ready_at += (seconds + between_seconds) / self._n_threads
            if turn.deadline < ready_at + seconds * turn.engine.batch_size:
                n_endangered = n_turns
        return set(playing[:n_endangered])

    def _postpone(self, owner: str, due: float) -> None:
        """What follows a first segment was dated as if that had been spoken at once."""
        for turn in self.turns:
            if turn.owner == owner:
                turn.deadline = max(turn.deadline, due)
                due += turn.segment.expected_seconds

    def _unhear(self, gone: Iterable[Turn]) -> None:
        self._unheard -= {turn.owner for turn in gone if turn.is_first}

    def _forget_idle(self) -> None:
        for lane, shares in self._shares.items():
            shares.forget_all_but({turn.caller for turn in self.turns if turn.lane is lane})


def _group(turn: Turn) -> _Group:
    """Where a turn stands that is not endangered."""
    if turn.lane is Lane.BATCH:
        return _Group.BATCH
    return _Group.NEW if turn.is_first else _Group.PLAYING


class _Paces:
    """What each engine has lately taken for a second of audio."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}
        """Seconds of compute and of audio, by the engine's name."""

    def seconds(self, turn: Turn) -> float:
        """Compute seconds that the turn is likely to take."""
        compute_seconds, audio_seconds = self._sums.get(turn.engine.name, (FIRST_PACE, 1.0))
        return turn.segment.expected_seconds * compute_seconds / audio_seconds

    def measure(self, turns: Sequence[Turn], seconds: float) -> None:
        """Learns that these turns, all of one engine, took so many seconds together."""
        if not turns:
            return
        compute_seconds, audio_seconds = self._sums.get(turns[0].engine.name, (FIRST_PACE, 1.0))
        self._sums[turns[0].engine.name] = (
            PACE_MEMORY * compute_seconds + seconds,
            PACE_MEMORY * audio_seconds + sum(turn.segment.expected_seconds for turn in turns),
        )


class _Shares:
    """Seconds of compute that each caller in line has had of one lane, counted from where it came in."""

    def __init__(self) -> None:
        self._had: dict[str, float] = {}

    def enter(self, caller: str) -> None:
        """Somebody new begins with the least that anybody in line has had."""
        self._had.setdefault(caller, min(self._had.values(), default=0.0))

    def had(self, caller: str) -> float:
        """Of two callers in line the one with less goes first."""
        return self._had[caller]

    def charge(self, caller: str, seconds: float) -> None:
        """Gives so much of the machine to a caller in line."""
        self._had[caller] += seconds
        least = self._had[caller] - LATELY_SECONDS
        self._had = {each: max(had, least) for each, had in self._had.items()}

    def forget_all_but(self, callers: set[str]) -> None:
        """Only `callers` are left in line. Of the others those are kept who have had more than the least of `callers`."""
        least = min((self._had[caller] for caller in callers), default=float("inf"))
        self._had = {each: had for each, had in self._had.items() if each in callers or had > least}


def _speak(turns: Sequence[Turn], n_threads: int) -> list[Turn]:
    """Sees the turns to their end, by so many threads; those that the engine was asked for at last, or none where it failed."""
    wanted = [turn for turn in turns if turn.sound.set_running_or_notify_cancel() and _begin(turn)]
    if not wanted:
        return []
    error = _synthesize(wanted, n_threads)
    if isinstance(error, OutOfMemory) and len(wanted) > 1:
        log.warning("tried_alone", engine=wanted[0].engine.name, n_turns=len(wanted))
        alone = [(turn, _synthesize([turn], n_threads)) for turn in wanted]
    else:
        alone = [(turn, error) for turn in wanted]
    for turn, failure in alone:
        if failure is not None:
            turn.sound.set_exception(failure)
    return [turn for turn, failure in alone if failure is None]


def _synthesize(turns: Sequence[Turn], n_threads: int) -> KoeError | None:
    """Has the engine speak the turns and finishes them; what it raised, when it failed."""
    engine = turns[0].engine
    try:
        waveforms = engine.synthesize([turn.segment for turn in turns], n_threads=n_threads)
        spoken = list(zip(turns, waveforms, strict=True))
    except KoeError as error:
        return error
    except Exception as error:  # noqa: BLE001 - carried to the slots that wait, and the thread goes on
        n_phonemes = [turn.segment.n_phonemes for turn in turns]
        log.error("engine_failed", engine=engine.name, n_phonemes=n_phonemes, **describe(error))
        return EngineFailed()
    for turn, waveform in spoken:
        _finish(turn, waveform)
    return None


def _begin(turn: Turn) -> bool:
    """Whether the engine is to be asked."""
    try:
        found = turn.on_begin()
    except Exception as error:  # noqa: BLE001 - carried to the slot that waits
        turn.sound.set_exception(error)
        return False
    if found is not None:
        turn.sound.set_result(found)
    return found is None


def _finish(turn: Turn, waveform: Waveform) -> None:
    try:
        turn.sound.set_result(turn.on_done(waveform))
    except Exception as error:  # noqa: BLE001 - carried to the slot that waits
        turn.sound.set_exception(error)
