"""A long text on its way: planned, spoken in parts, joined; and what failures, cancellations and crashes leave of it."""

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pytest
import soundfile
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from rq import Queue
from rq.job import Job as RqJob
from rq.job import JobStatus as RqStatus
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from app.core.errors import EngineFailed, InternalError, InvalidValue, JobTooLong, StoreFull, WorkersDied, from_wire
from app.core.jobs.files import Store, file_path, part_path, part_words_path, parts_folder, words_path
from app.core.jobs.job import File, Job, JobStatus, new_job_id
from app.core.jobs.job_store import JobBook
from app.core.jobs.jobs import Jobs
from app.core.queue.broker import Broker, Lane, Task, lane_queue
from app.core.queue.segment_cache import Budget
from app.core.speech.captions import Captions
from app.core.speech.utterance import Utterance
from app.core.speech.voices import BlendPart
from app.core.speech.word_times import read_words
from app.core.storage import keys
from app.core.storage.notifier import Bell
from tests.audio import decode, ffmpeg
from tests.engines import FailingEngine, GatedEngine, RelayEngine, text_of
from tests.house import wait_until
from workers.engines.tone import ToneEngine
from workers.jobs.part_queue import WINDOW
from workers.jobs.plan import CHAPTER_PAUSE_SECONDS
from workers.jobs.runner import MAX_RETRIES, JobRunner
from workers.jobs.speaker import MAX_STARTS
from workers.synthesis.prepare import segments_of
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.synthesizer import Synthesizer
from workers.text.words import Said

pytestmark = pytest.mark.anyio

VOICE = (BlendPart("af_heart", 1.0),)


def chapters(n_chapters: int, n_segments: int = 2) -> str:
    return "".join(f"Chapter {number}\n\n{text_of(n_segments)}\n\n" for number in range(1, n_chapters + 1))


class CountingEngine(ToneEngine):
    """Remembers what it spoke."""

    def __init__(self) -> None:
        super().__init__()
        self.spoken: list[str] = []

    def synthesize(self, segments: Any, *, n_threads: int = 1) -> Any:
        self.spoken.extend(segment.text for segment in segments)
        return super().synthesize(segments, n_threads=n_threads)


class RefusingEngine(ToneEngine):
    """Speaks nothing that it is asked to."""

    def phonemize(self, *args: Any, **kwargs: Any) -> Said:
        raise InvalidValue("Invalid value for 'voice'.", param="voice")


class Shop:
    """A worker's books, and RQ's lane, which is worked through by hand."""

    def __init__(self, redis: Redis, jobs: Jobs, folder: Path) -> None:
        self.redis = redis
        self.jobs = jobs
        self.book = JobBook(redis, job_ttl=60)
        self.store = Store(str(folder))
        self.engine = RelayEngine()
        self.scheduler = Scheduler(n_threads=1)
        self.broker = Broker(redis, max_queue=100)
        self.segment_bytes = 0
        self.max_seconds = math.inf
        self.runner = self.open_runner()

    def open_runner(self) -> JobRunner:
        synthesizer = Synthesizer(engines={"tone": self.engine}, scheduler=self.scheduler, ffmpeg_path=ffmpeg())
        return JobRunner(
            redis=self.redis,
            jobs=self.book,
            store=self.store,
            synthesizer=synthesizer,
            ffmpeg_path=ffmpeg(),
            keep=Budget(order_bytes=10**8, segment_bytes=self.segment_bytes),
            max_seconds=self.max_seconds,
        )

    async def take(self, text: str, **fields: Any) -> str:
        """A new job in the lane."""
        utterance = {
            "engine": "tone",
            "voice": VOICE,
            "language": "en-US",
            "format": "mp3",
            "speed": 4.0,
        }
        sound = {name: fields.pop(name) for name in list(fields) if name in Utterance.__struct_fields__}
        job = Job(
            id=new_job_id(),
            owner="me",
            status=JobStatus.QUEUED,
            utterance=Utterance(text="", **(utterance | sound)),
            model="tts-1",
            voice="alloy",
            request_id="req_1",
            created_at=int(time.time()),
            **fields,
        )
        await self.jobs.create(job, text)
        self.broker.submit_job(job.id)
        return job.id

    @property
    def queue(self) -> Queue:
        return lane_queue(self.redis, Lane.BATCH)

    def work(self, *, until: Callable[[], bool] = lambda: False) -> list[str]:
        """Does what is in the lane, and what comes into it, as a worker would; which tasks those were."""
        done = []
        while not until() and self.queue.count:
            rq_id = self.queue.pop_job_id()
            job = RqJob.fetch(rq_id, connection=self.redis, serializer=JSONSerializer)
            done.append(rq_id.rpartition("job_")[2].partition("-")[2])
            if self.task(job):
                job.set_status(RqStatus.FINISHED)
                self.queue.enqueue_dependents(job)
            else:
                self.queue.push_job_id(rq_id)
        return done

    def sweep_later(self) -> list[str]:
        """Sweeps twice when all open jobs are old enough, and does what is in the lane then."""
        for job_id in self.redis.zrange(keys.JOBS_OPEN, 0, -1):
            self.redis.zadd(keys.JOBS_OPEN, {job_id: (time.time() - 120) * 1000})
        self.runner.sweep()
        self.runner.sweep()
        return self.work()

    def task(self, job: RqJob) -> bool:
        tasks = {Task.PLAN: self.runner.plan, Task.PART: self.runner.speak_part, Task.JOIN: self.runner.join}
        return tasks[Task(job.func_name)](*job.args)

    def job(self, job_id: str) -> Job:
        job = self.book.load(job_id)
        assert job is not None
        return job

    def error(self, job_id: str) -> Exception:
        error = self.job(job_id).error
        assert error is not None
        return from_wire(error)

    def read(self, path: str) -> bytes:
        with self.store.open(path) as file:
            return file.read(-1)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def gated(background: ThreadPoolExecutor) -> Iterator[GatedEngine]:
    """Lets go, in the end, of whoever waits in the background."""
    engine = GatedEngine()
    yield engine
    engine.release(1000)


