"""The simulated fleet: workers that start, speak segments by deadline as Koe's scheduler does, drain and end.

What is left out, each to the fleet's disadvantage or small: cached audio, cores that share the first segment on an idle worker,
encoding (it is in the CPU time), texts that two requests have in common.
"""

import heapq
import itertools
import random
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from tests.benchmarks.scaling.arrivals import Request
from tests.benchmarks.scaling.measured import Measured
from tests.benchmarks.scaling.policies import Policy, Seen

LOOK_SECONDS: Final = 15.0
"""Interval at which HPA and KEDA look, by default."""

_RETRY_SECONDS: Final = 1.0
"""A client that was refused comes again after this time: what `Retry-After` says at least."""

_AHEAD: Final = 3
"""Segments of an utterance that are queued or spoken at a time."""


class Speech:
    """One request on its way."""

    __slots__ = ("first_at", "is_late", "n_done", "n_queued", "offset", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.n_queued = self.n_done = 0
        self.offset = 0.0
        """Seconds of audio before the next segment to be queued."""
        self.first_at: float | None = None
        self.is_late = False

    def next_deadline(self) -> float:
        """When the listener needs the next segment."""
        begun = self.request.at if self.first_at is None else self.first_at
        return begun + self.offset


class Worker:
    """One worker process."""

    def __init__(self, started_at: float, n_cores: int) -> None:
        self.started_at = started_at
        self.n_free = n_cores
        self.is_ready = self.is_draining = False
        self.speeches: set[Speech] = set()
        self.queue: list[tuple[float, int, Speech, int]] = []


class Fleet:
    """Runs a day. Afterwards `speeches`, `n_refused` and `worker_seconds` are its results."""

    def __init__(self, measured: Measured, policy: Policy, *, seed: int = 0) -> None:
        self._measured = measured
        self._policy = policy
        self._chosen = random.Random(seed)
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._numbers = itertools.count()
        self._waiting: deque[Speech] = deque()
        """Requests that wait because all slots are busy."""
        self._workers: list[Worker] = []
        self._n_unheard = 0
        self._n_to_come = 0
        self._unspoken_seconds = 0.0
        self._busy_seconds = 0.0
        self.now = 0.0
        self.speeches: list[Speech] = []
        self.n_refused = 0
        """Requests whose first answer was 429."""
        self.worker_seconds = 0.0
        self.n_most_workers = 0

    def run(self, requests: Sequence[Request]) -> "Fleet":
        """Runs until every request is spoken. Returns itself."""
        self._n_to_come = len(requests)
        for _ in range(self._policy.n_first):
            self._start(after_seconds=0.0)
        for request in requests:
            self._at(request.at, self._arrive, request)
        self._at(LOOK_SECONDS, self._look)
        while self._events:
            self.now, _, act, args = heapq.heappop(self._events)
            act(*args)
        for worker in [*self._workers]:
            self._end(worker)
        return self

    def _at(self, when: float, act: Callable[..., None], *args: Any) -> None:
        heapq.heappush(self._events, (when, next(self._numbers), act, args))

    def _arrive(self, request: Request, *, is_again: bool = False) -> None:
        ready = [worker for worker in self._workers if worker.is_ready and not worker.is_draining]
        if self._n_unheard >= self._n_most_unheard(len(ready)):
            self.n_refused += not is_again
            self._at(self.now + _RETRY_SECONDS, self._arrive_again, request)
            return
        self._n_to_come -= 1
        speech = Speech(request)
        self.speeches.append(speech)
        self._n_unheard += 1
        self._unspoken_seconds += request.audio_seconds
        self._waiting.append(speech)
        self._fill_slots()

    def _arrive_again(self, request: Request) -> None:
        self._arrive(request, is_again=True)

    def _n_most_unheard(self, n_ready: int) -> int:
        """As many listeners as the workers can serve within the longest wait. Without a worker all wait for one, as with
        `KOE_WAIT_FOR_WORKER`.
        """
        if not n_ready:
            return sys.maxsize
        per_second = n_ready * self._measured.first_audio_pace
        return max(n_ready * self._measured.n_cores, int(self._measured.max_wait_seconds * per_second))

    def _fill_slots(self) -> None:
        while self._waiting:
            workers = [one for one in self._workers if one.is_ready and not one.is_draining]
            n_free = [max(0, self._measured.n_slots - len(worker.speeches)) for worker in workers]
            if not any(n_free):
                return
            # A slot that waits for a task takes it: workers with more free slots take more.
            (worker,) = self._chosen.choices(workers, n_free)
            speech = self._waiting.popleft()
            worker.speeches.add(speech)
            for _ in range(_AHEAD):
                self._queue_next(worker, speech)
            self._speak(worker)

    def _queue_next(self, worker: Worker, speech: Speech) -> None:
        if speech.n_queued < len(speech.request.segments):
            heapq.heappush(worker.queue, (speech.next_deadline(), next(self._numbers), speech, speech.n_queued))
            speech.offset += speech.request.segments[speech.n_queued]
            speech.n_queued += 1

    def _speak(self, worker: Worker) -> None:
        while worker.n_free and worker.queue:
            _, _, speech, number = heapq.heappop(worker.queue)
            worker.n_free -= 1
            seconds = speech.request.segments[number] * self._measured.cpu_seconds_per_audio_second
            self._at(self.now + seconds, self._spoken, worker, speech, number)

    def _spoken(self, worker: Worker, speech: Speech, number: int) -> None:
        audio_seconds = speech.request.segments[number]
        worker.n_free += 1
        self._busy_seconds += audio_seconds * self._measured.cpu_seconds_per_audio_second
        self._unspoken_seconds -= audio_seconds
        self._hear(speech, number)
        speech.n_done += 1
        self._queue_next(worker, speech)
        if speech.n_done == len(speech.request.segments):
            worker.speeches.discard(speech)
            self._fill_slots()
        self._speak(worker)
        if worker.is_draining and not worker.speeches:
            self._end(worker)

    def _hear(self, speech: Speech, number: int) -> None:
        if number == 0:
            speech.first_at = self.now
            self._n_unheard -= 1
        elif speech.first_at is not None and self.now > speech.first_at + sum(speech.request.segments[:number]):
            speech.is_late = True

    def _start(self, *, after_seconds: float) -> None:
        worker = Worker(self.now, self._measured.n_cores)
        self._workers.append(worker)
        self.n_most_workers = max(self.n_most_workers, len(self._workers))
        self._at(self.now + after_seconds, self._begin, worker)

    def _begin(self, worker: Worker) -> None:
        worker.is_ready = True
        self._fill_slots()

    def _end(self, worker: Worker) -> None:
        self.worker_seconds += self.now - worker.started_at
        self._workers.remove(worker)

    def _look(self) -> None:
        wanted = [worker for worker in self._workers if not worker.is_draining]
        capacity = LOOK_SECONDS * self._measured.n_cores * len(wanted)
        seen = Seen(
            at=self.now,
            n_workers=len(wanted),
            busy_share=min(1.0, self._busy_seconds / capacity) if capacity else 0.0,
            waiting_audio_seconds=max(0.0, self._unspoken_seconds if self._n_unspoken() else 0.0),
        )
        self._busy_seconds = 0.0
        self._resize(wanted, self._policy.decide(seen))
        if self._n_to_come or self._n_unspoken():
            self._at(self.now + LOOK_SECONDS, self._look)

    def _n_unspoken(self) -> int:
        return len(self._waiting) + sum(len(worker.speeches) for worker in self._workers)

    def _resize(self, wanted: list[Worker], n_workers: int) -> None:
        for _ in range(n_workers - len(wanted)):
            self._start(after_seconds=self._measured.start_seconds)
        # Kubernetes ends the youngest first, and those that are not ready before others.
        for worker in wanted[: n_workers - len(wanted) - 1 : -1] if n_workers < len(wanted) else ():
            worker.is_draining = True
            if not worker.speeches:
                self._end(worker)
