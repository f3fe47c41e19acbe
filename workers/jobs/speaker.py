"""The second step of a job, once for each part: speaks its text into a file of the store."""

import time
from typing import Final

import msgspec
import structlog
from redis import Redis

from app.core.custom_voices.packs import CustomPacks
from app.core.errors import WorkersDied
from app.core.jobs.files import Store, part_path, part_words_path
from app.core.jobs.job import Job, Part, PartResult
from app.core.jobs.job_store import JobStore
from app.core.queue.segment_cache import Budget, SegmentCache
from app.core.speech.boundaries import weigh
from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.core.speech.pauses import asked_seconds
from app.core.storage import keys
from app.core.storage.connections import patiently
from app.core.tracing.spans import NO_SPAN, Span
from workers.engines.base import SECONDS_PER_PHONEME
from workers.jobs.part_task import PartLimit, PartTask
from workers.jobs.wanted import PATIENCE_SECONDS, not_wanted
from workers.synthesis.output import Spoken
from workers.synthesis.synthesizer import Synthesizer
from workers.text.normalization.tags.read import tags_before

log: Final = structlog.get_logger()

MAX_STARTS: Final = 5
"""A part that was started more often, without a single spoken segment, is poison: it kills its workers."""


class PartSpeaker:
    """Speaks parts of jobs. A part may be spoken twice, even at the same time."""

    def __init__(
        self, *, redis: Redis, jobs: JobStore, store: Store, synthesizer: Synthesizer, cache_budget: Budget, max_seconds: float
    ) -> None:
        """`max_seconds` is the longest audio of a job."""
        self._redis = redis
        self._jobs = jobs
        self._store = store
        self._synthesizer = synthesizer
        self._cache_budget = cache_budget
        self._max_seconds = max_seconds
        self._custom_packs = CustomPacks(redis)

    def speak(self, job: Job, number: int, span: Span = NO_SPAN) -> None:
        """Speaks the part into the store, unless it is there already. `span` is the task's.

        Raises WorkersDied if the part was started too often without progress, Cancelled if the job has ended, InvalidValue if
        the user has deleted a voice of it, JobTooLong and StoreFull.
        """
        parts = self._jobs.parts(job.id)
        if parts and not (number in self._jobs.done_parts(job.id) and self._is_stored(job, number)):
            self._speak(job, number, parts[number - 1], span)

    def drop_segments(self, job_id: str, number: int) -> None:
        """Deletes the part's cached segments."""
        self._segments(job_id, number).drop()

    def _speak(self, job: Job, number: int, part: Part, span: Span) -> None:
        self._custom_packs.require(job.utterance.custom_voices)
        self._count_start(job.id, number)
        started = time.monotonic()
        text = self._jobs.text(job.id)
        utterance = job.utterance
        tags = tags_before(
            text,
            part.start,
            speakers=utterance.speakers,
            narrator=utterance.narrator,
            is_normalized=utterance.normalize,
            says_thoughts=utterance.think == "say",
        )
        task, spoken = self._write(job, number, tags + text[part.start : part.end], span)
        if job.timestamps:
            # Unlike the times sent over SSE, these are not rounded to milliseconds: a sample is shorter.
            self._store.write(part_words_path(job.id, number), msgspec.json.encode(task.words))
        self._finish(job.id, number, task.result(spoken))
        span.note(n_segments=spoken.n_segments, audio_seconds=round(spoken.audio_seconds, 3))
        log.info(
            "part_spoken",
            part=number,
            n_segments=spoken.n_segments,
            n_found=task.n_found,
            audio_seconds=round(spoken.audio_seconds, 3),
            rtf=round((time.monotonic() - started) / spoken.audio_seconds, 3),
        )

    def _write(self, job: Job, number: int, text: str, span: Span) -> tuple[PartTask, Spoken]:
        span.note(engine=job.utterance.engine, n_characters=len(text))
        limit = self._limit(job.id, number)
        self._store.require_free_space(_expected_bytes(text, job.utterance.speed))
        with self._store.put(part_path(job.id, number)) as file:
            task = PartTask(
                job.id,
                number,
                msgspec.structs.replace(job.utterance, text=text, format="pcm", bitrate_bps=0, sample_rate_hz=SAMPLE_RATE_HZ),
                owner=job.owner,
                jobs=self._jobs,
                segment_cache=self._segments(job.id, number, owner=job.utterance.owner),
                file=file,
                on_new_segment=lambda: self._forget_starts(job.id, number),
                limit=limit,
                span=span,
            )
            return task, self._synthesizer.speak(task)

    def _finish(self, job_id: str, number: int, result: PartResult) -> None:
        patiently(lambda: self._jobs.part_done(job_id, number, **msgspec.structs.asdict(result)), PATIENCE_SECONDS)
        self.drop_segments(job_id, number)

    def _segments(self, job_id: str, number: int, *, owner: str = "") -> SegmentCache:
        return SegmentCache(self._redis, f"job:{job_id}:{number}", budget=self._cache_budget, owner=owner, is_listened=False)

    def _is_stored(self, job: Job, number: int) -> bool:
        paths = [part_path(job.id, number), *([part_words_path(job.id, number)] if job.timestamps else [])]
        return all(map(self._store.exists, paths))

    def _limit(self, job_id: str, number: int) -> PartLimit:
        done = self._jobs.done_parts(job_id)
        spoken_seconds = sum(result.audio_seconds for other, result in done.items() if other != number)
        return PartLimit(self._max_seconds, self._max_seconds - spoken_seconds)

    def _count_start(self, job_id: str, number: int) -> None:
        n_starts = self._jobs.count_attempt(job_id, -number)
        if not n_starts:
            raise not_wanted()
        if n_starts > MAX_STARTS:
            raise WorkersDied

    def _forget_starts(self, job_id: str, number: int) -> None:
        self._redis.hdel(keys.job_attempts(job_id), str(-number))


def _expected_bytes(text: str, speed: float) -> int:
    """Estimates the bytes of the part's pcm."""
    seconds = SECONDS_PER_PHONEME * weigh(text) / speed + asked_seconds(text)
    return round(seconds * SAMPLE_RATE_HZ) * SAMPLE_BYTES
