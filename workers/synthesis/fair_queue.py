"""Chooses the segment that is spoken next: the one whose listener runs out of audio first, with fair shares for owners.

Why deadlines: a listener who waits in silence is worse off than one with ten seconds of audio left, even if the latter came
first. No segment must be interrupted, because each one needs the machine only for a moment. Waiting segments belong to four
groups, and the first group that is not empty is served:

1. New: first segments. Their listeners have no audio yet, so they are served next, however many long texts are spoken.
2. Endangered: segments of playing streams that might come too late if only every second segment came from this group, and all
   segments that are due before those. The compute time of a segment is estimated from its length and from the recent compute
   time of its engine per second of audio. Each segment of another group is assumed to take as long as the longest waiting one.
3. Playing: their listeners have enough audio. A segment after a first segment that is not yet spoken is also in this group,
   whatever its deadline, since nobody listens yet. When the first segment is spoken, the next is due no earlier than its end.
4. Batch: nobody listens. These segments fill the gaps.

Two rules ensure that every group progresses. If an endangered segment was passed over, the next segment taken is endangered:
while new listeners come and streams are in danger, the two groups alternate. A segment that was interrupted for a new one
counts when it was computed for as long as the new one took: then the next new one may interrupt it. If a batch segment has
waited for longer than `AGING_SECONDS`, batch goes first, but with at most one of `AGED_INTERVAL` segments. So new segments are
passed over at most three times in a row, endangered ones once, and batch segments that have waited this long four times.

Why owners come before deadlines within a group: fifty first segments of one owner are all due before the only one of another.
So the owner who recently used the machine least is served: of that owner's segments, the one with the nearest deadline (in
batch: with the longest wait). This is start-time fair queueing. Each queue has a virtual time for each owner, in compute
seconds, and a segment advances it by its estimated compute time. A new owner starts at the lowest virtual time of the waiting
owners, so nobody saves up credit. Nobody is ahead of another by more than `MAX_LEAD_SECONDS`. An owner without waiting segments
is forgotten when the others have caught up. Without API keys all segments have one owner, and deadlines alone decide.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from enum import IntEnum
from typing import Final

from app.core.queue.broker import QueueName
from workers.engines.base import Engine, Segment, Waveform
from workers.synthesis.audio import Sound

AGING_SECONDS: Final = 10.0
"""If a batch segment has waited for longer than this, batch goes first."""

AGED_INTERVAL: Final = 4
"""While others wait, at most one of this many segments is batch. So every job progresses, and a machine that keeps up with its
listeners can spare a quarter.
"""

MAX_LEAD_SECONDS: Final = 10.0
"""Most compute seconds by which an owner can be ahead of another. Without a limit, the lead would grow while one owner's
streams wait with much audio left and another owner's new listeners use the machine. The latter must not wait as long later.
"""

FIRST_PACE: Final = 0.25
"""Compute seconds per second of audio until an engine is measured: the value of a slow machine, to be on the safe side."""

PACE_MEMORY: Final = 0.9
"""Weight of the old measurements when a new one is added: about the last ten determine the pace."""


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
        on_beginning: Callable[[Waveform], None] = lambda waveform: None,
        on_done: Callable[[Waveform], Sound],
    ) -> None:
        self.segment = segment
        self.engine = engine
        self.task = task
        """Name of its task: all segments of a task are dropped together."""
        self.owner = owner
        """Owner whose share of the machine it uses."""
        self.queue_name = queue_name
        self.deadline = deadline
        """Time at which its listener runs out of audio, by `time.monotonic`. It may be changed while the segment waits."""
        self.arrived_at = deadline if arrived_at is None else arrived_at
        """Time at which its utterance was begun, by the same clock."""
        self.is_first = is_first
        """Whether its listener has no audio yet."""
        self.on_begin = on_begin
        """Called in the compute thread before the engine. If it returns a sound, this is the result, and the engine is not
        called. If it raises an exception, the future gets it.
        """
        self.on_beginning = on_beginning
        """Called in the compute thread with the beginning of the waveform, perhaps several times, before `on_done`."""
        self.on_done = on_done
        """Called in the compute thread with the waveform. The future gets the sound that it returns, or its exception."""
        self.queued_at = 0.0
        """Time at which it was queued, by the same clock; the scheduler sets it."""
        self.sound: Future[Sound] = Future()


class FifoQueue:
    """Waiting segments: one request is spoken to its end before the next. Not thread-safe: the scheduler has a lock."""

    def __init__(self) -> None:
        self.waiting: list[QueuedSegment] = []
        """Segments in order of arrival. `min` and `sorted` keep this order among equals."""

    def add(self, queued: QueuedSegment) -> None:
        """Appends a segment."""
        self.waiting.append(queued)

    def drop(self, task: str) -> list[QueuedSegment]:
        """Removes the segments of a task and returns them."""
        dropped = [queued for queued in self.waiting if queued.task == task]
        self.waiting = [queued for queued in self.waiting if queued.task != task]
        return dropped

    def take(self, now: float) -> list[QueuedSegment]:
        """Removes and returns the segments to speak next, in one call: all of one engine, at most its `batch_size`. At least
        one segment must wait.
        """
        in_order = sorted(self.waiting, key=lambda queued: queued.arrived_at)
        engine = in_order[0].engine
        taken = [queued for queued in in_order if queued.engine is engine][: engine.batch_size]
        for queued in taken:
            self.waiting.remove(queued)
        return taken

    def take_newcomer(self, now: float) -> list[QueuedSegment]:
        """Removes and returns segments for which one that is being computed should be interrupted; perhaps none."""
        return []

    def begun(self, queued: QueuedSegment, now: float) -> None:
        """Called when the listener has the beginning of a segment that is still being spoken."""

    def done(self, taken: Sequence[QueuedSegment], spoken: Sequence[QueuedSegment], seconds: float, now: float) -> None:
        """Called when the segments `taken` together are done. `spoken`: those that an engine spoke, in `seconds` of compute."""


class _Group(IntEnum):
    """Groups in the order in which they are served, apart from the two rules."""

    NEW = 1
    ENDANGERED = 2
    PLAYING = 3
    BATCH = 4


_Groups = dict[_Group, list[QueuedSegment]]


class FairQueue(FifoQueue):
    """Waiting segments, taken in the order that the module's docstring describes."""

    def __init__(self, n_threads: int) -> None:
        """`n_threads`: number of compute threads."""
        super().__init__()
        self._n_threads = n_threads
        self._paces = _Paces()
        self._virtual_times = {queue_name: _VirtualTimes() for queue_name in QueueName}
        self._without_audio: set[str] = set()
        """Tasks whose first segment waits or is being spoken."""
        self._passed_over = False
        """Whether an endangered segment was passed over when the last segment was taken."""
        self._served_at: dict[QueuedSegment, float] = {}
        """New segments that are being spoken although an endangered one waited → the time at which each was taken."""
        self._repaid_at = 0.0
        """Time at which a segment that was interrupted will have been computed for as long as the last one of these took."""
        self._n_since_batch = AGED_INTERVAL
        """Number of segments taken since the last batch segment, including that one."""

    def add(self, queued: QueuedSegment) -> None:
        """Appends a segment. A new owner gets a virtual time."""
        super().add(queued)
        self._virtual_times[queued.queue_name].enter(queued.owner)
        if queued.is_first:
            self._without_audio.add(queued.task)

    def drop(self, task: str) -> list[QueuedSegment]:
        """Removes the segments of a task and returns them."""
        dropped = super().drop(task)
        self._forget_first(dropped)
        self._forget_absent()
        return dropped

    def take(self, now: float) -> list[QueuedSegment]:
        """Removes and returns the segments to speak next, in one call, as FifoQueue does."""
        groups = self._groups(now)
        self._passed_over &= bool(groups[_Group.ENDANGERED])
        return self._take(groups, now)

    def take_newcomer(self, now: float) -> list[QueuedSegment]:
        """Removes and returns first segments if they are next."""
        if all(_group(queued) is not _Group.NEW for queued in self.waiting):
            return []
        if self._passed_over and not self._served_at and now >= self._repaid_at:
            self._passed_over = False
        groups = self._groups(now)
        return self._take(groups, now) if self._group_to_serve(groups, now) is _Group.NEW else []

    def _take(self, groups: _Groups, now: float) -> list[QueuedSegment]:
        taken = [self._next(groups, now)]
        engine = taken[0].engine
        alike = {group: [queued for queued in members if queued.engine is engine] for group, members in groups.items()}
        while len(taken) < engine.batch_size and any(alike.values()):
            taken.append(self._next(alike, now))
        self._forget_absent()
        return taken

    def begun(self, queued: QueuedSegment, now: float) -> None:
        """From now on, the listener's later segments may be endangered."""
        self._forget_first([queued])
        self._end_service(queued, now)

    def done(self, taken: Sequence[QueuedSegment], spoken: Sequence[QueuedSegment], seconds: float, now: float) -> None:
        """Measures the engine's pace, and corrects the deadlines of the segments after a first segment."""
        self._forget_first(taken)
        for queued in taken:
            self._end_service(queued, now)
        self._paces.measure(spoken, seconds)
        for queued in spoken:
            if queued.is_first and not queued.sound.exception():
                self._postpone(queued.task, now + queued.sound.result().seconds)

    def _next(self, groups: _Groups, now: float) -> QueuedSegment:
        """Removes and returns one segment of `groups`. At least one of them must not be empty."""
        group = self._group_to_serve(groups, now)
        queued = min(groups[group], key=self._sort_key)
        if group is _Group.NEW and groups[_Group.ENDANGERED]:
            self._served_at[queued] = now
        groups[group].remove(queued)
        self.waiting.remove(queued)
        self._virtual_times[queued.queue_name].advance(queued.owner, self._paces.seconds(queued))
        self._passed_over = group is not _Group.ENDANGERED and (self._passed_over or bool(groups[_Group.ENDANGERED]))
        self._n_since_batch = 1 if group is _Group.BATCH else self._n_since_batch + 1
        return queued

    def _group_to_serve(self, groups: _Groups, now: float) -> _Group:
        if self._passed_over and groups[_Group.ENDANGERED]:
            return _Group.ENDANGERED
        if self._n_since_batch >= AGED_INTERVAL and any(
            now - queued.queued_at > AGING_SECONDS for queued in groups[_Group.BATCH]
        ):
            return _Group.BATCH
        return next(group for group in _Group if groups[group])

    def _end_service(self, queued: QueuedSegment, now: float) -> None:
        taken_at = self._served_at.pop(queued, None)
        if taken_at is not None:
            self._repaid_at = max(self._repaid_at, now) + now - taken_at

    def _sort_key(self, queued: QueuedSegment) -> tuple[float, float]:
        """Returns the sort key of a segment in its group."""
        due = queued.queued_at if queued.queue_name is QueueName.BATCH else queued.deadline
        return self._virtual_times[queued.queue_name].of(queued.owner), due

    def _groups(self, now: float) -> _Groups:
        endangered = self._endangered(now)
        groups: _Groups = {group: [] for group in _Group}
        for queued in self.waiting:
            groups[_Group.ENDANGERED if queued in endangered else _group(queued)].append(queued)
        return groups

    def _endangered(self, now: float) -> set[QueuedSegment]:
        """Returns the segments of the group ENDANGERED, as the module's docstring defines it."""
        playing = [
            queued for queued in self.waiting if _group(queued) is _Group.PLAYING and queued.task not in self._without_audio
        ]
        playing.sort(key=lambda queued: queued.deadline)
        between_seconds = max((self._paces.seconds(queued) for queued in self.waiting), default=0.0)
        ready_at, n_endangered = now + between_seconds, 0
        for number, queued in enumerate(playing, 1):
            seconds = self._paces.seconds(queued)
            ready_at += (seconds + between_seconds) / self._n_threads
            if queued.deadline < ready_at + seconds * queued.engine.batch_size:
                n_endangered = number
        return set(playing[:n_endangered])

    def _postpone(self, task: str, due: float) -> None:
        """Moves the deadlines of the segments after a first segment: they assumed that it would be spoken at once."""
        for queued in self.waiting:
            if queued.task == task:
                queued.deadline = max(queued.deadline, due)
                due += queued.segment.expected_seconds

    def _forget_first(self, removed: Iterable[QueuedSegment]) -> None:
        self._without_audio -= {queued.task for queued in removed if queued.is_first}

    def _forget_absent(self) -> None:
        for queue_name, virtual_times in self._virtual_times.items():
            virtual_times.forget_absent({queued.owner for queued in self.waiting if queued.queue_name is queue_name})


