"""Users' jobs, on the side that speaks: a text is planned, its parts are spoken, and the parts are joined into one file.

Why all is put in at once: RQ's `depends_on` then leads from part to part and to the joining, whichever process is at work. No
more than WINDOW parts of a job are in the lane at a time, each of the others waits for the one WINDOW before it, so the books
of several users take turns. A chain breaks where a link is lost; a sweep once a minute puts it together again.
"""

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Final

import msgspec
import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.core.errors import (
    Cancelled,
    InternalError,
    InvalidRequest,
    JobTooLong,
    KoeError,
    StoreFailed,
    StoreFull,
    UnknownJob,
    WorkersDied,
)
from app.core.jobs.files import Store, file_path, part_path, part_words_path, parts_folder, words_path
from app.core.jobs.jobs import File, Job, JobBook, JobStatus, Part, PartResult
from app.core.logs import describe
from app.core.queue.broker import Task, enqueue_task
from app.core.queue.segment_cache import Budget, KeptSegments
from app.core.speech.captions import move_words, write_captions
from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.core.speech.pauses import asked_seconds
from app.core.speech.word_times import TimedWord, read_words
from app.core.storage import keys
from app.core.storage.connections import patiently
from workers.engines.base import SECONDS_PER_PHONEME
from workers.jobs.assemble import Reel, Stretch, finish
from workers.jobs.loudness import Level, gains_db
from workers.jobs.part_task import PartOrder, Room, Wanted
from workers.jobs.plan import pause_seconds, plan_parts
from workers.synthesis.synthesizer import Synthesizer
from workers.text.segment import weigh

log: Final = structlog.get_logger()

WINDOW: Final = 16
"""Parts of one job that are in the lane at a time: as many slots may read one book at once."""

MOST_RETRIES: Final = 3
"""Of a part that fails, of the plan and of the joining."""

MOST_FRUITLESS: Final = 5
"""How often a part is begun, without a single segment being spoken of it, before it is held to kill its workers."""

_WHOLE: Final = 0
"""The number under which the failures of plan and joining are counted."""
_PATIENCE_SECONDS: Final = 30.0
"""How long a Redis that is away is waited for when only the result is left to be noted."""
_STALE_SECONDS: Final = 60.0
"""A job this old is looked at by the sweep."""