@pytest.fixture
async def shop(redis: Redis, aredis: AsyncRedis, tmp_path: Path) -> Any:
    shop = Shop(redis, Jobs(aredis, Bell(aredis, keys.JOBS_BELL), job_ttl=60), tmp_path)
    yield shop
    shop.scheduler.close()


async def test_a_text_is_planned_spoken_in_parts_and_joined(shop: Shop) -> None:
    job_id = await shop.take(chapters(3), title="Canoes", webhook_url="http://a.b/")

    assert shop.work() == ["plan", "part-1", "part-2", "part-3", "join"]

    job = shop.job(job_id)
    data = shop.read(file_path(job_id, "speech.mp3"))
    assert job.status is JobStatus.COMPLETED
    assert job.file is not None
    etag = hashlib.sha256(data).hexdigest()[:32]
    assert job.file == File(name="speech.mp3", n_bytes=len(data), etag=etag, seconds=job.file.seconds)
    assert job.file.seconds == pytest.approx(job.progress.audio_seconds + 2 * CHAPTER_PAUSE_SECONDS / 4, abs=0.005)
    assert len(decode(data, "mp3")) / 24_000 == pytest.approx(job.file.seconds, abs=0.05)
    assert job.progress.segments_done == job.progress.segments_total == 9
    assert b"Canoes" in data
    assert data.count(b"CHAP") == 3
    assert not shop.store.exists(parts_folder(job_id))
    assert not shop.redis.exists(keys.kept(f"job:{job_id}:1"))
    assert shop.redis.zscore(keys.WEBHOOKS, job_id) is not None


async def test_the_file_is_what_the_parts_are(shop: Shop, tmp_path: Path) -> None:
    job_id = await shop.take(chapters(2), format="wav")
    shop.work(until=lambda: len(shop.book.done_parts(job_id)) == 2)
    parts = [np.frombuffer(shop.read(part_path(job_id, number)), "<i2") for number in (1, 2)]
    pause = np.zeros(round(CHAPTER_PAUSE_SECONDS / 4 * 24_000), "<i2")
    shop.work()
    samples, _ = soundfile.read(tmp_path / job_id / "speech.wav", dtype="int16")
    assert np.array_equal(samples, np.concatenate([parts[0], pause, parts[1]]))


async def test_no_more_than_a_window_of_parts_waits_in_the_lane(shop: Shop) -> None:
    first, second = [await shop.take(chapters(WINDOW + 4, n_segments=1), format="pcm") for _ in range(2)]
    done = shop.work(until=lambda: shop.queue.count == 2 * WINDOW)
    assert done == ["plan", "plan"]
    order = [shop.queue.job_ids[0].startswith(first), shop.queue.job_ids[-1].startswith(second)]
    assert order == [True, True]
    shop.work()
    assert {shop.job(one).status for one in (first, second)} == {JobStatus.COMPLETED}


