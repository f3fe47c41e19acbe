"""Jobs on both sides: their owners, their progress and their ends, with a real Valkey."""

import asyncio
import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import EngineFailed, InvalidValue, RateLimited, UnknownJob
from app.core.jobs.job import File, Job, JobStatus, Part, Progress, new_job_id
from app.core.jobs.job_store import JobStore
from app.core.jobs.jobs import Jobs
from app.core.speech.utterance import Utterance
from app.core.speech.voices import BlendPart
from app.core.storage import keys
from app.core.storage.notifier import Notifier
from tests import replies

pytestmark = pytest.mark.anyio

TTL = 60
FILE = File(name="speech.mp3", n_bytes=10, etag="abc", seconds=1.5)
PARTS = [Part(start=0, end=5, n_segments=2, chapter="One"), Part(start=5, end=9, n_segments=3)]
TEXT = "One. Zwei? さん。"


@pytest.fixture
async def notifier(aredis: AsyncRedis) -> AsyncIterator[Notifier]:
    notifier = Notifier(aredis, keys.JOB_NOTIFICATIONS)
    notifier.start()
    yield notifier
    await notifier.stop()


@pytest.fixture
def jobs(aredis: AsyncRedis, notifier: Notifier) -> Jobs:
    return Jobs(aredis, notifier, job_ttl=TTL)


@pytest.fixture
def job_store(redis: Redis) -> JobStore:
    return JobStore(redis, job_ttl=TTL)


def new_job(owner: str = "me", **fields: object) -> Job:
    utterance = Utterance(text="", engine="tone", voice=(BlendPart("af_heart", 1.0),), language="en-US", format="mp3")
    given = {"title": "A book", "metadata": {"a": "b"}, "webhook_url": None} | fields
    return Job(
        id=new_job_id(),
        owner=owner,
        status=JobStatus.QUEUED,
        utterance=utterance,
        model="tts-1",
        voice="alloy",
        request_id="req_1",
        created_at=int(time.time()),
        **given,  # type: ignore[arg-type]
    )


async def created(jobs: Jobs, owner: str = "me", **fields: object) -> str:
    job = new_job(owner, **fields)
    await jobs.create(job, TEXT)
    return job.id


async def test_a_job_reads_as_it_was_written_on_both_sides(jobs: Jobs, job_store: JobStore) -> None:
    job = new_job(timestamps=True)
    await jobs.create(job, TEXT)
    assert await jobs.get(job.id, "me") == job
    assert job_store.load(job.id) == job
    assert job_store.text(job.id) == TEXT


async def test_a_record_from_before_there_were_times_of_words_is_read(redis: Redis, jobs: Jobs) -> None:
    job = new_job(timestamps=True)
    await jobs.create(job, TEXT)
    spec = msgspec.json.decode(redis.hget(keys.job(job.id), "spec"))  # type: ignore[arg-type]
    del spec["timestamps"]
    redis.hset(keys.job(job.id), "spec", msgspec.json.encode(spec))
    assert await jobs.get(job.id, "me") == msgspec.structs.replace(job, timestamps=False)


async def test_a_job_is_begun_once_and_again_by_a_worker_that_takes_over(jobs: Jobs, job_store: JobStore) -> None:
    job_id = await created(jobs)
    assert job_store.begin(job_id)
    started = (await jobs.get(job_id, "me")).started_at
    assert started is not None
    assert job_store.begin(job_id)
    assert (await jobs.get(job_id, "me")).started_at == started
    assert not job_store.begin(new_job_id())


async def test_the_first_plan_wins(jobs: Jobs, job_store: JobStore) -> None:
    job_id = await created(jobs)
    job_store.begin(job_id)
    assert job_store.plan(job_id, PARTS) == PARTS
    assert job_store.plan(job_id, PARTS[:1]) == PARTS
    assert job_store.parts(job_id) == PARTS
    assert (await jobs.get(job_id, "me")).progress == Progress(0, 5, 0.0, 0, 2)


async def test_progress_said_twice_counts_once_and_a_finished_part_corrects_the_total(jobs: Jobs, job_store: JobStore) -> None:
    job_id = await created(jobs)
    job_store.begin(job_id)
    job_store.plan(job_id, PARTS)
    for _ in range(2):
        job_store.advance(job_id, 1, n_segments=1, audio_seconds=0.25)
    assert (await jobs.get(job_id, "me")).progress == Progress(1, 5, 0.25, 0, 2)
    job_store.advance(job_id, 2, n_segments=4, audio_seconds=1)  # one more than was expected
    assert (await jobs.get(job_id, "me")).progress == Progress(5, 6, 1.25, 0, 2)
    job_store.part_done(job_id, 2, n_segments=2, audio_seconds=0.5, n_bytes=8, loudness_db=-20.5)
    job_store.advance(job_id, 2, n_segments=1, audio_seconds=0.1)  # a second worker, which lost the race
    assert (await jobs.get(job_id, "me")).progress == Progress(3, 4, 0.75, 1, 2)
    assert {number: result.n_bytes for number, result in job_store.done_parts(job_id).items()} == {2: 8}
    assert job_store.done_parts(job_id)[2].loudness_db == -20.5


