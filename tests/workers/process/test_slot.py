"""A slot: it takes the tasks of its queue, sends heartbeats, stops when told, and survives an outage of Redis."""

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from redis import Redis
from rq import Callback, Queue
from rq.job import Job, JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry, clean_registries
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from app.core.queue.broker import Broker, QueueName, rq_queue
from app.core.queue.task import Task
from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from app.core.storage.connections import connect
from app.core.storage.embedded_server import EmbeddedServer
from app.core.tracing.spans import NO_SPAN, NO_TRACING, Span
from tests import replies
from tests.harness import wait_until
from workers.process import runtime
from workers.process.runtime import Runtime
from workers.process.slot import Slot

VOICE = load_catalogue().parse("af_heart")[0]


def an_utterance(text: str) -> Utterance:
    return Utterance(text=text, engine="tone", voice=VOICE, language="en-US", format="pcm")


class Stage(Runtime):
    """A runtime that records the utterances it is asked to speak, and waits or fails on command."""

    tracing = NO_TRACING

    def __init__(self) -> None:
        self.spoken: list[tuple[str, QueueName]] = []
        self.owners: list[str] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Event()
        self.may_end.set()

    def speak(
        self,
        utterance: Utterance,
        queue_name: QueueName,
        *,
        owner: str = "",
        heard_seconds: float = 0.0,
        span: Span = NO_SPAN,
    ) -> bool:
        self.spoken.append((utterance.text, queue_name))
        self.owners.append(owner)
        self.begun.release()
        assert self.may_end.wait(60)
        if utterance.text == "fail":
            raise RuntimeError("the engine broke")
        return utterance.text != "gives way" or self.spoken.count((utterance.text, queue_name)) > 2


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    runtime.install(stage)
    yield stage
    runtime.install(None)


@pytest.fixture
def open_slot(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Slot]]:
    monkeypatch.setattr("workers.process.slot.POP_SECONDS", 0.2)
    stopping = threading.Event()
    slots: list[Slot] = []

    def open_one(redis: Redis, queue_name: QueueName = QueueName.INTERACTIVE, **options: Any) -> Slot:
        slot = Slot(redis, queue_name, f"slot-{len(slots)}", stopping=stopping, **({"execution_ttl_seconds": 5} | options))
        slot.stopping = stopping  # type: ignore[attr-defined]
        slots.append(slot)
        slot.start()
        return slot

    yield open_one
    stopping.set()
    stage.may_end.set()
    for slot in slots:
        slot.join()


def submit(redis: Redis, *texts: str, queue_name: QueueName = QueueName.INTERACTIVE) -> list[str]:
    broker = Broker(redis, max_queue=100)
    for text in texts:
        broker.submit(an_utterance(text), queue_name, request_id="req_1", owner="somebody")
    return [an_utterance(text).id for text in texts]


def status(redis: Redis, job_id: str) -> JobStatus | None:
    return Job.fetch(job_id, connection=redis, serializer=JSONSerializer).get_status()


def registry(kind: type, queue: Queue) -> Any:
    return kind(queue.name, connection=queue.connection, serializer=JSONSerializer)


def test_it_takes_what_lies_in_its_queue_in_order_and_nothing_else(
    redis: Redis, stage: Stage, open_slot: Callable[..., Slot]
) -> None:
    submit(redis, "other", queue_name=QueueName.BATCH)
    job_ids = submit(redis, "one", "two")

    open_slot(redis)

    wait_until(lambda: [status(redis, job_id) for job_id in job_ids] == [JobStatus.FINISHED] * 2)
    assert stage.spoken == [("one", QueueName.INTERACTIVE), ("two", QueueName.INTERACTIVE)]
    assert stage.owners == ["somebody", "somebody"]
    assert rq_queue(redis, QueueName.BATCH).count == 1


def test_what_comes_while_it_waits_is_taken(redis: Redis, stage: Stage, open_slot: Callable[..., Slot]) -> None:
    open_slot(redis, QueueName.BATCH)
    wait_until(lambda: redis.info("clients")["blocked_clients"] == 1)

    submit(redis, "one", queue_name=QueueName.BATCH)

    assert stage.begun.acquire(timeout=30)
    assert stage.spoken == [("one", QueueName.BATCH)]


