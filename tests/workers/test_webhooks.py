"""The ends of jobs, told to a real server: once when it takes them, again and again when it does not."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core import keys
from app.core.bell import Bell
from app.core.broker import Lane, lane_queue
from app.core.errors import InternalError
from app.core.job_object import show_job
from app.core.jobs import File, Job, JobBook, Jobs, JobStatus, new_job_id
from app.core.utterance import Utterance
from app.core.voices import BlendPart
from tests.receivers import Receiver, open_receiver
from workers.webhooks import RETRY_SECONDS, Webhooks, due_webhooks

pytestmark = pytest.mark.anyio

KEY = bytes(range(24))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as receiver:
        yield receiver


@pytest.fixture
def book(redis: Redis) -> JobBook:
    return JobBook(redis, job_ttl=60)


@pytest.fixture
def jobs(aredis: AsyncRedis) -> Jobs:
    return Jobs(aredis, Bell(aredis, keys.JOBS_BELL), job_ttl=60)


@pytest.fixture
def webhooks(redis: Redis, book: JobBook) -> Webhooks:
    return Webhooks(redis=redis, jobs=book, secret=SECRET, private=True)


async def begun(jobs: Jobs, book: JobBook, url: str | None) -> str:
    utterance = Utterance(text="", engine="tone", voice=(BlendPart("af_heart", 1.0),), language="en-US", format="mp3")
    job = Job(
        id=new_job_id(),
        owner="me",
        status=JobStatus.QUEUED,
        utterance=utterance,
        model="tts-1",
        voice="alloy",
        title="Ōe",
        webhook_url=url,
        request_id="req_1",
        created_at=int(time.time()),
    )
    await jobs.create(job, "Hello.")
    book.begin(job.id)
    return job.id


async def completed(jobs: Jobs, book: JobBook, url: str | None) -> str:
    job_id = await begun(jobs, book, url)
    book.complete(job_id, File(name="speech.mp3", n_bytes=10, etag="abc", seconds=1.5))
    return job_id


def due_in_seconds(redis: Redis, job_id: str) -> float | None:
    due: Any = redis.zscore(keys.WEBHOOKS, job_id)
    return None if due is None else due - time.time()


async def test_the_end_of_a_job_is_told_as_the_api_shows_it(
    jobs: Jobs, book: JobBook, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, book, receiver.url)
    job = book.load(job_id)
    assert job is not None
    await asyncio.to_thread(webhooks.notify, job_id)
    ((_, headers, body),) = receiver.received
    event = json.loads(body)
    assert event["type"] == "audio.speech.job.completed"
    assert event["timestamp"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(job.completed_at))
    assert event["data"] == json.loads(msgspec.json.encode(show_job(job)))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert due_in_seconds(redis, job_id) is None


async def test_failures_and_cancellations_are_told_too(
    jobs: Jobs, book: JobBook, webhooks: Webhooks, receiver: Receiver
) -> None:
    failed, cancelled = [await begun(jobs, book, receiver.url) for _ in range(2)]
    book.fail(failed, InternalError())
    await jobs.cancel(cancelled, "me")
    for job_id in (failed, cancelled):
        await asyncio.to_thread(webhooks.notify, job_id)
    events = [json.loads(body) for _, _, body in receiver.received]
    assert [event["type"] for event in events] == ["audio.speech.job.failed", "audio.speech.job.cancelled"]
    assert events[0]["data"]["error"]["code"] == "internal_error"


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_what_is_not_taken_is_tried_again_later_and_later_and_then_given_up(
    status: int, jobs: Jobs, book: JobBook, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, book, receiver.url)
    receiver.answers = [(status, {})] * (len(RETRY_SECONDS) + 1)
    waits = []
    for _ in RETRY_SECONDS:
        await asyncio.to_thread(webhooks.notify, job_id)
        waits.append(due_in_seconds(redis, job_id))
    assert waits == pytest.approx(RETRY_SECONDS, abs=2)
    await asyncio.to_thread(webhooks.notify, job_id)
    assert due_in_seconds(redis, job_id) is None
    assert not redis.exists(keys.webhook_tries(job_id))
    assert len(receiver.received) == len(RETRY_SECONDS) + 1
    assert len({(headers["webhook-id"], body) for _, headers, body in receiver.received}) == 1


@pytest.mark.parametrize("status", [204, 299, 410])
async def test_what_is_taken_or_not_wanted_is_not_tried_again(
    status: int, jobs: Jobs, book: JobBook, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, book, receiver.url)
    receiver.answers = [(500, {}), (status, {})]
    await asyncio.to_thread(webhooks.notify, job_id)
    await asyncio.to_thread(webhooks.notify, job_id)
    assert due_in_seconds(redis, job_id) is None
    assert not redis.exists(keys.webhook_tries(job_id))


@pytest.mark.parametrize("broken", [{"private": False}, {"secret": None}])
async def test_what_may_not_be_sent_reaches_nobody_and_is_tried_again(
    broken: dict[str, Any], jobs: Jobs, book: JobBook, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, book, receiver.url)
    webhooks = Webhooks(**{"redis": redis, "jobs": book, "secret": SECRET, "private": True, **broken})
    await asyncio.to_thread(webhooks.notify, job_id)
    assert receiver.received == []
    assert due_in_seconds(redis, job_id) == pytest.approx(RETRY_SECONDS[0], abs=2)


async def test_a_job_that_was_deleted_meanwhile_is_not_told(
    jobs: Jobs, book: JobBook, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, book, receiver.url)
    await jobs.delete(job_id, "me")
    await asyncio.to_thread(webhooks.notify, job_id)
    assert receiver.received == []
    assert due_in_seconds(redis, job_id) is None


async def test_a_job_without_a_webhook_is_never_due(jobs: Jobs, book: JobBook, redis: Redis) -> None:
    await completed(jobs, book, None)
    due_webhooks(redis)
    assert lane_queue(redis, Lane.BATCH).count == 0


async def test_what_is_due_comes_into_the_lane_once_however_many_pools_there_are(
    jobs: Jobs, book: JobBook, redis: Redis
) -> None:
    due, later = [await completed(jobs, book, "http://a.b/") for _ in range(2)]
    redis.zadd(keys.WEBHOOKS, {later: time.time() + 5})
    for _ in range(3):
        due_webhooks(redis)
    assert lane_queue(redis, Lane.BATCH).job_ids == [f"{due}-notify"]


async def test_what_a_dead_worker_had_in_hand_is_due_again(jobs: Jobs, book: JobBook, redis: Redis) -> None:
    job_id = await completed(jobs, book, "http://a.b/")
    due_webhooks(redis)
    assert due_in_seconds(redis, job_id) == pytest.approx(60, abs=2)
    lane_queue(redis, Lane.BATCH).empty()
    redis.zadd(keys.WEBHOOKS, {job_id: time.time() - 1})
    due_webhooks(redis)
    assert lane_queue(redis, Lane.BATCH).job_ids == [f"{job_id}-notify"]
