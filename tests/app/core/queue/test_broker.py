"""The broker: the contents of Redis after a submission, and the effect of a second one."""

import importlib
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.errors import QueueFull
from app.core.queue.broker import (
    Broker,
    QueueName,
    dequeued_ids,
    describe,
    enqueue_task,
    put_back,
    queue_of,
    rq_queue,
    rq_queue_name,
    share_batch_fairly,
)
from app.core.queue.registry import WorkerRegistry
from app.core.queue.task import Task
from app.core.speech.spoken_text import WIRE_VERSION
from app.core.speech.utterance import Utterance
from app.core.speech.voices import BlendPart
from app.core.storage import keys
from tests import replies

TEXT = "A secret that nobody else may read."


def an_utterance(**changes: Any) -> Utterance:
    fields: dict[str, Any] = {
        "text": TEXT,
        "engine": "tone",
        "voice": (BlendPart("af_heart", 1.0),),
        "language": "en-US",
        "format": "pcm",
    }
    return Utterance(**(fields | changes))


@pytest.fixture
def broker(redis: Redis) -> Broker:
    return Broker(redis, max_queue=2)


def submit(broker: Broker, utterance: Utterance, **options: Any) -> bool:
    return broker.submit(utterance, QueueName.INTERACTIVE, request_id="req_1", **options)


def the_job(redis: Redis, utterance: Utterance) -> Job:
    return Job.fetch(utterance.id, connection=redis, serializer=JSONSerializer)


@pytest.mark.parametrize("task", Task)
def test_a_task_s_dotted_name_leads_to_a_function(task: Task) -> None:
    module, _, name = task.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_the_name_of_an_rq_queue_has_the_wire_version_and_a_task_knows_its_queue(broker: Broker, redis: Redis) -> None:
    submit(broker, an_utterance())

    job = the_job(redis, an_utterance())
    assert job.origin == rq_queue(redis, QueueName.INTERACTIVE).name == f"interactive-{WIRE_VERSION}"
    assert queue_of(job) is QueueName.INTERACTIVE
    assert len({rq_queue(redis, queue_name).name for queue_name in QueueName}) == len(QueueName)


def test_a_job_is_json_and_has_the_utterance_s_id(broker: Broker, redis: Redis) -> None:
    utterance = an_utterance()

    submit(broker, utterance, owner="somebody")

    job = the_job(redis, utterance)
    name, instance, args, kwargs = json.loads(zlib.decompress(replies.field(redis, job.key, "data") or b""))
    assert (name, instance, kwargs) == (Task.SPEAK, None, {})
    assert Utterance.from_json(args[0]) == utterance
    assert args[1:] == ["req_1", "somebody"]
    assert rq_queue(redis, QueueName.INTERACTIVE).job_ids == [utterance.id]


def test_the_description_of_a_task_reveals_nothing_of_its_text(broker: Broker, redis: Redis) -> None:
    utterance = an_utterance()

    submit(broker, utterance)

    shown = the_job(redis, utterance).description
    assert shown == describe(utterance)
    assert str(len(TEXT)) in shown
    assert not any(word in shown for word in TEXT.rstrip(".").split() if len(word) > 1)


def test_a_full_queue_takes_no_more_and_says_how_many_wait(broker: Broker) -> None:
    submit(broker, an_utterance(text="one"))
    submit(broker, an_utterance(text="two"))

    with pytest.raises(QueueFull, match="2 requests wait") as caught:
        submit(broker, an_utterance(text="three"))

    assert caught.value.retry_after_seconds == 5
    assert broker.waiting() == {QueueName.INTERACTIVE: 2, QueueName.BATCH: 0}


def test_an_utterance_that_was_admitted_is_admitted_again_when_the_queue_is_full(broker: Broker, redis: Redis) -> None:
    submit(broker, an_utterance(text="one"))
    submit(broker, an_utterance(text="two"))
    lost = an_utterance(text="three")

    assert submit(broker, lost, again=True)

    assert rq_queue(redis, QueueName.INTERACTIVE).job_ids[-1] == lost.id