class Books:
    """What the tasks of a job do. Each may run twice, even at the same time.

    `plan`, `speak_part` and `join` return False when they are to be run again. They raise RedisError alone.
    """

    def __init__(
        self,
        *,
        redis: Redis,
        jobs: JobBook,
        store: Store,
        synthesizer: Synthesizer,
        ffmpeg_path: Path,
        keep: Budget,
        max_seconds: float = math.inf,
    ) -> None:
        """`max_seconds` is the longest audio of a job."""
        self._redis = redis
        self._jobs = jobs
        self._store = store
        self._synthesizer = synthesizer
        self._ffmpeg_path = ffmpeg_path
        self._keep = keep
        self._max_seconds = max_seconds

    def plan(self, job_id: str) -> bool:
        """Divides the job's text into parts and has the first of them spoken."""
        return self._attempt(job_id, _WHOLE, self._plan)

    def speak_part(self, job_id: str, number: int) -> bool:
        """Speaks one part into the store, unless it is there, and has the next ones spoken, or all of them joined."""
        return self._attempt(job_id, number, lambda job: self._speak_part(job, number))

    def join(self, job_id: str) -> bool:
        """Makes the finished file of all parts, and ends the job."""
        return self._attempt(job_id, _WHOLE, self._join)

    def sweep(self) -> None:
        """Removes what has expired, and puts back into the lane what was lost. To be called about once a minute; it may take
        seconds. Raises RedisError when Redis is away.
        """
        for job_id in self._jobs.expired():
            try:
                self._store.delete_folder(job_id)
            except StoreFailed:
                log.warning("job_not_swept", job_id=job_id)
            else:
                self._jobs.forget(job_id)
                log.info("job_swept", job_id=job_id)
        for job_id in self._jobs.unfinished(created_before=time.time() - _STALE_SECONDS):
            self._line_up_next(job_id)

    def _plan(self, job: Job) -> None:
        if not self._jobs.begin(job.id):
            raise Cancelled("The job is not wanted any more.")
        if not self._jobs.parts(job.id):
            text = self._jobs.text(job.id)
            parts = self._jobs.plan(job.id, plan_parts(text, job.utterance.language))
            log.info("job_planned", n_parts=len(parts), n_chars=len(text))
        self._line_up_all(job.id)

    def _speak_part(self, job: Job, number: int) -> None:
        parts = self._jobs.parts(job.id)
        if parts and not (number in self._jobs.done_parts(job.id) and self._is_stored(job, number)):
            self._speak(job, number, parts[number - 1])

    def _speak(self, job: Job, number: int, part: Part) -> None:
        self._count_start(job.id, number)
        started = time.monotonic()
        text = self._jobs.text(job.id)[part.start : part.end]
        kept = self._kept(job.id, number, owner=job.utterance.owner)
        room = self._room(job.id, number)
        self._store.require_room(_expected_bytes(text, job.utterance.speed))
        with self._store.put(part_path(job.id, number)) as file:
            order = PartOrder(
                job.id,
                number,
                msgspec.structs.replace(job.utterance, text=text, format="pcm", bitrate_bps=0, sample_rate_hz=SAMPLE_RATE_HZ),
                caller=job.owner,
                jobs=self._jobs,
                kept=kept,
                file=file,
                on_keep=lambda: self._forget_starts(job.id, number),
                room=room,
            )
            spoken = self._synthesizer.speak(order)
        if job.timestamps:
            # Not as they are told over SSE, to the millisecond: a sample is finer.
            self._put(part_words_path(job.id, number), msgspec.json.encode(order.words))
        result = order.result(spoken)
        patiently(lambda: self._jobs.part_done(job.id, number, **msgspec.structs.asdict(result)), _PATIENCE_SECONDS)
        kept.drop()
        log.info(
            "part_spoken",
            part=number,
            n_segments=spoken.n_segments,
            n_found=order.n_found,
            audio_seconds=round(spoken.audio_seconds, 3),
            rtf=round((time.monotonic() - started) / spoken.audio_seconds, 3),
        )

    def _join(self, job: Job) -> None:
        parts, done = self._jobs.parts(job.id), self._jobs.done_parts(job.id)
        if not parts or len(done) < len(parts):
            self._line_up_next(job.id)
            return
        started = time.monotonic()
        path = file_path(job.id, f"speech.{job.utterance.format}")
        stretches = list(self._stretches(job, parts, [done[number] for number in sorted(done)]))
        reel = Reel(stretches)
        if reel.n_samples > self._max_seconds * SAMPLE_RATE_HZ:
            raise JobTooLong(self._max_seconds)
        self._store.require_room(reel.n_samples * SAMPLE_BYTES)
        if job.timestamps:
            self._put(words_path(job.id), write_captions(self._words_of(job.id, stretches)))
        finished = finish(
            reel,
            lambda: self._store.put(path),
            format_name=job.utterance.format,
            bitrate_bps=job.utterance.bitrate_bps,
            sample_rate_hz=job.utterance.sample_rate_hz,
            title=job.title,
            ffmpeg_path=self._ffmpeg_path,
            check=Wanted(self._jobs, job.id).check,
        )
        file = File(name=Path(path).name, n_bytes=finished.n_bytes, etag=finished.etag, seconds=finished.seconds)
        if not patiently(lambda: self._jobs.complete(job.id, file), _PATIENCE_SECONDS):
            raise Cancelled("The job is not wanted any more.")
        log.info(
            "job_completed",
            n_parts=len(parts),
            audio_seconds=round(file.seconds, 3),
            n_bytes=file.n_bytes,
            joining_seconds=round(time.monotonic() - started, 3),
        )
        self._clean_up(job.id, _WHOLE)

    def _stretches(self, job: Job, parts: list[Part], results: list[PartResult]) -> Iterator[Stretch]:
        text = self._jobs.text(job.id)
        gains = gains_db([Level(result.loudness_db, result.peak_db) for result in results])
        pauses = [pause_seconds(text, part, following, job.utterance.speed) for part, following in pairwise(parts)]
        for number, (part, result, gain_db, pause) in enumerate(
            zip(parts, results, gains, [*pauses, 0.0], strict=True), start=1
        ):
            yield Stretch(
                open=partial(self._store.open, part_path(job.id, number)),
                n_bytes=result.n_bytes,
                gain_db=gain_db,
                pause_seconds=pause,
                chapter=part.chapter,
            )

    def _words_of(self, job_id: str, stretches: list[Stretch]) -> list[TimedWord]:
        """The words of all parts, each where the reel has its part."""
        starts = accumulate((Reel([stretch]).n_samples for stretch in stretches), initial=0)
        words: list[TimedWord] = []
        for number, start in zip(range(1, len(stretches) + 1), starts, strict=False):
            with self._store.open(part_words_path(job_id, number)) as file:
                words += move_words(read_words(file.read(-1)), start / SAMPLE_RATE_HZ)
        return words

    def _put(self, path: str, data: bytes) -> None:
        with self._store.put(path) as file:
            file.write(data)

    def _is_stored(self, job: Job, number: int) -> bool:
        paths = [part_path(job.id, number), *([part_words_path(job.id, number)] if job.timestamps else [])]
        return all(map(self._store.exists, paths))

    def _line_up_all(self, job_id: str) -> None:
        """Puts all that is missing into the lane, in the order in which it is needed."""
        missing = self._missing(job_id)
        for place, number in enumerate(missing):
            self._enqueue_part(job_id, number, behind=missing[place - WINDOW : place - WINDOW + 1] if place >= WINDOW else [])
        self._enqueue_join(job_id, behind=missing)

    def _line_up_next(self, job_id: str) -> None:
        """Puts into the lane what the job needs next, if it is not there: links of the chain may have been lost."""
        missing = self._missing(job_id)
        if not self._jobs.parts(job_id):
            self._enqueue(Task.PLAN, [job_id], f"{job_id}-plan", "plan of a job", [])
            return
        for number in missing[:WINDOW]:
            self._enqueue_part(job_id, number, behind=[])
        self._enqueue_join(job_id, behind=missing)

    def _missing(self, job_id: str) -> list[int]:
        done = self._jobs.done_parts(job_id)
        return [number for number in range(1, len(self._jobs.parts(job_id)) + 1) if number not in done]

    def _enqueue_part(self, job_id: str, number: int, *, behind: list[int]) -> None:
        self._enqueue(Task.PART, [job_id, number], _part_id(job_id, number), f"part {number} of a job", behind)

    def _enqueue_join(self, job_id: str, *, behind: list[int]) -> None:
        self._enqueue(Task.JOIN, [job_id], f"{job_id}-join", "joining of a job", behind)

    def _enqueue(self, task: Task, args: list[str | int], name: str, description: str, behind: list[int]) -> None:
        depends_on = [_part_id(str(args[0]), number) for number in behind]
        enqueue_task(self._redis, task, args, job_id=name, description=description, depends_on=depends_on)

    def _attempt(self, job_id: str, number: int, work: Callable[[Job], None]) -> bool:
        """True when the work is done with, in whichever way."""
        try:
            job = self._jobs.load(job_id)
            if job is None or job.status.is_ended:
                raise Cancelled("The job is not wanted any more.")
            with structlog.contextvars.bound_contextvars(request_id=job.request_id):
                work(job)
        except (Cancelled, UnknownJob, FileNotFoundError):
            # A file is missing where another worker has cleaned up meanwhile.
            return self._leave(job_id, number)
        except RedisError:
            raise
        except (InvalidRequest, WorkersDied, StoreFull) as error:
            self._fail(job_id, number, error)
        except KoeError as error:
            return self._try_again(job_id, number, error)
        except Exception as error:  # noqa: BLE001 - the border of the task
            log.error("unforeseen_error", **describe(error))
            return self._try_again(job_id, number, InternalError())
        return True

    def _leave(self, job_id: str, number: int) -> bool:
        if self._jobs.is_wanted(job_id):
            return self._try_again(job_id, number, InternalError())
        log.info("job_not_wanted")
        self._clean_up(job_id, number)
        return True

    def _try_again(self, job_id: str, number: int, error: KoeError) -> bool:
        """False when the work is worth another attempt; else the job has failed, or had ended before."""
        n_failures = patiently(lambda: self._jobs.count_attempt(job_id, number), _PATIENCE_SECONDS)
        if 0 < n_failures <= MOST_RETRIES:
            log.warning("part_failed", part=number, n_failures=n_failures, error=type(error).__name__, code=error.code)
            return False
        self._fail(job_id, number, error)
        return True

    def _fail(self, job_id: str, number: int, error: KoeError) -> None:
        if patiently(lambda: self._jobs.fail(job_id, error), _PATIENCE_SECONDS):
            log.error("job_failed", part=number, error=type(error).__name__, code=error.code)
        self._clean_up(job_id, number)

    def _clean_up(self, job_id: str, number: int) -> None:
        """Removes what nobody will ask for, now that the job has ended: its files, and the segments that are kept of the part.
        The sweep takes what is left.
        """
        if number != _WHOLE:
            self._kept(job_id, number).drop()
        job = self._jobs.load(job_id)
        is_completed = job is not None and job.status is JobStatus.COMPLETED
        try:
            self._store.delete_folder(parts_folder(job_id) if is_completed else job_id)
        except StoreFailed:
            log.warning("files_left_for_the_sweep")

    def _kept(self, job_id: str, number: int, *, owner: str = "") -> KeptSegments:
        return KeptSegments(self._redis, f"job:{job_id}:{number}", budget=self._keep, owner=owner, is_listened=False)

    def _room(self, job_id: str, number: int) -> Room:
        done = self._jobs.done_parts(job_id)
        spoken_seconds = sum(result.audio_seconds for other, result in done.items() if other != number)
        return Room(self._max_seconds, self._max_seconds - spoken_seconds)

    def _count_start(self, job_id: str, number: int) -> None:
        """Raises WorkersDied when the part was begun too often and never got anywhere."""
        n_starts = self._jobs.count_attempt(job_id, -number)
        if not n_starts:
            raise Cancelled("The job is not wanted any more.")
        if n_starts > MOST_FRUITLESS:
            raise WorkersDied

    def _forget_starts(self, job_id: str, number: int) -> None:
        self._redis.hdel(keys.job_attempts(job_id), str(-number))


def _expected_bytes(text: str, speed: float) -> int:
    """A guess at what a part's pcm takes."""
    seconds = SECONDS_PER_PHONEME * weigh(text) / speed + asked_seconds(text)
    return round(seconds * SAMPLE_RATE_HZ) * SAMPLE_BYTES


def _part_id(job_id: str, number: int) -> str:
    return f"{job_id}-part-{number}"
