"""An utterance with a listener, as a task: its bytes go to a stream, and its segments are cached until it is finished.

Why an outage of Redis does not end it: speech that is in progress continues when Redis is back. Only writing the audio waits
for Redis; the steps that protect against crashes (cached segments, segments in flight) are skipped.
"""

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from typing_extensions import override

from app.core.errors import Cancelled, Paused, Preempted
from app.core.queue.audio_stream import ChunkWriter
from app.core.queue.broker import QueueName
from app.core.queue.registry import Lease, WorkerRegistry
from app.core.queue.segment_cache import Budget, SegmentCache
from app.core.speech.utterance import Utterance
from app.core.speech.word_times import TimedWord
from app.core.tracing.spans import NO_SPAN, Span
from workers.engines.base import Segment
from workers.synthesis.audio import Sound
from workers.synthesis.pace import FirstAudioPace
from workers.synthesis.task import SynthesisTask

_QUANTUM_SECONDS: Final = 10.0
"""Shortest time that a task holds its slot. If it continues later, all earlier audio must be encoded again."""

_LEAD_SECONDS: Final = 20.0
"""Audio that a listener must have left before the slot is given to another task."""


class Limits:
    """Limits for the tasks of one process. The pool sets `n_waiting` at every heartbeat."""

    def __init__(
        self,
        *,
        stream_bytes: int,
        cache_budget: Budget,
        patience_seconds: float,
        n_threads: int = 1,
        max_job_seconds: float = math.inf,
    ) -> None:
        self.stream_bytes = stream_bytes
        self.max_job_seconds = max_job_seconds
        self.cache_budget = cache_budget
        self.patience_seconds = patience_seconds
        self.pace = FirstAudioPace(n_threads)
        self._n_waiting = 0
        self._lock = threading.Lock()

    def set_waiting(self, n_waiting: int) -> None:
        """Sets how many listeners wait for a slot."""
        with self._lock:
            self._n_waiting = n_waiting

    def try_preempt(self) -> bool:
        """Returns True once for each listener that waits for a slot."""
        with self._lock:
            self._n_waiting -= 1
            return self._n_waiting >= 0


class StreamTask(SynthesisTask):
    """An utterance that plays while it is spoken."""

    plays = True

    def __init__(
        self,
        utterance: Utterance,
        queue_name: QueueName,
        owner: str,
        *,
        heard_seconds: float = 0.0,
        redis: Redis,
        registry: WorkerRegistry,
        lease: Lease,
        limits: Limits,
        span: Span = NO_SPAN,
    ) -> None:
        self.span = span
        self.name = f"{utterance.id}:{lease.attempt.token}:{lease.number}"
        self.utterance = utterance
        self.queue_name = queue_name
        self.owner = owner
        self.listening_seconds = lease.listening_seconds
        self.heard_seconds = max(0.0, heard_seconds - (lease.waited_seconds or 0.0))
        self.lease = lease
        self.cancelled = threading.Event()
        self.writer = ChunkWriter(redis, lease, patience_seconds=limits.patience_seconds)
        self._registry = registry
        self._limits = limits
        self._segment_cache = SegmentCache(
            redis, utterance.id, budget=limits.cache_budget, owner=utterance.owner, attempt=lease.attempt.token
        )
        self._begun_at = time.monotonic()
        self._is_prepared = False
        self._lock = threading.Lock()
        self.n_found = 0
        """Number of segments from the cache."""
        # What continues something that is heard waits on purpose: it says nothing about how long a new listener would wait.
        if not lease.n_bytes and not heard_seconds:
            limits.pace.begin(self.name)

    @override
    def write(self, data: bytes) -> None:
        try:
            self.writer.write(data)
        finally:
            # The reader may leave with the first part of the data: then the rest raises Cancelled.
            if self.writer.has_written:
                self._limits.pace.record_first_audio(self.name)

    @override
    def check(self, lead_seconds: float) -> None:
        """Raises Paused when the readers are far behind, and Preempted when others wait for the slot."""
        if not self._is_prepared:
            self._is_prepared = True
            _if_reachable(lambda: self._registry.risk(self.lease, -1))
        self.check_cancelled()
        if self.writer.unread_bytes > self._limits.stream_bytes:
            raise Paused("The readers have enough audio for now.")
        may_be_preempted = time.monotonic() - self._begun_at > _QUANTUM_SECONDS and lead_seconds > _LEAD_SECONDS
        if may_be_preempted and self._limits.try_preempt():
            raise Preempted("Others wait for the slot.")

    @override
    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled("The utterance is not wanted any more.")

    @override
    def write_words(self, words: Sequence[TimedWord]) -> None:
        self.writer.append_words(words)

    @override
    def find(self, segment: Segment) -> Sound | None:
        try:
            cached = self._segment_cache.get(segment.digest, segment.name)
        except RedisError:
            return None
        if cached is None:
            return None
        with self._lock:
            self.n_found += 1
        return Sound.from_bytes(cached)

    @override
    def begin(self, segment: Segment) -> None:
        _if_reachable(lambda: self._registry.risk(self.lease, 1))

    @override
    def cache_segment(self, segment: Segment, sound: Sound) -> None:
        _if_reachable(lambda: self._segment_cache.put(segment.digest, sound.to_bytes(), segment.name))
        _if_reachable(lambda: self._registry.risk(self.lease, -1, is_spoken=True))

    @override
    def on_spoken(self) -> None:
        _if_reachable(lambda: self._registry.ending(self.lease))

    def close(self) -> None:
        """Ends the measurement of the pace for this task."""
        self._limits.pace.end(self.name)

    def begin_again(self) -> None:
        """Makes the task ready to be spoken from its beginning. Audio that is already in the stream is not written twice."""
        self.n_found = 0
        self.writer.rewind()


def _if_reachable(step: Callable[[], object]) -> None:
    with suppress(RedisError):
        step()