def test_owners_alternate_and_the_order_of_one_owner_stays(redis: Redis) -> None:
    broker = Broker(redis, max_queue=100)
    asked = [*[("reader", number) for number in range(4)], ("guest", 0), ("reader", 4), ("guest", 1), ("other", 0)]
    texts = {}
    for owner, number in asked:
        utterance = an_utterance(text=f"{owner} {number}")
        texts[utterance.id] = utterance.text
        submit(broker, utterance, owner=owner)

    in_order = [texts[job_id] for job_id in rq_queue(redis, QueueName.INTERACTIVE).job_ids]

    assert in_order == ["reader 0", "guest 0", "other 0", "reader 1", "guest 1", "reader 2", "reader 3", "reader 4"]


def test_the_owner_is_known_only_while_the_task_waits(redis: Redis) -> None:
    broker, utterance = Broker(redis, max_queue=100), an_utterance()
    submit(broker, utterance, owner="somebody")
    assert redis.hgetall(keys.OWNERS) == {utterance.id.encode(): b"somebody"}

    redis.lpop(rq_queue(redis, QueueName.INTERACTIVE).key)
    WorkerRegistry(redis, worker="w", cache_ttl=60, cache_bytes=1).lease(utterance.id)
    submit(broker, utterance, owner="somebody", again=True)

    assert redis.hgetall(keys.OWNERS) == {}


def test_each_queue_has_its_own_limit(broker: Broker) -> None:
    submit(broker, an_utterance(text="one"))
    submit(broker, an_utterance(text="two"))

    broker.submit(an_utterance(text="three"), QueueName.BATCH, request_id="req_1")

    assert broker.waiting() == {QueueName.INTERACTIVE: 2, QueueName.BATCH: 1}


def test_a_task_that_waits_already_is_not_submitted_twice(broker: Broker) -> None:
    submit(broker, an_utterance())
    submit(broker, an_utterance())

    assert broker.waiting()[QueueName.INTERACTIVE] == 1


def _dequeue(redis: Redis, utterance: Utterance, status: JobStatus) -> None:
    """Removes the task from the queue, as a slot does, and gives it this status."""
    redis.delete(rq_queue(redis, QueueName.INTERACTIVE).key)
    the_job(redis, utterance).set_status(status)


@pytest.mark.parametrize("outcome", [JobStatus.FAILED, JobStatus.FINISHED, JobStatus.CANCELED, JobStatus.STOPPED])
def test_a_job_that_has_ended_is_replaced(broker: Broker, redis: Redis, outcome: JobStatus) -> None:
    utterance = an_utterance()
    submit(broker, utterance)
    _dequeue(redis, utterance, outcome)

    submit(broker, utterance)

    assert rq_queue(redis, QueueName.INTERACTIVE).job_ids == [utterance.id]
    assert the_job(redis, utterance).get_status() == JobStatus.QUEUED


def test_a_running_task_must_be_released_before_it_is_submitted_again(broker: Broker, redis: Redis) -> None:
    utterance = an_utterance()
    submit(broker, utterance)
    _dequeue(redis, utterance, JobStatus.STARTED)

    assert not submit(broker, utterance)
    assert broker.waiting()[QueueName.INTERACTIVE] == 0

    the_job(redis, utterance).set_status(JobStatus.FINISHED)

    assert submit(broker, utterance)
    assert rq_queue(redis, QueueName.INTERACTIVE).job_ids == [utterance.id]


def test_a_task_that_was_dequeued_and_never_begun_is_put_back_to_the_head_of_its_queue(broker: Broker, redis: Redis) -> None:
    lost, waiting = an_utterance(text="lost"), an_utterance(text="waiting")
    submit(broker, lost)
    submit(broker, waiting)
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    redis.lmove(queue.key, queue.intermediate_queue_key, "LEFT", "RIGHT")
    assert dequeued_ids(redis, QueueName.INTERACTIVE) == [lost.id]
    assert dequeued_ids(redis, QueueName.BATCH) == []

    assert put_back(redis, QueueName.INTERACTIVE, lost.id)

    assert queue.job_ids == [lost.id, waiting.id]
    assert dequeued_ids(redis, QueueName.INTERACTIVE) == []
    assert not put_back(redis, QueueName.INTERACTIVE, lost.id)