async def test_a_completed_job_has_its_file_and_no_text_any_more(jobs: Jobs, job_store: JobStore) -> None:
    job_id = await created(jobs)
    job_store.begin(job_id)
    job_store.plan(job_id, PARTS)
    assert job_store.is_wanted(job_id)
    assert job_store.complete(job_id, FILE)
    job = await jobs.get(job_id, "me")
    assert (job.status, job.file) == (JobStatus.COMPLETED, FILE)
    assert job.completed_at is not None
    assert job.expires_at == job.completed_at + TTL
    assert not job_store.is_wanted(job_id)
    assert not job_store.begin(job_id)
    assert job_store.parts(job_id) == []
    with pytest.raises(UnknownJob):
        job_store.text(job_id)


async def test_a_failed_job_says_why(jobs: Jobs, job_store: JobStore) -> None:
    job_id = await created(jobs)
    job_store.begin(job_id)
    assert job_store.fail(job_id, EngineFailed("It broke."))
    job = await jobs.get(job_id, "me")
    assert (job.status, job.error) == (
        JobStatus.FAILED,
        {"code": "internal_error", "message": "It broke.", "param": ""},
    )


async def test_a_job_that_has_ended_is_neither_ended_again_nor_changed_by_a_late_worker(
    jobs: Jobs, job_store: JobStore, redis: Redis
) -> None:
    job_id = await created(jobs)
    job_store.begin(job_id)
    job_store.plan(job_id, PARTS)
    ended = await jobs.cancel(job_id, "me")
    assert ended.status is JobStatus.CANCELLED
    assert not job_store.complete(job_id, FILE)
    assert not job_store.fail(job_id, EngineFailed())
    assert job_store.plan(job_id, PARTS) == []
    assert job_store.count_attempt(job_id, 1) == 0
    job_store.advance(job_id, 1, n_segments=1, audio_seconds=1)
    job_store.part_done(job_id, 1, n_segments=1, audio_seconds=1, n_bytes=1, loudness_db=None)
    assert await jobs.cancel(job_id, "me") == ended
    assert replies.key_names(redis, f"koe:job:{job_id}*") == [keys.job(job_id)]


async def test_failures_of_a_part_are_counted(jobs: Jobs, job_store: JobStore) -> None:
    job_id = await created(jobs)
    job_store.begin(job_id)
    assert [job_store.count_attempt(job_id, 1), job_store.count_attempt(job_id, 1), job_store.count_attempt(job_id, 2)] == [
        1,
        2,
        1,
    ]


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
async def test_every_end_queues_the_webhook_of_a_job_that_has_one(
    jobs: Jobs, job_store: JobStore, redis: Redis, end: str
) -> None:
    with_webhook, silent = await created(jobs, webhook_url="https://example.com/"), await created(jobs)
    for job_id in (with_webhook, silent):
        job_store.begin(job_id)
        if end == "complete":
            job_store.complete(job_id, FILE)
        elif end == "fail":
            job_store.fail(job_id, EngineFailed())
        else:
            await jobs.cancel(job_id, "me")
    [(name, due)] = replies.scores(redis, keys.WEBHOOKS)
    assert name == with_webhook
    assert due <= time.time() + 1


async def test_another_owners_job_is_as_unknown_as_none(jobs: Jobs) -> None:
    job_id = await created(jobs, "me")
    for ask in (jobs.get, jobs.cancel, jobs.delete):
        with pytest.raises(UnknownJob):
            await ask(job_id, "you")
    with pytest.raises(UnknownJob):
        await anext(jobs.watch(job_id, "you"))
    assert await jobs.list("you", limit=10) == ([], False)


@pytest.mark.parametrize("job_id", ["", "job_1", "of:me", f"job_{'0' * 24}:text", "*", "job_" + "f" * 24])
async def test_an_invalid_id_is_an_unknown_job(jobs: Jobs, job_id: str) -> None:
    with pytest.raises(UnknownJob):
        await jobs.get(job_id, "me")


async def test_a_list_is_the_newest_first_and_continues_after_any_job(jobs: Jobs) -> None:
    made = []
    for _ in range(5):
        made.append(await created(jobs))
        await asyncio.sleep(0.002)  # the order is by milliseconds
    newest_first = made[::-1]
    listed, has_more = await jobs.list("me", limit=2)
    assert ([job.id for job in listed], has_more) == (newest_first[:2], True)
    listed, has_more = await jobs.list("me", limit=3, after=newest_first[1])
    assert ([job.id for job in listed], has_more) == (newest_first[2:], False)
    with pytest.raises(InvalidValue):
        await jobs.list("me", limit=3, after=new_job_id())