async def test_a_part_that_is_done_is_not_spoken_again(shop: Shop) -> None:
    shop.engine.now = engine = CountingEngine()
    job_id = await shop.take(chapters(2))
    shop.work(until=lambda: len(shop.book.done_parts(job_id)) == 1)
    n_spoken = len(engine.spoken)
    assert shop.open_runner().speak_part(job_id, 1)
    assert len(engine.spoken) == n_spoken


async def test_what_was_spoken_in_one_part_is_not_spoken_in_another_nor_in_another_job(shop: Shop) -> None:
    shop.engine.now = engine = CountingEngine()
    shop.segment_bytes = 10**8
    shop.runner = shop.open_runner()
    said = []
    for _ in range(2):
        job_id = await shop.take(chapters(3), format="wav")
        shop.work()
        said.append(shop.read(file_path(job_id, "speech.wav")))
        assert shop.job(job_id).progress.segments_done == 9

    n_headings, n_sentences = 3, 2
    assert len(engine.spoken) == len(set(engine.spoken)) == n_headings + n_sentences
    assert said[0] == said[1]


async def test_a_worker_that_dies_within_a_part_costs_the_segment_it_was_at(
    shop: Shop, background: ThreadPoolExecutor, gated: GatedEngine
) -> None:
    job_id = await shop.take(text_of(8), normalize=False)
    shop.work(until=lambda: shop.queue.job_ids == [f"{job_id}-part-1"])
    shop.engine.now = gated
    gated.release(3)
    first = background.submit(shop.runner.speak_part, job_id, 1)
    gated.wait_begun(4)
    # What is kept now is what a worker that is killed now leaves behind.
    shop.engine.now = engine = CountingEngine()
    earlier, shop.scheduler = shop.scheduler, Scheduler(n_threads=1)
    assert shop.open_runner().speak_part(job_id, 1)
    assert [one.text for one in gated.spoken] + engine.spoken == _segments(text_of(8))
    assert len(gated.spoken) == 3
    data = shop.read(part_path(job_id, 1))
    gated.release(8)
    assert first.result()
    earlier.close()
    assert shop.read(part_path(job_id, 1)) == data


async def test_progress_is_told_while_a_part_is_spoken(shop: Shop, background: ThreadPoolExecutor, gated: GatedEngine) -> None:
    job_id = await shop.take(text_of(6))
    shop.work(until=lambda: shop.queue.job_ids == [f"{job_id}-part-1"])
    shop.engine.now = gated
    total = shop.job(job_id).progress.segments_total
    working = background.submit(shop.work)
    gated.release(2)
    wait_until(lambda: shop.job(job_id).progress.segments_done >= 2)
    progress = shop.job(job_id).progress
    assert progress.segments_done < progress.segments_total == total
    gated.release(100)
    assert working.result() == ["part-1", "join"]


async def test_a_part_that_fails_is_tried_again(shop: Shop) -> None:
    job_id = await shop.take(chapters(2))
    shop.engine.now = FailingEngine(fail_at=2)
    shop.work(until=lambda: bool(shop.redis.hexists(keys.job_attempts(job_id), "1")))
    shop.engine.now = ToneEngine()
    assert shop.work() == ["part-2", "part-1", "join"]
    assert shop.job(job_id).status is JobStatus.COMPLETED


async def test_a_part_that_fails_again_and_again_fails_the_job(shop: Shop) -> None:
    shop.engine.now = FailingEngine(fail_at=0)
    job_id = await shop.take(text_of(2), webhook_url="http://a.b/")
    assert shop.work() == ["plan", *["part-1"] * (MAX_RETRIES + 1), "join"]
    assert shop.job(job_id).status is JobStatus.FAILED
    assert type(shop.error(job_id)) in (EngineFailed, InternalError)
    assert not shop.store.exists(job_id)
    assert shop.redis.zscore(keys.WEBHOOKS, job_id) is not None


