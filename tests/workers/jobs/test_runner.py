"""The steps of a job: planning, speaking in parts, joining; and its state after failures and cancellations."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from structlog.testing import capture_logs

from app.core.errors import EngineFailed, InternalError, InvalidValue, JobTooLong, StoreFull
from app.core.jobs.files import Store, file_path, parts_folder
from app.core.jobs.job import File, JobStatus, new_job_id
from app.core.storage import keys
from tests.audio import decode
from tests.engines import FailingEngine, GatedEngine, text_of
from tests.job_harness import JobHarness, chapters
from workers.engines.tone import ToneEngine
from workers.jobs.plan import CHAPTER_PAUSE_SECONDS
from workers.jobs.runner import MAX_RETRIES
from workers.text.words import PhonemizedText

pytestmark = pytest.mark.anyio


class RefusingEngine(ToneEngine):
    """Refuses to speak any text."""

    def phonemize(self, *args: Any, **kwargs: Any) -> PhonemizedText:
        raise InvalidValue("Invalid value for 'voice'.", param="voice")


async def test_a_text_is_planned_spoken_in_parts_and_joined(harness: JobHarness) -> None:
    job_id = await harness.create_job(chapters(3), title="Canoes", webhook_url="http://a.b/")

    assert harness.work() == ["plan", "part-1", "part-2", "part-3", "join"]

    job = harness.job(job_id)
    data = harness.read(file_path(job_id, "speech.mp3"))
    assert job.status is JobStatus.COMPLETED
    assert job.file is not None
    etag = hashlib.sha256(data).hexdigest()[:32]
    starts = [chapter.start for chapter in job.file.chapters]
    assert [chapter.title for chapter in job.file.chapters] == ["Chapter 1", "Chapter 2", "Chapter 3"]
    assert starts[0] == 0.0 < starts[1] < starts[2] < job.file.seconds
    assert job.file == File(
        name="speech.mp3", n_bytes=len(data), etag=etag, seconds=job.file.seconds, chapters=job.file.chapters
    )
    assert job.file.seconds == pytest.approx(job.progress.audio_seconds + 2 * CHAPTER_PAUSE_SECONDS / 4, abs=0.005)
    assert len(decode(data, "mp3")) / 24_000 == pytest.approx(job.file.seconds, abs=0.05)
    assert job.progress.segments_done == job.progress.segments_total == 9
    assert b"Canoes" in data
    assert data.count(b"CHAP") == 3
    assert not harness.store.exists(parts_folder(job_id))
    assert not harness.redis.exists(keys.cached_segments(f"job:{job_id}:1"))
    assert harness.redis.zscore(keys.WEBHOOKS, job_id) is not None


async def test_a_part_that_fails_is_tried_again(harness: JobHarness) -> None:
    job_id = await harness.create_job(chapters(2))
    harness.engine.now = FailingEngine(fail_at=2)
    harness.work(until=lambda: bool(harness.redis.hexists(keys.job_attempts(job_id), "1")))
    harness.engine.now = ToneEngine()
    assert harness.work() == ["part-2", "part-1", "join"]
    assert harness.job(job_id).status is JobStatus.COMPLETED


async def test_a_part_that_fails_again_and_again_fails_the_job(harness: JobHarness) -> None:
    harness.engine.now = FailingEngine(fail_at=0)
    job_id = await harness.create_job(text_of(2), webhook_url="http://a.b/")
    assert harness.work() == ["plan", *["part-1"] * (MAX_RETRIES + 1), "join"]
    assert harness.job(job_id).status is JobStatus.FAILED
    assert type(harness.error(job_id)) in (EngineFailed, InternalError)
    assert not harness.store.exists(job_id)
    assert harness.redis.zscore(keys.WEBHOOKS, job_id) is not None


async def test_what_cannot_be_spoken_as_it_was_asked_fails_the_job_at_once(harness: JobHarness) -> None:
    harness.engine.now = RefusingEngine()
    harness.engine.phonemize = harness.engine.now.phonemize  # type: ignore[method-assign]
    job_id = await harness.create_job(text_of(2))
    assert harness.work() == ["plan", "part-1", "join"]
    error = harness.error(job_id)
    assert isinstance(error, InvalidValue)
    assert error.param == "voice"


async def test_a_job_with_more_audio_than_a_job_may_have_ends_and_leaves_no_file(harness: JobHarness) -> None:
    harness.max_seconds = 10.0
    harness.runner = harness.open_runner()
    job_id = await harness.create_job("One. [pause:8s] Two. [pause:8s] Three.")

    harness.work()

    error = harness.error(job_id)
    assert isinstance(error, JobTooLong)
    assert "KOE_MAX_JOB_SECONDS" in error.message
    assert not harness.store.exists(job_id)


async def test_the_audio_of_all_parts_counts_for_the_length_of_a_job(harness: JobHarness) -> None:
    job_id = await harness.create_job(chapters(3))
    harness.work(until=lambda: len(harness.job_store.done_parts(job_id)) == 2)
    harness.max_seconds = sum(part.audio_seconds for part in harness.job_store.done_parts(job_id).values()) + 0.1
    harness.runner = harness.open_runner()

    harness.work()

    assert isinstance(harness.error(job_id), JobTooLong)


async def test_a_job_that_has_no_room_on_the_disk_ends_and_says_so(harness: JobHarness, tmp_path: Path) -> None:
    harness.store = Store(str(tmp_path), reserve_bytes=2**60)
    harness.runner = harness.open_runner()
    job_id = await harness.create_job(chapters(2))

    tasks = harness.work()

    assert tasks.count("part-1") == 1
    assert isinstance(harness.error(job_id), StoreFull)


async def test_parts_that_another_run_has_cleaned_up_are_no_failure(harness: JobHarness, tmp_path: Path) -> None:
    class Overtaken(Store):
        """A store whose files are deleted, and whose job fails, just before the first file is read."""

        def open(self, path: str) -> BinaryIO:
            harness.job_store.fail(job_id, InternalError())
            self.delete_folder(job_id)
            return super().open(path)

    job_id = await harness.create_job(chapters(2))
    harness.work(until=lambda: len(harness.job_store.done_parts(job_id)) == 2)
    harness.store = Overtaken(str(tmp_path))
    harness.runner = harness.open_runner()

    with capture_logs() as logs:
        assert harness.runner.join(job_id)

    assert [line["event"] for line in logs] == ["job_not_wanted"]


async def test_a_cancelled_job_stops_at_its_next_segment_and_leaves_no_file(
    harness: JobHarness, background: ThreadPoolExecutor, gated: GatedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.jobs.wanted._CHECK_SECONDS", 0.0)
    harness.engine.now = gated
    gated.release(1)
    job_id = await harness.create_job(chapters(4, n_segments=4))
    working = background.submit(harness.work)
    gated.wait_begun(2)
    await harness.jobs.cancel(job_id, "me")
    gated.release(1)
    assert working.result(30) == ["plan", "part-1", "part-2", "part-3", "part-4", "join"]
    gated.release(100)
    assert harness.scheduler.n_waiting == 0
    assert len(gated.spoken) <= 3
    assert not harness.store.exists(job_id)
    assert harness.job(job_id).status is JobStatus.CANCELLED


@pytest.mark.parametrize("task", ["plan", "join"])
async def test_tasks_of_a_job_that_is_gone_return_quietly(task: str, harness: JobHarness) -> None:
    job_id = await harness.create_job(chapters(2))
    await harness.jobs.delete(job_id, "me")
    assert getattr(harness.runner, task)(job_id)
    assert harness.runner.speak_part(job_id, 1)
    assert harness.runner.speak_part(new_job_id(), 7)
    assert not harness.store.exists(job_id)


async def test_a_task_that_runs_again_after_the_end_leaves_the_file_alone(harness: JobHarness) -> None:
    job_id = await harness.create_job(chapters(2))
    harness.work()
    data = harness.read(file_path(job_id, "speech.mp3"))
    assert harness.runner.plan(job_id)
    assert harness.runner.speak_part(job_id, 2)
    assert harness.runner.join(job_id)
    assert harness.queue.count == 0
    assert harness.read(file_path(job_id, "speech.mp3")) == data
    assert harness.job(job_id).status is JobStatus.COMPLETED