async def test_a_deleted_job_is_unknown_to_its_owner_and_its_folder_is_swept_once_more(
    jobs: Jobs, job_store: JobStore, redis: Redis
) -> None:
    job_id = await created(jobs, webhook_url="https://example.com/")
    job_store.begin(job_id)
    await jobs.delete(job_id, "me")
    with pytest.raises(UnknownJob):
        await jobs.get(job_id, "me")
    assert await jobs.list("me", limit=10) == ([], False)
    assert job_store.load(job_id) is None
    assert not job_store.is_wanted(job_id)
    assert job_store.expired() == []
    redis.zadd(keys.JOBS_ENDED, {job_id: time.time() - 1})
    assert job_store.expired() == [job_id]
    job_store.forget(job_id)
    assert redis.keys("koe:*") == [keys.METRICS.encode()]


async def test_an_expired_job_is_unknown_before_it_is_swept(aredis: AsyncRedis, notifier: Notifier, redis: Redis) -> None:
    jobs, job_store = Jobs(aredis, notifier, job_ttl=0), JobStore(redis, job_ttl=0)
    job_id = await created(jobs)
    job_store.begin(job_id)
    job_store.complete(job_id, FILE)
    with pytest.raises(UnknownJob):
        await jobs.get(job_id, "me")
    assert await jobs.list("me", limit=10) == ([], False)
    assert job_store.expired() == [job_id]
    job_store.forget(job_id)
    assert redis.keys("koe:*") == [keys.METRICS.encode()]


async def test_jobs_that_have_not_ended_can_be_found(jobs: Jobs, job_store: JobStore) -> None:
    waiting, ended = await created(jobs), await created(jobs)
    job_store.fail(ended, EngineFailed())
    assert job_store.unfinished(created_before=time.time() + 1) == [waiting]
    assert job_store.unfinished(created_before=time.time() - 60) == []


async def test_a_watcher_sees_each_change_and_the_end(jobs: Jobs, job_store: JobStore) -> None:
    job_id = await created(jobs)
    watching = jobs.watch(job_id, "me")
    assert (await anext(watching)).status is JobStatus.QUEUED
    job_store.begin(job_id)
    assert (await anext(watching)).status is JobStatus.IN_PROGRESS
    job_store.plan(job_id, PARTS)
    assert (await anext(watching)).progress.segments_total == 5
    job_store.complete(job_id, FILE)
    assert (await anext(watching)).status is JobStatus.COMPLETED
    with pytest.raises(StopAsyncIteration):
        await anext(watching)


async def test_a_change_is_seen_even_when_the_notifier_is_not_heard(aredis: AsyncRedis, job_store: JobStore) -> None:
    jobs = Jobs(aredis, Notifier(aredis, "elsewhere"), job_ttl=TTL)
    job_id = await created(jobs)
    watching = jobs.watch(job_id, "me")
    await anext(watching)
    job_store.begin(job_id)
    assert (await anext(watching)).status is JobStatus.IN_PROGRESS
    await watching.aclose()


async def test_a_job_that_is_deleted_ends_as_cancelled_for_a_watcher(jobs: Jobs) -> None:
    job_id = await created(jobs)
    watching = jobs.watch(job_id, "me")
    before = await anext(watching)
    await jobs.delete(job_id, "me")
    assert await anext(watching) == msgspec.structs.replace(before, status=JobStatus.CANCELLED)
    with pytest.raises(StopAsyncIteration):
        await anext(watching)


async def test_an_owner_has_no_more_jobs_open_than_allowed_and_nobody_else_is_counted(jobs: Jobs, job_store: JobStore) -> None:
    for _ in range(3):
        await jobs.create(new_job("alice"), TEXT, max_open=3)
    with pytest.raises(RateLimited, match="3 of your jobs have not ended") as caught:
        await jobs.create(new_job("alice"), TEXT, max_open=3)
    assert caught.value.retry_after_seconds == 30
    assert len((await jobs.list("alice", limit=10))[0]) == 3
    await jobs.create(new_job("bob"), TEXT, max_open=3)


@pytest.mark.parametrize("end", ["cancel", "delete", "complete", "fail", "forget", "lost"])
async def test_a_job_that_has_ended_in_any_way_no_longer_counts_as_open(
    end: str, jobs: Jobs, job_store: JobStore, redis: Redis
) -> None:
    job = new_job("alice")
    await jobs.create(job, TEXT, max_open=1)
    job_store.begin(job.id)
    if end in ("cancel", "delete"):
        await getattr(jobs, end)(job.id, "alice")
    elif end == "lost":
        redis.delete(keys.job(job.id))
    else:
        job_store.forget(job.id) if end == "forget" else getattr(job_store, end)(
            job.id, FILE if end == "complete" else EngineFailed()
        )
    await jobs.create(new_job("alice"), TEXT, max_open=1)
    with pytest.raises(RateLimited):
        await jobs.create(new_job("alice"), TEXT, max_open=1)