async def test_what_cannot_be_spoken_as_it_was_asked_fails_the_job_at_once(shop: Shop) -> None:
    shop.engine.now = RefusingEngine()
    shop.engine.phonemize = shop.engine.now.phonemize  # type: ignore[method-assign]
    job_id = await shop.take(text_of(2))
    assert shop.work() == ["plan", "part-1", "join"]
    error = shop.error(job_id)
    assert isinstance(error, InvalidValue)
    assert error.param == "voice"


async def test_a_job_with_more_audio_than_a_job_may_have_ends_and_leaves_no_file(shop: Shop) -> None:
    shop.max_seconds = 10.0
    shop.runner = shop.open_runner()
    job_id = await shop.take("One. [pause:8s] Two. [pause:8s] Three.")

    shop.work()

    error = shop.error(job_id)
    assert isinstance(error, JobTooLong)
    assert "KOE_MAX_JOB_SECONDS" in error.message
    assert not shop.store.exists(job_id)


async def test_the_audio_of_all_parts_counts_for_the_length_of_a_job(shop: Shop) -> None:
    job_id = await shop.take(chapters(3))
    shop.work(until=lambda: len(shop.book.done_parts(job_id)) == 2)
    shop.max_seconds = sum(part.audio_seconds for part in shop.book.done_parts(job_id).values()) + 0.1
    shop.runner = shop.open_runner()

    shop.work()

    assert isinstance(shop.error(job_id), JobTooLong)


async def test_a_job_that_has_no_room_on_the_disk_ends_and_says_so(shop: Shop, tmp_path: Path) -> None:
    shop.store = Store(str(tmp_path), reserve_bytes=2**60)
    shop.runner = shop.open_runner()
    job_id = await shop.take(chapters(2))

    tasks = shop.work()

    assert tasks.count("part-1") == 1
    assert isinstance(shop.error(job_id), StoreFull)


async def test_parts_that_another_run_has_cleaned_up_are_no_failure(shop: Shop, tmp_path: Path) -> None:
    class Overtaken(Store):
        """One whose files go, with their job, just before the first of them is read."""

        def open(self, path: str) -> BinaryIO:
            shop.book.fail(job_id, InternalError())
            self.delete_folder(job_id)
            return super().open(path)

    job_id = await shop.take(chapters(2))
    shop.work(until=lambda: len(shop.book.done_parts(job_id)) == 2)
    shop.store = Overtaken(str(tmp_path))
    shop.runner = shop.open_runner()

    with capture_logs() as logs:
        assert shop.runner.join(job_id)

    assert [line["event"] for line in logs] == ["job_not_wanted"]


async def test_a_part_that_kills_its_workers_fails_the_job(shop: Shop) -> None:
    job_id = await shop.take(text_of(2))
    shop.work(until=lambda: shop.queue.job_ids == [f"{job_id}-part-1"])
    for _ in range(MAX_STARTS):
        shop.book.count_attempt(job_id, -1)
    shop.work()
    assert str(shop.error(job_id)) == str(WorkersDied())


async def test_workers_that_die_at_different_segments_are_not_held_against_the_part(shop: Shop) -> None:
    job_id = await shop.take(text_of(MAX_STARTS + 3))
    shop.work(until=lambda: shop.queue.job_ids == [f"{job_id}-part-1"])
    for _ in range(MAX_STARTS + 2):
        shop.engine.now = FailingEngine(fail_at=1)
        shop.runner.speak_part(job_id, 1)
        shop.redis.hdel(keys.job_attempts(job_id), "1")
    assert shop.job(job_id).status is JobStatus.IN_PROGRESS


