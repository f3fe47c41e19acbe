"""Which segment is spoken next: the one whose listener runs out of audio first, with fair shares for owners.

Why deadlines: a listener who waits in silence is worse off than one with ten seconds in hand, whoever came first. Nothing has
to be interrupted, because a segment takes the machine only for a moment. Waiting segments belong to four groups, and the first
group that is not empty is served:

1. New: first segments. Their listeners have heard nothing, so they are served next, however many long texts are being read.
2. Endangered: segments of playing streams that might come too late if only every other segment were theirs from now on, and
   all segments that are due before those. The compute time of a segment is estimated from its length and from what its engine
   recently needed for a second of audio; a segment of another group is reckoned to take as long as the longest that waits.
3. Playing: their listeners have enough in hand. A segment that follows a first segment not yet spoken is also here, whatever
   its deadline, since nobody listens yet; when the first segment is spoken, the next one is due no earlier than its end.
4. Batch: nobody listens; it fills the gaps.

Two rules keep every group moving. If an endangered segment was passed over, the next one taken is endangered: while new
listeners come and streams are in danger, the two alternate. If a batch segment has waited for `AGING_SECONDS`, batch goes
first, but only once in `AGED_INTERVAL` segments. So the new are passed over at most three times in a row, the endangered once,
and batch that has waited so long four times.

Why owners come before deadlines within a group: fifty first segments of one owner are all due before the only one of another.
So the owner who recently used the machine least is served, and of that owner's segments the one with the nearest deadline (in
batch: the longest wait). This is start-time fair queueing: each queue keeps a virtual time per owner, in compute seconds, and a
segment advances it by its estimated compute time. A newcomer starts at the lowest virtual time of those who wait, so nobody
saves up credit; nobody is ahead of another by more than `MAX_LEAD_SECONDS`; and an owner with nothing left to speak is
forgotten once the others have caught up. Without API keys all work has one owner, and deadlines alone decide.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from enum import IntEnum
from typing import Final

from app.core.queue.broker import QueueName
from workers.engines.base import Engine, Segment, Waveform
from workers.synthesis.audio import Sound

AGING_SECONDS: Final = 10.0
"""A batch segment that has waited for longer makes batch go first."""

AGED_INTERVAL: Final = 4
"""While others wait, at most one of so many segments is batch: every job moves, and a machine that keeps up with its listeners
can spare a quarter.
"""

MAX_LEAD_SECONDS: Final = 10.0
"""An owner can be ahead of another by this much compute. The lead grows further only where one owner's streams wait with much
audio in hand while another's new listeners use the machine, and those must not then wait for as long again.
"""

FIRST_PACE: Final = 0.25
"""Compute seconds per second of audio, until an engine has been measured: those of a slow machine, to be on the safe side."""

PACE_MEMORY: Final = 0.9
"""Weight of the old measurements when a new one is added: the pace is that of about the last ten."""


class QueuedSegment:
    """One segment that waits to be spoken."""

    def __init__(
        self,
        segment: Segment,
        engine: Engine,
        *,
        task: str,
        queue_name: QueueName,
        deadline: float,
        owner: str = "",
        arrived_at: float | None = None,
        is_first: bool = True,
        on_begin: Callable[[], Sound | None] = lambda: None,
        on_done: Callable[[Waveform], Sound],
    ) -> None:
        self.segment = segment
        self.engine = engine
        self.task = task
        """Name of the task that it is a part of: the segments of a task are dropped together."""
        self.owner = owner
        """Whose share of the machine it takes."""
        self.queue_name = queue_name
        self.deadline = deadline
        """When its listener runs out of audio, by `time.monotonic`. It may be changed while the segment waits."""
        self.arrived_at = deadline if arrived_at is None else arrived_at
        """When its utterance was begun, by the same clock."""
        self.is_first = is_first
        """Whether its listener has heard nothing yet."""
        self.on_begin = on_begin
        """Called in the compute thread before the engine. A sound that it returns is the result, and the engine is not called;
        an exception that it raises is the outcome.
        """
        self.on_done = on_done
        """Called in the compute thread with the waveform. What it returns is the result; an exception is the outcome."""
        self.queued_at = 0.0
        """When it was queued, by the same clock; written by the scheduler."""
        self.sound: Future[Sound] = Future()


class FifoQueue:
    """Segments that wait: one request is spoken to its end before the next. Locked by the scheduler."""

    def __init__(self) -> None:
        self.waiting: list[QueuedSegment] = []
        """In order of arrival, which `min` and `sorted` keep among equals."""

    def add(self, one: QueuedSegment) -> None:
        """Appends a segment."""
        self.waiting.append(one)

    def drop(self, task: str) -> list[QueuedSegment]:
        """Removes the segments of a task and returns them."""
        dropped = [one for one in self.waiting if one.task == task]
        self.waiting = [one for one in self.waiting if one.task != task]
        return dropped

    def take(self, now: float) -> list[QueuedSegment]:
        """Removes and returns the segments to speak next, together: all of one engine, as many as it takes at once. At least
        one segment must wait.
        """
        in_order = sorted(self.waiting, key=lambda one: one.arrived_at)
        engine = in_order[0].engine
        taken = [one for one in in_order if one.engine is engine][: engine.batch_size]
        for one in taken:
            self.waiting.remove(one)
        return taken

    def done(self, taken: Sequence[QueuedSegment], spoken: Sequence[QueuedSegment], seconds: float, now: float) -> None:
        """Segments were `taken` together; those that an engine has `spoken` took `seconds` of compute."""


class _Group(IntEnum):
    """Which segments go first, the two rules aside."""

    NEW = 1
    ENDANGERED = 2
    PLAYING = 3
    BATCH = 4


_Groups = dict[_Group, list[QueuedSegment]]


class FairQueue(FifoQueue):
    """Segments that wait, taken in the order that the module's docstring describes."""

    def __init__(self, n_threads: int) -> None:
        """`n_threads` speak at the same time."""
        super().__init__()
        self._n_threads = n_threads
        self._paces = _Paces()
        self._virtual_times = {queue_name: _VirtualTimes() for queue_name in QueueName}
        self._without_audio: set[str] = set()
        """Tasks whose first segment waits or is being spoken."""
        self._passed_over = False
        """Whether an endangered segment had to wait when the last one was taken."""
        self._n_since_batch = AGED_INTERVAL
        """Segments taken since the last batch segment, that one included."""

    def add(self, one: QueuedSegment) -> None:
        """Appends a segment; a new owner's virtual time starts."""
        super().add(one)
        self._virtual_times[one.queue_name].enter(one.owner)
        if one.is_first:
            self._without_audio.add(one.task)

    def drop(self, task: str) -> list[QueuedSegment]:
        """Removes the segments of a task and returns them."""
        dropped = super().drop(task)
        self._first_gone(dropped)
        self._forget_absent()
        return dropped

    def take(self, now: float) -> list[QueuedSegment]:
        """Removes and returns the segments to speak next, together, as FifoQueue does."""
        groups = self._groups(now)
        self._passed_over &= bool(groups[_Group.ENDANGERED])
        taken = [self._next(groups, now)]
        engine = taken[0].engine
        alike = {group: [one for one in members if one.engine is engine] for group, members in groups.items()}
        while len(taken) < engine.batch_size and any(alike.values()):
            taken.append(self._next(alike, now))
        self._forget_absent()
        return taken

    def done(self, taken: Sequence[QueuedSegment], spoken: Sequence[QueuedSegment], seconds: float, now: float) -> None:
        """Learns the engine's pace, and when the listeners of first segments need the next one."""
        self._first_gone(taken)
        self._paces.measure(spoken, seconds)
        for one in spoken:
            if one.is_first and not one.sound.exception():
                self._postpone(one.task, now + one.sound.result().seconds)

    def _next(self, groups: _Groups, now: float) -> QueuedSegment:
        """Removes and returns one segment of `groups`, which are not all empty."""
        group = self._group_to_serve(groups, now)
        one = min(groups[group], key=self._place)
        groups[group].remove(one)
        self.waiting.remove(one)
        self._virtual_times[one.queue_name].advance(one.owner, self._paces.seconds(one))
        self._passed_over = group is not _Group.ENDANGERED and (self._passed_over or bool(groups[_Group.ENDANGERED]))
        self._n_since_batch = 1 if group is _Group.BATCH else self._n_since_batch + 1
        return one

    def _group_to_serve(self, groups: _Groups, now: float) -> _Group:
        if self._passed_over and groups[_Group.ENDANGERED]:
            return _Group.ENDANGERED
        if self._n_since_batch >= AGED_INTERVAL and any(now - one.queued_at > AGING_SECONDS for one in groups[_Group.BATCH]):
            return _Group.BATCH
        return next(group for group in _Group if groups[group])

    def _place(self, one: QueuedSegment) -> tuple[float, float]:
        """Sorts the segments of one group."""
        due = one.queued_at if one.queue_name is QueueName.BATCH else one.deadline
        return self._virtual_times[one.queue_name].of(one.owner), due

    def _groups(self, now: float) -> _Groups:
        endangered = self._endangered(now)
        groups: _Groups = {group: [] for group in _Group}
        for one in self.waiting:
            groups[_Group.ENDANGERED if one in endangered else _group(one)].append(one)
        return groups

    def _endangered(self, now: float) -> set[QueuedSegment]:
        """Segments that might come too late if every other segment were somebody else's, and those that are due before them."""
        playing = [one for one in self.waiting if _group(one) is _Group.PLAYING and one.task not in self._without_audio]
        playing.sort(key=lambda one: one.deadline)
        between_seconds = max((self._paces.seconds(one) for one in self.waiting), default=0.0)
        ready_at, n_endangered = now + between_seconds, 0
        for number, one in enumerate(playing, 1):
            seconds = self._paces.seconds(one)
            ready_at += (seconds + between_seconds) / self._n_threads
            if one.deadline < ready_at + seconds * one.engine.batch_size:
                n_endangered = number
        return set(playing[:n_endangered])

    def _postpone(self, task: str, due: float) -> None:
        """Moves the deadlines of what follows a first segment: they assumed that it would be spoken at once."""
        for one in self.waiting:
            if one.task == task:
                one.deadline = max(one.deadline, due)
                due += one.segment.expected_seconds

    def _first_gone(self, gone: Iterable[QueuedSegment]) -> None:
        self._without_audio -= {one.task for one in gone if one.is_first}

    def _forget_absent(self) -> None:
        for queue_name, virtual_times in self._virtual_times.items():
            virtual_times.forget_absent({one.owner for one in self.waiting if one.queue_name is queue_name})