def test_a_job_that_fails_is_kept_among_the_failed_and_not_tried_again_and_the_next_is_taken(
    redis: Redis, stage: Stage, open_slot: Callable[..., Slot]
) -> None:
    failing, fine = submit(redis, "fail", "fine")

    open_slot(redis)

    wait_until(lambda: status(redis, fine) == JobStatus.FINISHED)
    assert status(redis, failing) == JobStatus.FAILED
    assert failing in registry(FailedJobRegistry, rq_queue(redis, QueueName.INTERACTIVE)).get_job_ids()
    assert [text for text, _ in stage.spoken] == ["fail", "fine"]
    assert rq_queue(redis, QueueName.INTERACTIVE).job_ids == []


def test_a_job_that_gives_way_goes_to_the_end_of_its_queue_until_it_is_done(
    redis: Redis, stage: Stage, open_slot: Callable[..., Slot]
) -> None:
    job_ids = submit(redis, "gives way", "one", "two")

    open_slot(redis)

    wait_until(lambda: all(status(redis, job_id) == JobStatus.FINISHED for job_id in job_ids))
    assert [text for text, _ in stage.spoken] == ["gives way", "one", "two", "gives way", "gives way"]


def test_a_job_that_was_abandoned_is_given_to_another(redis: Redis, stage: Stage, open_slot: Callable[..., Slot]) -> None:
    stage.may_end.clear()
    open_slot(redis)
    (job_id,) = submit(redis, "one")
    assert stage.begun.acquire(timeout=30)
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    started = registry(StartedJobRegistry, queue)

    clean_registries(queue)
    assert queue.job_ids == []
    redis.zadd(started.key, {replies.members(redis, started.key)[0]: redis.time()[0] - 1})
    clean_registries(queue)

    assert queue.job_ids == [job_id]
    assert status(redis, job_id) == JobStatus.QUEUED
    stage.may_end.set()
    open_slot(redis)
    wait_until(lambda: len(stage.spoken) == 2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("os.mkdir", {}),
        ("tests.workers.process.trap.spring", {}),
        ("workers.tasks.current", {}),
        (Task.SPEAK.value, {"on_success": Callback("os.mkdir")}),
        (Task.SPEAK.value, {"on_failure": Callback("os.mkdir")}),
        (Task.SPEAK.value, {"on_stopped": Callback("os.mkdir")}),
        (Task.SPEAK.value, {"webhooks": [Webhook("http://127.0.0.1:1/", "failed")]}),
    ],
)
def test_whoever_writes_to_redis_runs_nothing_but_the_tasks_of_koe(
    name: str, options: dict[str, Any], redis: Redis, stage: Stage, open_slot: Callable[..., Slot], tmp_path: Path
) -> None:
    target = tmp_path / "made"
    queue = Queue(rq_queue(redis, QueueName.INTERACTIVE).name, connection=redis, serializer=JSONSerializer)
    with structlog.testing.capture_logs() as logs:
        queue.enqueue_call(name, args=[str(target)], job_id="foreign", **options)
        open_slot(redis)
        (fine,) = submit(redis, "fine")
        wait_until(lambda: status(redis, fine) == JobStatus.FINISHED)

    assert status(redis, "foreign") == JobStatus.FAILED
    assert "foreign" in registry(FailedJobRegistry, queue).get_job_ids()
    assert not target.exists()
    assert "tests.workers.process.trap" not in sys.modules
    assert [text for text, _ in stage.spoken] == ["fine"]
    (refused,) = [entry for entry in logs if entry["event"] == "foreign_job_refused"]
    assert refused["job_id"] == "foreign"
    assert str(target) not in str(refused)


def test_nothing_is_called_for_an_abandoned_job_either(redis: Redis, tmp_path: Path) -> None:
    target = tmp_path / "made"
    queue = rq_queue(redis, QueueName.INTERACTIVE)
    plain = Queue(queue.name, connection=redis, serializer=JSONSerializer)
    job = plain.enqueue_call(
        "os.mkdir", args=[str(target)], job_id="foreign", on_failure=Callback("tests.workers.process.trap.spring")
    )
    job.set_status(JobStatus.STARTED)
    redis.zadd(registry(StartedJobRegistry, queue).key, {"foreign:1": redis.time()[0] - 1})

    clean_registries(queue)

    assert status(redis, "foreign") == JobStatus.FAILED
    assert "tests.workers.process.trap" not in sys.modules


