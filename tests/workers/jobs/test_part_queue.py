"""The tasks of a job that wait in the queue."""

import pytest

from app.core.jobs.job import JobStatus
from tests.job_harness import JobHarness, chapters
from workers.jobs.part_queue import WINDOW

pytestmark = pytest.mark.anyio


async def test_no_more_than_a_window_of_parts_waits_in_the_queue(harness: JobHarness) -> None:
    first, second = [await harness.create_job(chapters(WINDOW + 4, n_segments=1), format="pcm") for _ in range(2)]
    done = harness.work(until=lambda: harness.queue.count == 2 * WINDOW)
    assert done == ["plan", "plan"]
    task = [harness.queue.job_ids[0].startswith(first), harness.queue.job_ids[-1].startswith(second)]
    assert task == [True, True]
    harness.work()
    assert {harness.job(one).status for one in (first, second)} == {JobStatus.COMPLETED}


async def test_a_join_before_its_time_has_the_missing_parts_spoken(harness: JobHarness) -> None:
    job_id = await harness.create_job(chapters(2))
    harness.work(until=lambda: len(harness.job_store.done_parts(job_id)) == 1)
    harness.queue.empty()
    assert harness.runner.join(job_id)
    assert harness.work() == ["part-2"]
    assert harness.sweep_later() == ["join"]
    assert harness.job(job_id).status is JobStatus.COMPLETED
