"""A part of a job as a task: its pcm goes to a file, its segments are cached until then, and its progress is reported.

Why an outage of Redis does not end it: speaking continues without Redis. If the worker dies meanwhile, more must be repeated.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO, Final

import msgspec
from redis.exceptions import RedisError
from typing_extensions import override

from app.core.errors import JobTooLong
from app.core.jobs.job import PartResult
from app.core.jobs.job_store import JobStore
from app.core.queue.broker import QueueName
from app.core.queue.segment_cache import SegmentCache
from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.core.speech.utterance import Utterance
from app.core.speech.word_times import TimedWord
from app.core.tracing.spans import NO_SPAN, Span
from workers.engines.base import Segment
from workers.jobs.loudness import Meter
from workers.jobs.wanted import Wanted
from workers.synthesis.audio import Sound
from workers.synthesis.output import Spoken
from workers.synthesis.task import SynthesisTask

_numbers: Final = itertools.count()


class PartLimit(msgspec.Struct, frozen=True):
    """The limit of a part's audio, which follows from the limit of its job."""

    max_seconds: float
    """Limit of the whole job."""
    left_seconds: float
    """Seconds that the finished parts leave for this part."""


class PartTask(SynthesisTask):
    """A part of a job. `on_new_segment` is called after each new segment, not after a cached one."""

    queue_name = QueueName.BATCH
    listening_seconds = 0.0

    def __init__(
        self,
        job_id: str,
        number: int,
        utterance: Utterance,
        *,
        owner: str,
        jobs: JobStore,
        segment_cache: SegmentCache,
        file: BinaryIO,
        on_new_segment: Callable[[], None],
        limit: PartLimit,
        span: Span = NO_SPAN,
    ) -> None:
        self.span = span
        self.utterance = utterance
        self.owner = owner
        self._meter = Meter()
        self._n_bytes = 0
        # A worker wrongly presumed dead may speak the same part at the same time.
        self.name = f"{job_id}:{number}:{next(_numbers)}"
        self._job_id = job_id
        self._number = number
        self._jobs = jobs
        self._wanted = Wanted(jobs, job_id)
        self._segment_cache = segment_cache
        self._file = file
        self._limit = limit
        self._on_new_segment = on_new_segment
        self._lock = threading.Lock()
        self.words: list[TimedWord] = []
        """Words of the part, with times from the part's beginning."""
        self.n_found = 0
        """Number of segments from the cache."""
        self._n_spoken = 0
        self._n_reported = 0

    @override
    def write(self, data: bytes) -> None:
        """Raises JobTooLong if the audio exceeds the limit."""
        if (self._n_bytes + len(data)) / (SAMPLE_BYTES * SAMPLE_RATE_HZ) > self._limit.left_seconds:
            raise JobTooLong(self._limit.max_seconds)
        self._file.write(data)
        self._meter.add(data)
        self._n_bytes += len(data)

    @override
    def check(self, lead_seconds: float) -> None:
        """Reports progress if there is any."""
        self._wanted.check()
        n_segments = self._n_spoken
        if n_segments > self._n_reported:
            self._n_reported = n_segments
            seconds = self._n_bytes / (SAMPLE_BYTES * SAMPLE_RATE_HZ)
            with suppress(RedisError):
                self._jobs.advance(self._job_id, self._number, n_segments=n_segments, audio_seconds=seconds)

    @override
    def check_cancelled(self) -> None:
        self._wanted.check()

    @override
    def write_words(self, words: Sequence[TimedWord]) -> None:
        self.words.extend(words)

    @override
    def find(self, segment: Segment) -> Sound | None:
        with suppress(RedisError):
            cached = self._segment_cache.get(segment.digest, segment.name)
            if cached is not None:
                self._count(1, is_found=True)
                return Sound.from_bytes(cached)
        return None

    @override
    def begin(self, segment: Segment) -> None:
        """Does nothing: the attempts at a part are counted for the whole part."""

    @override
    def cache_segment(self, segment: Segment, sound: Sound) -> None:
        with suppress(RedisError):
            self._segment_cache.put(segment.digest, sound.to_bytes(), segment.name)
        with suppress(RedisError):
            self._on_new_segment()
        self._count(1)

    @override
    def on_spoken(self) -> None:
        """Does nothing: a part is finished by the worker that holds it, or spoken again."""

    def result(self, spoken: Spoken) -> PartResult:
        """Returns the result of the part. Call it when all of the part is spoken."""
        level = self._meter.level()
        return PartResult(
            n_segments=spoken.n_segments,
            audio_seconds=spoken.audio_seconds,
            n_bytes=self._n_bytes,
            loudness_db=level.loudness_db,
            peak_db=level.peak_db,
        )

    def _count(self, n_segments: int, *, is_found: bool = False) -> None:
        with self._lock:
            self._n_spoken += n_segments
            self.n_found += n_segments if is_found else 0