async def test_a_cancelled_job_stops_at_its_next_segment_and_leaves_no_file(
    shop: Shop, background: ThreadPoolExecutor, gated: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.jobs.wanted._LOOK_SECONDS", 0.0)
    shop.engine.now = gated
    gated.release(1)
    job_id = await shop.take(chapters(4, n_segments=4))
    working = background.submit(shop.work)
    gated.wait_begun(2)
    await shop.jobs.cancel(job_id, "me")
    gated.release(1)
    assert working.result(30) == ["plan", "part-1", "part-2", "part-3", "part-4", "join"]
    gated.release(100)
    assert shop.scheduler.n_waiting == 0
    assert len(gated.spoken) <= 3
    assert not shop.store.exists(job_id)
    assert shop.job(job_id).status is JobStatus.CANCELLED


@pytest.mark.parametrize("task", ["plan", "join"])
async def test_tasks_of_a_job_that_is_gone_return_quietly(task: str, shop: Shop) -> None:
    job_id = await shop.take(chapters(2))
    await shop.jobs.delete(job_id, "me")
    assert getattr(shop.runner, task)(job_id)
    assert shop.runner.speak_part(job_id, 1)
    assert shop.runner.speak_part(new_job_id(), 7)
    assert not shop.store.exists(job_id)


async def test_a_task_that_runs_again_after_the_end_leaves_the_file_alone(shop: Shop) -> None:
    job_id = await shop.take(chapters(2))
    shop.work()
    data = shop.read(file_path(job_id, "speech.mp3"))
    assert shop.runner.plan(job_id)
    assert shop.runner.speak_part(job_id, 2)
    assert shop.runner.join(job_id)
    assert shop.queue.count == 0
    assert shop.read(file_path(job_id, "speech.mp3")) == data
    assert shop.job(job_id).status is JobStatus.COMPLETED


async def test_a_join_before_its_time_has_the_missing_parts_spoken(shop: Shop) -> None:
    job_id = await shop.take(chapters(2))
    shop.work(until=lambda: len(shop.book.done_parts(job_id)) == 1)
    shop.queue.empty()
    assert shop.runner.join(job_id)
    assert shop.work() == ["part-2"]
    assert shop.sweep_later() == ["join"]
    assert shop.job(job_id).status is JobStatus.COMPLETED


async def test_what_was_lost_from_the_lane_is_put_back_by_the_sweep(shop: Shop) -> None:
    planned, spoken = [await shop.take(chapters(2)) for _ in range(2)]
    shop.task(RqJob.fetch(f"{spoken}-plan", connection=shop.redis, serializer=JSONSerializer))
    shop.queue.empty()
    shop.runner.sweep()
    assert shop.queue.count == 0
    assert sorted(shop.sweep_later()) == ["join", "part-1", "part-1", "part-2", "part-2", "plan"]
    shop.sweep_later()
    assert {shop.job(one).status for one in (planned, spoken)} == {JobStatus.COMPLETED}


async def test_what_has_expired_is_forgotten_with_its_files(shop: Shop) -> None:
    gone, kept = [await shop.take(chapters(2)) for _ in range(2)]
    shop.work()
    shop.redis.zadd(keys.JOBS_ENDED, {gone: time.time() - 1})
    shop.runner.sweep()
    assert shop.book.load(gone) is None
    assert not shop.store.exists(gone)
    assert shop.store.exists(file_path(kept, "speech.mp3"))


async def test_parts_of_uneven_loudness_are_evened(shop: Shop) -> None:
    """The second of three chapters is spoken by an engine that is 6 dB softer."""
    job_id = await shop.take(chapters(3), format="pcm")
    done = 0
    while shop.job(job_id).status is not JobStatus.COMPLETED:
        shop.engine.now = SoftEngine() if done == 2 else ToneEngine()
        shop.work(until=_once())
        done += 1
    samples = decode(shop.read(file_path(job_id, "speech.pcm")), "pcm")
    pause = round(CHAPTER_PAUSE_SECONDS / 4 * 24_000)
    length = (len(samples) - 2 * pause) // 3
    starts = (0, length + pause, 2 * (length + pause))
    first, second, last = (float(np.abs(samples[start : start + length]).max()) for start in starts)
    assert first == pytest.approx(last, rel=0.01)
    assert second == pytest.approx(first * 10 ** (-3 / 20), rel=0.05)


@pytest.mark.parametrize("text", [" \n ", "…"])
async def test_a_text_with_nothing_to_say_becomes_a_short_silence(text: str, shop: Shop) -> None:
    job_id = await shop.take(text, format="flac")
    shop.work()
    file = shop.job(job_id).file
    assert file is not None
    assert file.seconds == 0.25


# Words


async def test_the_words_of_all_parts_are_told_where_the_file_has_them(shop: Shop, tmp_path: Path) -> None:
    text = chapters(3)
    job_id = await shop.take(text, format="wav", timestamps=True)
    shop.work()
    captions = msgspec.json.decode(shop.read(words_path(job_id)), type=Captions)
    assert [word.word for word in captions.words] == text.split()
    assert " ".join(cue.text for cue in captions.cues).split() == text.split()
    samples, _ = soundfile.read(tmp_path / job_id / "speech.wav", dtype="int16")
    for word in captions.words:
        if word.word == "Chapter":
            start = round(word.start * 24_000)
            assert word.start * 24_000 == pytest.approx(start, abs=0.02)
            assert samples[start] != 0
            assert start == 0 or not samples[start - 100 : start].any()
    file = shop.job(job_id).file
    assert file is not None
    assert captions.words[-1].end <= file.seconds


async def test_the_words_of_a_part_are_there_before_it_is_done_and_gone_after_the_end(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await shop.take(chapters(2), timestamps=True)
    seen = []
    note = shop.book.part_done

    def part_done(job_id: str, part: int, **result: Any) -> None:
        seen.append(read_words(shop.read(part_words_path(job_id, part))))
        note(job_id, part, **result)

    monkeypatch.setattr(shop.book, "part_done", part_done)
    shop.work()
    assert [words[0].word for words in seen] == ["Chapter", "Chapter"]
    assert [words[0].start for words in seen] == [0.0, 0.0]
    assert {path.name for path in (tmp_path / job_id).iterdir()} == {"speech.mp3", "words.json"}


async def test_a_job_that_wants_no_times_keeps_none(shop: Shop, tmp_path: Path) -> None:
    job_id = await shop.take(chapters(2))
    shop.work(until=lambda: len(shop.book.done_parts(job_id)) == 2)
    assert {path.name for path in (tmp_path / job_id / "parts").iterdir()} == {"00001.pcm", "00002.pcm"}
    shop.work()
    assert [path.name for path in (tmp_path / job_id).iterdir()] == ["speech.mp3"]


async def test_a_part_that_two_workers_speak_tells_each_word_once(
    shop: Shop, background: ThreadPoolExecutor, gated: GatedEngine
) -> None:
    text = text_of(8)
    job_id = await shop.take(text, timestamps=True)
    shop.work(until=lambda: shop.queue.job_ids == [f"{job_id}-part-1"])
    shop.engine.now = gated
    gated.release(3)
    first = background.submit(shop.runner.speak_part, job_id, 1)
    gated.wait_begun(4)
    shop.engine.now = engine = CountingEngine()
    earlier, shop.scheduler = shop.scheduler, Scheduler(n_threads=1)
    assert shop.open_runner().speak_part(job_id, 1)
    words = read_words(shop.read(part_words_path(job_id, 1)))
    assert len(engine.spoken) == 5
    gated.release(8)
    assert first.result()
    earlier.close()
    assert read_words(shop.read(part_words_path(job_id, 1))) == words
    assert [word.word for word in words] == text.split()
    shop.work()
    assert [word.word for word in msgspec.json.decode(shop.read(words_path(job_id)), type=Captions).words] == text.split()


async def test_a_part_that_failed_midway_tells_each_word_once(shop: Shop) -> None:
    text = text_of(4)
    job_id = await shop.take(text, timestamps=True)
    shop.engine.now = FailingEngine(fail_at=2)
    shop.work(until=lambda: bool(shop.redis.hexists(keys.job_attempts(job_id), "1")))
    shop.engine.now = ToneEngine()
    shop.work()
    assert [word.word for word in msgspec.json.decode(shop.read(words_path(job_id)), type=Captions).words] == text.split()


async def test_a_part_whose_words_are_lost_is_spoken_again(shop: Shop, tmp_path: Path) -> None:
    job_id = await shop.take(chapters(2), timestamps=True)
    shop.work(until=lambda: len(shop.book.done_parts(job_id)) == 1)
    words = shop.read(part_words_path(job_id, 1))
    (tmp_path / part_words_path(job_id, 1)).unlink()
    assert shop.runner.speak_part(job_id, 1)
    assert shop.read(part_words_path(job_id, 1)) == words


async def test_a_text_with_nothing_to_say_has_no_words(shop: Shop) -> None:
    job_id = await shop.take("…", timestamps=True)
    shop.work()
    assert shop.read(words_path(job_id)) == b'{"words":[],"cues":[]}'


class SoftEngine(ToneEngine):
    """Half as loud."""

    def synthesize(self, segments: Any, *, n_threads: int = 1) -> Any:
        return [type(one)(one.samples / 2, one.words) for one in super().synthesize(segments, n_threads=n_threads)]


def _segments(text: str) -> list[str]:
    return [one.text for one in segments_of(text, ToneEngine(), voice=VOICE, language="en-US", speed=4.0)]


def _once() -> Callable[[], bool]:
    asked = iter([False])
    return lambda: next(asked, True)