def _group(one: QueuedSegment) -> _Group:
    """The group of a segment that is not endangered."""
    if one.queue_name is QueueName.BATCH:
        return _Group.BATCH
    return _Group.NEW if one.is_first else _Group.PLAYING


class _Paces:
    """What each engine recently needed for a second of audio."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}
        """Seconds of compute and of audio, by the engine's name."""

    def seconds(self, one: QueuedSegment) -> float:
        """Estimated compute seconds of a segment."""
        compute_seconds, audio_seconds = self._sums.get(one.engine.name, (FIRST_PACE, 1.0))
        return one.segment.expected_seconds * compute_seconds / audio_seconds

    def measure(self, spoken: Sequence[QueuedSegment], seconds: float) -> None:
        """Learns that these segments, all of one engine, took `seconds` together."""
        if not spoken:
            return
        compute_seconds, audio_seconds = self._sums.get(spoken[0].engine.name, (FIRST_PACE, 1.0))
        self._sums[spoken[0].engine.name] = (
            PACE_MEMORY * compute_seconds + seconds,
            PACE_MEMORY * audio_seconds + sum(one.segment.expected_seconds for one in spoken),
        )


class _VirtualTimes:
    """The virtual time of each owner in one queue: compute seconds used, counted from where the owner came in."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}

    def enter(self, owner: str) -> None:
        """A new owner starts at the lowest virtual time."""
        self._times.setdefault(owner, min(self._times.values(), default=0.0))

    def of(self, owner: str) -> float:
        """The owner with the lower virtual time goes first."""
        return self._times[owner]

    def advance(self, owner: str, seconds: float) -> None:
        """Adds compute seconds to an owner."""
        self._times[owner] += seconds
        least = self._times[owner] - MAX_LEAD_SECONDS
        self._times = {each: max(time, least) for each, time in self._times.items()}

    def forget_absent(self, owners: set[str]) -> None:
        """Only `owners` still have work here. An absent owner is kept while ahead of the lowest of them."""
        least = min((self._times[owner] for owner in owners), default=float("inf"))
        self._times = {each: time for each, time in self._times.items() if each in owners or time > least}
