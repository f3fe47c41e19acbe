"""Webhooks to a real server at the end of jobs: sent once if the server accepts them, otherwise again and again."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.errors import InternalError
from app.core.jobs.job import File, Job, JobStatus, new_job_id
from app.core.jobs.job_store import JobStore
from app.core.jobs.job_view import show_job
from app.core.jobs.jobs import Jobs
from app.core.speech.utterance import Utterance
from app.core.speech.voices import BlendPart
from app.core.storage import keys
from app.core.storage.notifier import Notifier
from tests.harness import wait_until
from tests.receivers import Receiver, open_receiver
from workers.jobs.webhooks import MAX_PER_HOST, MAX_PER_OWNER, RETRY_SECONDS, Senders, Webhooks

pytestmark = pytest.mark.anyio

KEY = bytes(range(24))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as receiver:
        yield receiver


@pytest.fixture
def job_store(redis: Redis) -> JobStore:
    return JobStore(redis, job_ttl=60)


@pytest.fixture
def jobs(aredis: AsyncRedis) -> Jobs:
    return Jobs(aredis, Notifier(aredis, keys.JOB_NOTIFICATIONS), job_ttl=60)


@pytest.fixture
def webhooks(redis: Redis, job_store: JobStore) -> Webhooks:
    return Webhooks(redis=redis, jobs=job_store, secret=SECRET, private=True)


async def begun(jobs: Jobs, job_store: JobStore, url: str | None, *, owner: str = "me") -> str:
    utterance = Utterance(text="", engine="tone", voice=(BlendPart("af_heart", 1.0),), language="en-US", format="mp3")
    job = Job(
        id=new_job_id(),
        owner=owner,
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
    job_store.begin(job.id)
    return job.id


async def completed(jobs: Jobs, job_store: JobStore, url: str | None, *, owner: str = "me") -> str:
    job_id = await begun(jobs, job_store, url, owner=owner)
    job_store.complete(job_id, File(name="speech.mp3", n_bytes=10, etag="abc", seconds=1.5))
    return job_id


async def wait_for(holds: Callable[[], Any]) -> None:
    await asyncio.to_thread(wait_until, holds)


def due_in_seconds(redis: Redis, job_id: str) -> float | None:
    due: Any = redis.zscore(keys.WEBHOOKS, job_id)
    return None if due is None else due - time.time()


async def test_the_end_of_a_job_is_told_as_the_api_shows_it(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, job_store, receiver.url)
    job = job_store.load(job_id)
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
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver
) -> None:
    failed, cancelled = [await begun(jobs, job_store, receiver.url) for _ in range(2)]
    job_store.fail(failed, InternalError())
    await jobs.cancel(cancelled, "me")
    for job_id in (failed, cancelled):
        await asyncio.to_thread(webhooks.notify, job_id)
    events = [json.loads(body) for _, _, body in receiver.received]
    assert [event["type"] for event in events] == ["audio.speech.job.failed", "audio.speech.job.cancelled"]
    assert events[0]["data"]["error"]["code"] == "internal_error"


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_what_is_not_taken_is_tried_again_later_and_later_and_then_given_up(
    status: int, jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, job_store, receiver.url)
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
    status: int, jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, job_store, receiver.url)
    receiver.answers = [(500, {}), (status, {})]
    await asyncio.to_thread(webhooks.notify, job_id)
    await asyncio.to_thread(webhooks.notify, job_id)
    assert due_in_seconds(redis, job_id) is None
    assert not redis.exists(keys.webhook_tries(job_id))


@pytest.mark.parametrize("broken", [{"private": False}, {"secret": None}])
async def test_what_may_not_be_sent_reaches_nobody_and_is_tried_again(
    broken: dict[str, Any], jobs: Jobs, job_store: JobStore, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, job_store, receiver.url)
    webhooks = Webhooks(**{"redis": redis, "jobs": job_store, "secret": SECRET, "private": True, **broken})
    await asyncio.to_thread(webhooks.notify, job_id)
    assert receiver.received == []
    assert due_in_seconds(redis, job_id) == pytest.approx(RETRY_SECONDS[0], abs=2)


async def test_a_job_that_was_deleted_meanwhile_is_not_told(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    job_id = await completed(jobs, job_store, receiver.url)
    await jobs.delete(job_id, "me")
    await asyncio.to_thread(webhooks.notify, job_id)
    assert receiver.received == []
    assert due_in_seconds(redis, job_id) is None


async def test_a_job_without_a_webhook_is_never_due(jobs: Jobs, job_store: JobStore, webhooks: Webhooks) -> None:
    await completed(jobs, job_store, None)
    assert webhooks.lend(10) == []


async def test_what_is_due_is_lent_once_however_many_workers_ask(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, redis: Redis
) -> None:
    due, later = [await completed(jobs, job_store, "http://a.b/") for _ in range(2)]
    redis.zadd(keys.WEBHOOKS, {later: time.time() + 5})
    assert [webhooks.lend(10) for _ in range(3)] == [[due], [], []]


async def test_a_webhook_that_a_dead_worker_was_sending_is_due_again(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, redis: Redis
) -> None:
    job_id = await completed(jobs, job_store, "http://a.b/")
    webhooks.lend(10)
    assert due_in_seconds(redis, job_id) == pytest.approx(30, abs=2)
    for index in (keys.WEBHOOKS, "koe:webhooks:with:me", "koe:webhooks:at:a.b"):
        redis.zadd(index, {job_id: time.time() - 1})
    assert webhooks.lend(10) == [job_id]


async def test_few_of_one_host_are_told_at_a_time_and_others_come_first(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, redis: Redis
) -> None:
    silent = [await completed(jobs, job_store, f"http://silent.example/{number}") for number in range(20)]
    other = await completed(jobs, job_store, "http://other.example/", owner="bob")
    lent = webhooks.lend(8)
    assert len([job_id for job_id in lent if job_id in silent]) == MAX_PER_HOST
    assert other in lent
    assert webhooks.lend(8) == []
    assert redis.zcard(keys.WEBHOOKS) == 21


async def test_few_of_one_owner_are_told_at_a_time(jobs: Jobs, job_store: JobStore, webhooks: Webhooks) -> None:
    mine = [await completed(jobs, job_store, f"http://{number}.example/") for number in range(20)]
    theirs = await completed(jobs, job_store, "http://silent.example/", owner="bob")
    lent = webhooks.lend(20)
    assert len([job_id for job_id in lent if job_id in mine]) == MAX_PER_OWNER
    assert theirs in lent


async def test_an_owner_whose_webhook_was_told_may_have_the_next_told(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver
) -> None:
    for _ in range(MAX_PER_HOST + 1):
        await completed(jobs, job_store, receiver.url)
    for job_id in webhooks.lend(10):
        await asyncio.to_thread(webhooks.notify, job_id)
    assert len(webhooks.lend(10)) == 0  # The third one was postponed by a second, and no other is due.
    await wait_for(lambda: webhooks.lend(10))
    assert len(receiver.received) == MAX_PER_HOST


async def test_a_worker_tells_what_is_due_by_itself_and_ends_when_told(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver, redis: Redis
) -> None:
    senders = Senders(webhooks)
    senders.start()
    for owner in ("me", "bob", "eve"):
        await completed(jobs, job_store, receiver.url, owner=owner)
    await wait_for(lambda: not redis.exists(keys.WEBHOOKS))
    await asyncio.to_thread(senders.stop)
    assert len(receiver.received) == 3
    assert not redis.keys("koe:webhooks:*")


async def test_a_host_that_says_nothing_keeps_nobody_else_waiting(
    jobs: Jobs, job_store: JobStore, webhooks: Webhooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty webhooks without an answer do not keep the worker from ending, either."""
    monkeypatch.setattr("workers.jobs.webhook_delivery.TRY_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for number in range(20):
            await completed(jobs, job_store, f"http://127.0.0.1:{silent.getsockname()[1]}/{number}", owner="alice")
        senders = Senders(webhooks)
        senders.start()
        await completed(jobs, job_store, receiver.url.replace("127.0.0.1", "localhost"), owner="bob")
        await wait_for(lambda: receiver.received)
        await asyncio.to_thread(senders.stop)
