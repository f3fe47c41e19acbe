"""The sweep: it queues lost tasks again, and deletes expired jobs."""

import time

import pytest
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from app.core.jobs.files import file_path
from app.core.jobs.job import JobStatus
from app.core.storage import keys
from tests.job_harness import JobHarness, chapters

pytestmark = pytest.mark.anyio


async def test_what_was_lost_from_the_queue_is_put_back_by_the_sweep(harness: JobHarness) -> None:
    planned, spoken = [await harness.create_job(chapters(2)) for _ in range(2)]
    harness.task(RqJob.fetch(f"{spoken}-plan", connection=harness.redis, serializer=JSONSerializer))
    harness.queue.empty()
    harness.runner.sweep()
    assert harness.queue.count == 0
    assert sorted(harness.sweep_later()) == ["join", "part-1", "part-1", "part-2", "part-2", "plan"]
    harness.sweep_later()
    assert {harness.job(one).status for one in (planned, spoken)} == {JobStatus.COMPLETED}


async def test_what_has_expired_is_forgotten_with_its_files(harness: JobHarness) -> None:
    expired, current = [await harness.create_job(chapters(2)) for _ in range(2)]
    harness.work()
    harness.redis.zadd(keys.JOBS_ENDED, {expired: time.time() - 1})
    harness.runner.sweep()
    assert harness.job_store.load(expired) is None
    assert not harness.store.exists(expired)
    assert harness.store.exists(file_path(current, "speech.mp3"))
