"""The last step of a job: joins its parts into one finished file."""

import time
from collections.abc import Iterator
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

import structlog

from app.core.errors import JobTooLong
from app.core.jobs.files import Store, cover_path, file_path, part_path, part_words_path, words_path
from app.core.jobs.job import File, FileChapter, Job, Part, PartResult
from app.core.jobs.job_store import JobStore
from app.core.speech.captions import move_words, write_captions
from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.core.speech.word_times import TimedWord, read_words
from app.core.storage.connections import patiently
from app.core.tracing.spans import NO_SPAN, Span
from workers.jobs.assemble import AudioPart, AudioTimeline, Cover, assemble
from workers.jobs.file_headers import Tags
from workers.jobs.loudness import Level, gains_db
from workers.jobs.plan import pause_seconds
from workers.jobs.wanted import PATIENCE_SECONDS, Wanted, not_wanted
from workers.text.normalization.tags.speakers import hide_speakers

log: Final = structlog.get_logger()


class Joiner:
    """Joins the parts of jobs."""

    def __init__(self, *, jobs: JobStore, store: Store, ffmpeg_path: Path, max_seconds: float) -> None:
        """`max_seconds` is the longest audio of a job."""
        self._jobs = jobs
        self._store = store
        self._ffmpeg_path = ffmpeg_path
        self._max_seconds = max_seconds

    def join(self, job: Job, span: Span = NO_SPAN) -> bool:
        """Makes the finished file and ends the job. Returns False if parts are missing. `span` is the task's.

        Raises Cancelled if the job has ended, FileNotFoundError if the file of a part is missing, JobTooLong, StoreFull and
        EncoderFailed.
        """
        parts, done = self._jobs.parts(job.id), self._jobs.done_parts(job.id)
        if not parts or len(done) < len(parts):
            return False
        started = time.monotonic()
        with span.child("encode", format=job.utterance.format):
            file = self._make_file(job, list(self._audio_parts(job, parts, [done[number] for number in sorted(done)])))
        if not patiently(lambda: self._jobs.complete(job.id, file), PATIENCE_SECONDS):
            raise not_wanted()
        span.note(n_parts=len(parts), audio_seconds=round(file.seconds, 3))
        log.info(
            "job_completed",
            n_parts=len(parts),
            audio_seconds=round(file.seconds, 3),
            n_bytes=file.n_bytes,
            joining_seconds=round(time.monotonic() - started, 3),
        )
        return True

    def _make_file(self, job: Job, audio_parts: list[AudioPart]) -> File:
        path = file_path(job.id, f"speech.{job.utterance.format}")
        timeline = AudioTimeline(audio_parts)
        if timeline.n_samples > self._max_seconds * SAMPLE_RATE_HZ:
            raise JobTooLong(self._max_seconds)
        self._store.require_free_space(timeline.n_samples * SAMPLE_BYTES)
        if job.timestamps:
            self._store.write(words_path(job.id), write_captions(self._words_of(job.id, audio_parts)))
        assembled = assemble(
            timeline,
            lambda: self._store.put(path),
            format_name=job.utterance.format,
            bitrate_bps=job.utterance.bitrate_bps,
            sample_rate_hz=job.utterance.sample_rate_hz,
            tags=Tags(title=job.title, author=job.author),
            cover=self._cover_of(job),
            ffmpeg_path=self._ffmpeg_path,
            check=Wanted(self._jobs, job.id).check,
        )
        return File(
            name=Path(path).name,
            n_bytes=assembled.n_bytes,
            etag=assembled.etag,
            seconds=assembled.seconds,
            chapters=tuple(FileChapter(mark.title, round(mark.start / SAMPLE_RATE_HZ, 3)) for mark in timeline.chapters),
        )

    def _cover_of(self, job: Job) -> Cover | None:
        if job.cover is None:
            return None
        with self._store.open(cover_path(job.id)) as file:
            return Cover(job.cover, file.read(-1))

    def _audio_parts(self, job: Job, parts: list[Part], results: list[PartResult]) -> Iterator[AudioPart]:
        text = hide_speakers(self._jobs.text(job.id), job.utterance.speakers)
        gains = gains_db([Level(result.loudness_db, result.peak_db) for result in results])
        pauses = [pause_seconds(text, part, following, job.utterance.speed) for part, following in pairwise(parts)]
        for number, (part, result, gain_db, pause) in enumerate(
            zip(parts, results, gains, [*pauses, 0.0], strict=True), start=1
        ):
            yield AudioPart(
                open=partial(self._store.open, part_path(job.id, number)),
                n_bytes=result.n_bytes,
                gain_db=gain_db,
                pause_seconds=pause,
                chapter=part.chapter,
            )

    def _words_of(self, job_id: str, audio_parts: list[AudioPart]) -> list[TimedWord]:
        """Returns the words of all parts, with times from the beginning of the file."""
        starts = accumulate((AudioTimeline([part]).n_samples for part in audio_parts), initial=0)
        words: list[TimedWord] = []
        for number, start in zip(range(1, len(audio_parts) + 1), starts, strict=False):
            with self._store.open(part_words_path(job_id, number)) as file:
                words += move_words(read_words(file.read(-1)), start / SAMPLE_RATE_HZ)
        return words