def test_a_task_waits_in_the_batch_queue_once(redis: Redis) -> None:
    for _ in range(2):
        assert enqueue_task(redis, Task.PART, ["job_1", 1], job_id="job_1-part-1", description="part of a job")

    queue = rq_queue(redis, QueueName.BATCH)
    assert queue.job_ids == ["job_1-part-1"]
    job = Job.fetch("job_1-part-1", connection=redis, serializer=JSONSerializer)
    assert (job.func_name, list(job.args)) == (Task.PART, ["job_1", 1])


def test_each_version_of_the_wire_has_queues_of_its_own() -> None:
    names = {rq_queue_name(queue_name, version) for queue_name in QueueName for version in (5, 6, 7)}

    assert len(names) == 6
    assert {"interactive", "batch"} <= names


def test_a_job_that_has_ended_may_be_cleared_away_by_many_at_once(broker: Broker, redis: Redis) -> None:
    queue = rq_queue(redis, QueueName.BATCH)
    with ThreadPoolExecutor(8) as threads:
        for number in range(20):
            job_id = f"ended-{number}"
            enqueue_task(redis, Task.JOIN, ["job"], job_id=job_id, description="an ended one")
            Job.fetch(job_id, connection=redis, serializer=JSONSerializer).set_status(JobStatus.FINISHED)
            queue.remove(job_id)
            again = [
                threads.submit(enqueue_task, redis, Task.JOIN, ["job"], job_id=job_id, description="again") for _ in range(8)
            ]
            for one in again:
                one.result(60)
            assert job_id in queue.job_ids


def _own(redis: Redis, job_id: str, owner: str) -> str:
    redis.hset(keys.job(job_id), "owner", owner)
    return job_id


def test_owners_take_turns_in_the_batch_queue_however_many_jobs_one_has(redis: Redis) -> None:
    broker = Broker(redis, max_queue=2)
    for number in range(60):
        broker.submit_job(_own(redis, f"job_a{number}", "alice"))
    broker.submit_job(_own(redis, "job_b1", "bob"))
    broker.submit_job(_own(redis, "job_c1", "carol"))
    broker.submit_job(_own(redis, "job_b2", "bob"))

    in_order = rq_queue(redis, QueueName.BATCH).job_ids

    assert in_order[:6] == ["job_a0-plan", "job_b1-plan", "job_c1-plan", "job_a1-plan", "job_b2-plan", "job_a2-plan"]
    assert in_order[6:] == [f"job_a{number}-plan" for number in range(3, 60)]


def test_a_task_that_rq_appends_to_the_batch_queue_moves_to_its_owner_s_place(redis: Redis) -> None:
    """RQ does so with the next part of a book, which waited for another part, and with a task whose worker has died."""
    queue_name = rq_queue(redis, QueueName.BATCH)
    for number in range(3000):
        redis.rpush(queue_name.key, f"{_own(redis, 'job_a', 'alice')}-part-{number}")
    redis.rpush(queue_name.key, f"{_own(redis, 'job_b', 'bob')}-part-17", "job_b-part-18", "job_b-join")

    share_batch_fairly(redis)

    assert queue_name.job_ids[:6] == [
        "job_a-part-0",
        "job_b-part-17",
        "job_a-part-1",
        "job_b-part-18",
        "job_a-part-2",
        "job_b-join",
    ]
    assert queue_name.count == 3003


def test_pools_put_the_queue_into_turns_once_a_second_together(redis: Redis) -> None:
    queue_name = rq_queue(redis, QueueName.BATCH)
    redis.rpush(queue_name.key, *(f"{_own(redis, 'job_a', 'alice')}-part-{number}" for number in (1, 2, 3)))
    share_batch_fairly(redis, every_seconds=60)
    redis.rpush(queue_name.key, f"{_own(redis, 'job_b', 'bob')}-plan")

    share_batch_fairly(redis, every_seconds=60)
    assert queue_name.job_ids[-1] == "job_b-plan"
    redis.delete(keys.JOBS_TURNS)
    share_batch_fairly(redis, every_seconds=60)
    assert queue_name.job_ids[1] == "job_b-plan"
