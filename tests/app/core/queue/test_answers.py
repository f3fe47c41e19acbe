"""Requests for phonemes: all askers of the same text share one task and one answer, and no asker waits for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.errors import EngineFailed, InvalidValue, KoeError, NotSupported, NoWorker, QueueFull, TimedOut
from app.core.queue.answers import Answers, Asker
from app.core.queue.broker import Broker, QueueName, rq_queue
from app.core.queue.fleet import RedisFleet, Registration, announce
from app.core.queue.questions import phonemes_of
from app.core.speech.phonemized import Phonemized, PhonemizedSegment
from app.core.speech.spoken_text import WIRE_VERSION, SpokenText
from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from app.core.storage.connections import connect_async
from app.core.storage.embedded_server import EmbeddedServer
from app.core.storage.notifier import Notifier

pytestmark = pytest.mark.anyio

VOICE = load_catalogue().parse("af_heart")[0]
SECRET = "A secret that nobody else may read."
FOUND = Phonemized("en-US", "Hello.", (PhonemizedSegment("Hello.", "həlˈO.", 7),))


def a_text(text: str = SECRET) -> SpokenText:
    return SpokenText(text=text, engine="tone", voice=VOICE, language="en-US")


@pytest.fixture
def broker(redis: Redis) -> Broker:
    return Broker(redis, max_queue=2)


@pytest.fixture
async def notifier(aredis: AsyncRedis) -> AsyncIterator[Notifier]:
    notifier = Notifier(aredis, keys.NOTIFICATIONS)
    notifier.start()
    await until(lambda: aredis.publish(keys.NOTIFICATIONS, "nobody"))
    yield notifier
    await notifier.stop()


@pytest.fixture
def asker(aredis: AsyncRedis, notifier: Notifier, broker: Broker) -> Asker:
    return Asker(redis=aredis, notifier=notifier, broker=broker, fleet=RedisFleet(aredis), max_wait_seconds=30)


@pytest.fixture
def answers(redis: Redis) -> Answers:
    return Answers(redis, patience_seconds=30)


async def until(holds: Callable[[], Any]) -> None:
    """Returns as soon as `holds()` is true, or the result of the coroutine that it returns."""
    async with asyncio.timeout(30):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.01)


def asked(asker: Asker, text: SpokenText, **options: Any) -> asyncio.Task[Phonemized]:
    return asyncio.create_task(asker.ask(phonemes_of(text), request_id="req_1", **options))


def waiting(redis: Redis) -> list[str]:
    ids: list[str] = rq_queue(redis, QueueName.INTERACTIVE).job_ids
    return ids


def take(redis: Redis, text: SpokenText, status: JobStatus = JobStatus.STARTED) -> None:
    """Removes the task from its queue, as a slot does, and gives it this status."""
    redis.lrem(rq_queue(redis, QueueName.INTERACTIVE).key, 1, text.id)
    Job.fetch(text.id, connection=redis, serializer=JSONSerializer).set_status(status)


async def test_equal_requests_share_one_task_and_one_answer(asker: Asker, answers: Answers, redis: Redis) -> None:
    both = [asked(asker, a_text()) for _ in range(2)]
    await until(lambda: waiting(redis) == [a_text().id])

    assert answers.begin(a_text().id)
    answers.give(a_text().id, FOUND)

    assert await asyncio.gather(*both) == [FOUND, FOUND]
    assert waiting(redis) == [a_text().id]


async def test_a_request_soon_after_gets_the_same_answer_without_a_task(asker: Asker, answers: Answers, redis: Redis) -> None:
    answers.give(a_text().id, FOUND)

    assert await asker.ask(phonemes_of(a_text()), request_id="req_1") == FOUND
    assert waiting(redis) == []
    assert 0 < redis.ttl(keys.answer(a_text().id)) <= 60


async def test_an_answer_whose_notification_was_lost_is_found_at_the_next_look(
    asker: Asker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.queue.answers._TICK_SECONDS", 0.05)
    task = asked(asker, a_text())
    await until(lambda: waiting(redis))

    redis.set(keys.answer(a_text().id), '{"answer":{"language":"en-US","normalized":"","segments":[]}}')

    assert await task == Phonemized("en-US", "", ())


async def test_the_worker_s_error_is_raised_and_soon_forgotten(asker: Asker, answers: Answers, redis: Redis) -> None:
    task = asked(asker, a_text())
    await until(lambda: waiting(redis))

    answers.refuse(a_text().id, NotSupported("No such language.", param="language"))

    with pytest.raises(NotSupported, match=r"No such language\.") as caught:
        await task
    assert caught.value.param == "language"
    assert 0 < redis.ttl(keys.answer(a_text().id)) <= 2


@pytest.mark.parametrize("error", [NotSupported("No such language.", param="language"), EngineFailed("It broke.")])
async def test_an_error_arrives_as_the_nearest_class_that_has_a_code(asker: Asker, answers: Answers, error: KoeError) -> None:
    answers.refuse(a_text().id, error)

    with pytest.raises(KoeError) as caught:
        await asker.ask(phonemes_of(a_text()), request_id="req_1")

    assert isinstance(error, type(caught.value))
    assert (caught.value.code, caught.value.message, caught.value.param) == (error.code, error.message, error.param)


async def test_a_task_reveals_nothing_of_its_text_and_waits_at_its_owner_s_place(
    asker: Asker, answers: Answers, redis: Redis
) -> None:
    task = asked(asker, a_text(), owner="somebody")
    await until(lambda: redis.hgetall(keys.OWNERS))

    job = Job.fetch(a_text().id, connection=redis, serializer=JSONSerializer)
    assert job.description == f"phonemes of {len(SECRET)} characters, en-US, tone"
    assert redis.hgetall(keys.OWNERS) == {a_text().id.encode(): b"somebody"}
    assert answers.begin(a_text().id)
    assert redis.hgetall(keys.OWNERS) == {}
    task.cancel()


async def test_a_full_queue_takes_no_question(asker: Asker, broker: Broker, redis: Redis) -> None:
    for text in ("one", "two"):
        broker.submit_question(phonemes_of(a_text(text)), request_id="req_1")

    with pytest.raises(QueueFull, match="2 requests wait"):
        await asker.ask(phonemes_of(a_text()), request_id="req_1")

    assert len(waiting(redis)) == 2


async def test_a_text_that_nobody_waits_for_any_more_is_not_wanted(
    asker: Asker, answers: Answers, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.queue.answers.WANTED_TTL_SECONDS", 1)
    monkeypatch.setattr("app.core.queue.answers._TICK_SECONDS", 0.05)
    task = asked(asker, a_text())
    await until(lambda: waiting(redis))
    assert answers.is_wanted(a_text().id)

    task.cancel()

    await until(lambda: not answers.is_wanted(a_text().id))
    assert not answers.begin(a_text().id)


async def test_a_text_that_is_answered_is_not_wanted(answers: Answers, redis: Redis) -> None:
    redis.set(keys.answer_wanted(a_text().id), 1)
    answers.give(a_text().id, FOUND)

    assert not answers.begin(a_text().id)


async def test_while_an_earlier_task_is_being_released_it_is_submitted_again_and_again(
    asker: Asker, broker: Broker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.queue.answers._TICK_SECONDS", 0.05)
    broker.submit_question(phonemes_of(a_text()), request_id="req_0")
    take(redis, a_text())
    task = asked(asker, a_text())
    await until(lambda: redis.exists(keys.answer_wanted(a_text().id)))

    Job.fetch(a_text().id, connection=redis, serializer=JSONSerializer).set_status(JobStatus.FINISHED)

    await until(lambda: waiting(redis) == [a_text().id])
    task.cancel()


async def test_a_job_that_failed_without_an_answer_is_submitted_again(
    asker: Asker, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.queue.answers._TICK_SECONDS", 0.02)
    task = asked(asker, a_text())
    await until(lambda: waiting(redis))

    take(redis, a_text(), JobStatus.FAILED)

    await until(lambda: waiting(redis) == [a_text().id])
    task.cancel()


async def test_after_the_longest_wait_it_says_why_none_came(
    aredis: AsyncRedis, notifier: Notifier, broker: Broker, redis: Redis
) -> None:
    asker = Asker(redis=aredis, notifier=notifier, broker=broker, fleet=RedisFleet(aredis), max_wait_seconds=0.1)

    with pytest.raises(NoWorker, match="koe worker"):
        await asker.ask(phonemes_of(a_text()), request_id="req_1")

    announce(redis, Registration(name="w", engines=("tone",), wire=WIRE_VERSION), 60, takes_work=True)
    with pytest.raises(TimedOut, match=r"0\.1 s"):
        await asker.ask(phonemes_of(a_text()), request_id="req_1")


async def test_a_redis_that_restarts_is_waited_for_and_one_that_is_away_is_an_error(
    short_folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.queue.answers._TICK_SECONDS", 0.05)
    server = EmbeddedServer(short_folder / "asking")
    server.start()
    try:
        async with connect_async(server.url) as aredis:
            with Redis.from_url(server.url) as redis:
                notifier, broker = Notifier(aredis, keys.NOTIFICATIONS), Broker(redis, max_queue=2)
                asker = Asker(redis=aredis, notifier=notifier, broker=broker, fleet=RedisFleet(aredis), max_wait_seconds=30)
                task = asked(asker, a_text())
                await until(lambda: waiting(redis))
                server.stop()
                with pytest.raises(NoWorker, match="cannot be reached"):
                    await asker.ask(phonemes_of(a_text("another")), request_id="req_2")
                server.start()
                Answers(redis, patience_seconds=30).refuse(a_text().id, InvalidValue("no", param="voice"))
                with pytest.raises(InvalidValue):
                    await task
    finally:
        if server.is_running():
            server.stop()