def _group(queued: QueuedSegment) -> _Group:
    """Returns the group of a segment that is not endangered."""
    if queued.queue_name is QueueName.BATCH:
        return _Group.BATCH
    return _Group.NEW if queued.is_first else _Group.PLAYING


class _Paces:
    """Recent compute time of each engine per second of audio."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}
        """Name of the engine → seconds of compute, seconds of audio."""

    def seconds(self, queued: QueuedSegment) -> float:
        """Returns the estimated compute seconds of a segment."""
        compute_seconds, audio_seconds = self._sums.get(queued.engine.name, (FIRST_PACE, 1.0))
        return queued.segment.expected_seconds * compute_seconds / audio_seconds

    def measure(self, spoken: Sequence[QueuedSegment], seconds: float) -> None:
        """Records that these segments, all of one engine, took `seconds` of compute together."""
        if not spoken:
            return
        compute_seconds, audio_seconds = self._sums.get(spoken[0].engine.name, (FIRST_PACE, 1.0))
        self._sums[spoken[0].engine.name] = (
            PACE_MEMORY * compute_seconds + seconds,
            PACE_MEMORY * audio_seconds + sum(queued.segment.expected_seconds for queued in spoken),
        )


class _VirtualTimes:
    """The virtual time of each owner in one queue: start value plus compute seconds used."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}

    def enter(self, owner: str) -> None:
        """Sets a new owner's virtual time to the lowest one."""
        self._times.setdefault(owner, min(self._times.values(), default=0.0))

    def of(self, owner: str) -> float:
        """Returns the owner's virtual time. The owner with the lowest one goes first."""
        return self._times[owner]

    def advance(self, owner: str, seconds: float) -> None:
        """Adds compute seconds to an owner. Raises the others that are more than MAX_LEAD_SECONDS lower."""
        self._times[owner] += seconds
        least = self._times[owner] - MAX_LEAD_SECONDS
        self._times = {each: max(time, least) for each, time in self._times.items()}

    def forget_absent(self, owners: set[str]) -> None:
        """Forgets owners without waiting segments, unless they are ahead of the lowest of `owners`, who have some."""
        least = min((self._times[owner] for owner in owners), default=float("inf"))
        self._times = {each: time for each, time in self._times.items() if each in owners or time > least}