def test_it_is_busy_while_a_job_runs(redis: Redis, stage: Stage, open_slot: Callable[..., Slot]) -> None:
    stage.may_end.clear()
    slot = open_slot(redis)
    was_busy = slot.is_busy
    (job_id,) = submit(redis, "one")
    assert stage.begun.acquire(timeout=30)
    assert (was_busy, slot.is_busy) == (False, True)

    stage.may_end.set()
    wait_until(lambda: status(redis, job_id) == JobStatus.FINISHED)

    wait_until(lambda: not slot.is_busy)


def test_a_running_job_counts_as_running_for_seconds_and_longer_with_each_beat(
    redis: Redis, stage: Stage, open_slot: Callable[..., Slot]
) -> None:
    stage.may_end.clear()
    slot = open_slot(redis, execution_ttl_seconds=3)
    (job_id,) = submit(redis, "one")
    assert stage.begun.acquire(timeout=30)
    started = registry(StartedJobRegistry, rq_queue(redis, QueueName.INTERACTIVE))
    ((entry, expires_at),) = replies.scores(redis, started.key)
    assert entry.startswith(job_id)
    assert expires_at - redis.time()[0] <= 4

    redis.zadd(started.key, {entry: expires_at - 2})
    slot.beat()

    assert dict(replies.scores(redis, started.key))[entry] >= expires_at


def test_a_beat_between_jobs_is_nothing(redis: Redis, open_slot: Callable[..., Slot]) -> None:
    slot = open_slot(redis)
    (job_id,) = submit(redis, "one")
    wait_until(lambda: status(redis, job_id) == JobStatus.FINISHED)

    slot.beat()

    assert registry(StartedJobRegistry, rq_queue(redis, QueueName.INTERACTIVE)).get_job_ids() == []


def test_a_slot_that_is_told_to_stop_ends_its_job_and_takes_no_other(
    redis: Redis, stage: Stage, open_slot: Callable[..., Slot]
) -> None:
    stage.may_end.clear()
    slot = open_slot(redis)
    running, waiting = submit(redis, "running", "waiting")
    assert stage.begun.acquire(timeout=30)

    slot.stopping.set()  # type: ignore[attr-defined]
    stage.may_end.set()
    slot.join()

    assert status(redis, running) == JobStatus.FINISHED
    assert status(redis, waiting) == JobStatus.QUEUED
    assert rq_queue(redis, QueueName.INTERACTIVE).job_ids == [waiting]
    assert redis.smembers("rq:workers") == set()


def test_an_idle_slot_stops_when_told(redis: Redis, open_slot: Callable[..., Slot]) -> None:
    slot = open_slot(redis)
    wait_until(lambda: redis.info("clients")["blocked_clients"] == 1)

    slot.stopping.set()  # type: ignore[attr-defined]
    slot.join()

    assert not slot._thread.is_alive()


def test_two_slots_never_take_the_same(redis: Redis, stage: Stage, open_slot: Callable[..., Slot]) -> None:
    texts = [f"number {number}" for number in range(40)]
    open_slot(redis)
    open_slot(redis)

    job_ids = submit(redis, *texts)

    wait_until(lambda: all(status(redis, job_id) == JobStatus.FINISHED for job_id in job_ids))
    assert sorted(text for text, _ in stage.spoken) == sorted(texts)


def test_it_outlives_a_restart_of_redis(data: Path, stage: Stage, open_slot: Callable[..., Slot]) -> None:
    server = EmbeddedServer(data)
    server.start()
    with connect(server.url) as redis:
        slot = open_slot(redis)
        submit(redis, "before")
        assert stage.begun.acquire(timeout=30)
        wait_until(lambda: redis.info("clients")["blocked_clients"] == 1)

        server.stop()
        server.start()
        submit(redis, "after")

        assert stage.begun.acquire(timeout=60)
        slot.stopping.set()  # type: ignore[attr-defined]
        slot.join()
    assert [text for text, _ in stage.spoken] == ["before", "after"]
    server.stop()


@pytest.mark.parametrize("data", [b"no json", b"[]", b"{}", b'["workers.tasks.speak"]', b"[1, 2, 3, 4]", b""])
def test_a_job_that_cannot_be_read_is_failed_and_the_next_is_taken(
    data: bytes, redis: Redis, stage: Stage, open_slot: Callable[..., Slot]
) -> None:
    (job_id,) = submit(redis, "garbled")
    redis.hset(f"rq:job:{job_id}", "data", data)
    slot = open_slot(redis)

    (fine,) = submit(redis, "fine")

    wait_until(lambda: status(redis, fine) == JobStatus.FINISHED)
    assert status(redis, job_id) == JobStatus.FAILED
    assert slot._thread.is_alive()
