"""The broker: what stands in Redis after a submission, and what a second one meets."""

import importlib
import json
import zlib
from typing import Any

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.broker import SPEAK, Broker, Lane, describe, lane_queue
from app.core.errors import QueueFull
from app.core.utterance import Utterance
from app.core.voices import BlendPart

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


def submit(broker: Broker, utterance: Utterance) -> bool:
    return broker.submit(utterance, Lane.INTERACTIVE, request_id="req_1")


def the_job(redis: Redis, utterance: Utterance) -> Job:
    return Job.fetch(utterance.id, connection=redis, serializer=JSONSerializer)


def test_the_task_s_dotted_name_leads_to_a_function() -> None:
    module, _, name = SPEAK.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_a_job_is_json_and_has_the_utterance_s_id(broker: Broker, redis: Redis) -> None:
    utterance = an_utterance()

    submit(broker, utterance)

    job = the_job(redis, utterance)
    name, instance, args, kwargs = json.loads(zlib.decompress(redis.hget(job.key, "data") or b""))
    assert (name, instance, kwargs) == (SPEAK, None, {})
    assert Utterance.from_json(args[0]) == utterance
    assert args[1] == "req_1"
    assert lane_queue(redis, Lane.INTERACTIVE).job_ids == [utterance.id]


def test_what_is_shown_of_a_job_says_nothing_of_its_text(broker: Broker, redis: Redis) -> None:
    utterance = an_utterance()

    submit(broker, utterance)

    shown = the_job(redis, utterance).description
    assert shown == describe(utterance)
    assert str(len(TEXT)) in shown
    assert not any(word in shown for word in TEXT.rstrip(".").split() if len(word) > 1)


def test_a_full_lane_takes_no_more_and_says_how_many_wait(broker: Broker) -> None:
    submit(broker, an_utterance(text="one"))
    submit(broker, an_utterance(text="two"))

    with pytest.raises(QueueFull, match="2 requests wait") as caught:
        submit(broker, an_utterance(text="three"))

    assert caught.value.retry_after_seconds == 5
    assert broker.waiting() == {Lane.INTERACTIVE: 2, Lane.BATCH: 0}


def test_lanes_are_full_each_by_itself(broker: Broker) -> None:
    submit(broker, an_utterance(text="one"))
    submit(broker, an_utterance(text="two"))

    broker.submit(an_utterance(text="three"), Lane.BATCH, request_id="req_1")

    assert broker.waiting() == {Lane.INTERACTIVE: 2, Lane.BATCH: 1}


def test_a_job_that_waits_already_will_do(broker: Broker) -> None:
    submit(broker, an_utterance())
    submit(broker, an_utterance())

    assert broker.waiting()[Lane.INTERACTIVE] == 1


def _taken(redis: Redis, utterance: Utterance, status: JobStatus) -> None:
    """A slot has taken it out of the lane, and this became of it."""
    redis.delete(lane_queue(redis, Lane.INTERACTIVE).key)
    the_job(redis, utterance).set_status(status)


@pytest.mark.parametrize("outcome", [JobStatus.FAILED, JobStatus.FINISHED, JobStatus.CANCELED, JobStatus.STOPPED])
def test_a_job_that_has_ended_is_replaced(broker: Broker, redis: Redis, outcome: JobStatus) -> None:
    utterance = an_utterance()
    submit(broker, utterance)
    _taken(redis, utterance, outcome)

    submit(broker, utterance)

    assert lane_queue(redis, Lane.INTERACTIVE).job_ids == [utterance.id]
    assert the_job(redis, utterance).get_status() == JobStatus.QUEUED


def test_a_job_that_still_runs_must_let_go_first(broker: Broker, redis: Redis) -> None:
    utterance = an_utterance()
    submit(broker, utterance)
    _taken(redis, utterance, JobStatus.STARTED)

    assert not submit(broker, utterance)
    assert broker.waiting()[Lane.INTERACTIVE] == 0

    the_job(redis, utterance).set_status(JobStatus.FINISHED)

    assert submit(broker, utterance)
    assert lane_queue(redis, Lane.INTERACTIVE).job_ids == [utterance.id]
