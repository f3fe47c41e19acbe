"""The estimate of the time that a job still takes."""

import time
from typing import Any

import msgspec
import pytest
from redis import Redis

from app.core.jobs.job import Job, JobStatus, Pace, Part, Progress
from app.core.jobs.job_store import JobStore
from app.core.jobs.job_view import show_job
from app.core.jobs.time_left import JOINING_SPEED, STALLED_SECONDS, seconds_left
from app.core.speech.utterance import Utterance
from app.core.storage import keys

NOW = 1_800_000_000.0
UTTERANCE = Utterance(text="", engine="tone", voice=(), language="en-US", format="mp3")


USUAL = Pace(NOW, 10.0, 20.0)


def a_job(*, pace: Pace | None = USUAL, status: JobStatus = JobStatus.IN_PROGRESS, **progress: Any) -> Job:
    """A job of 100 segments and 4 parts, of which 10 segments are spoken, at two seconds each."""
    so_far = {"segments_done": 10, "segments_total": 100, "audio_seconds": 0.0, "parts_done": 0, "parts_total": 4}
    return Job(
        id="job_1",
        owner="",
        status=status,
        utterance=UTTERANCE,
        model="tts-1",
        voice="alloy",
        request_id="req_1",
        created_at=int(NOW) - 90_000,
        started_at=int(NOW) - 80_000,
        progress=Progress(**(so_far | progress)),
        pace=pace,
    )


def test_the_rest_takes_as_long_as_the_segments_took_lately() -> None:
    assert seconds_left(a_job(), NOW) == 90 * 2


def test_the_time_since_the_last_segment_is_over_already() -> None:
    assert seconds_left(a_job(), NOW + 30) == 90 * 2 - 30


def test_joining_comes_on_top() -> None:
    assert seconds_left(a_job(audio_seconds=6 * JOINING_SPEED), NOW) == 90 * 2 + 60


def test_when_all_is_spoken_joining_is_left() -> None:
    spoken: dict[str, Any] = {"segments_done": 100, "parts_done": 4, "audio_seconds": 50 * JOINING_SPEED}
    assert seconds_left(a_job(**spoken), NOW + 20) == 30
    assert seconds_left(a_job(**spoken), NOW + 500) == 0


@pytest.mark.parametrize(
    "job",
    [
        a_job(pace=None),
        a_job(pace=Pace(NOW, 0.0, 0.0)),
        a_job(pace=Pace(NOW, 3.0, 1.0)),
        a_job(pace=Pace(NOW, -2.0, 60.0)),
        a_job(pace=Pace(NOW - STALLED_SECONDS - 1, 10.0, 20.0)),
        a_job(segments_done=0),
        *(a_job(status=status) for status in JobStatus if status is not JobStatus.IN_PROGRESS),
    ],
)
def test_it_is_unknown_before_there_is_a_speed_while_nothing_is_spoken_and_at_the_end(job: Job) -> None:
    assert seconds_left(job, NOW) is None
    assert show_job(job, NOW).progress.seconds_left is None


def test_it_is_shown_with_the_job() -> None:
    assert show_job(a_job(), NOW).progress == msgspec.structs.replace(a_job().progress, seconds_left=180)
    assert show_job(a_job(pace=Pace(time.time(), 10.0, 20.0))).progress.seconds_left is not None


# How the speed is measured


@pytest.fixture
def job_store(redis: Redis) -> JobStore:
    return JobStore(redis, job_ttl=60)


JOB_ID = "job_0123456789abcdef01234567"


def begun(redis: Redis, store: JobStore, n_segments: int = 100) -> None:
    spec = {"owner": "", "utterance": UTTERANCE, "model": "tts-1", "voice": "alloy", "title": None, "metadata": None}
    spec |= {"webhook_url": None, "request_id": "req_1", "created_at": 0}
    redis.hset(keys.job(JOB_ID), mapping={"spec": msgspec.json.encode(spec), "status": "queued"})
    assert store.begin(JOB_ID)
    parts = [Part(start=number, end=number + 1, n_segments=n_segments // 2) for number in range(2)]
    assert store.plan(JOB_ID, parts) == parts


def advance(store: JobStore, part: int, n_segments: int) -> None:
    store.advance(JOB_ID, part, n_segments=n_segments, audio_seconds=float(n_segments))


def age(redis: Redis, seconds: float) -> None:
    """Makes the last segment older."""
    at = float(str(redis.hget(keys.job(JOB_ID), "pace_at"), "ascii"))  # type: ignore[arg-type]
    redis.hset(keys.job(JOB_ID), "pace_at", str(at - seconds))


def pace_of(store: JobStore) -> Pace:
    job = store.load(JOB_ID)
    assert job is not None
    assert job.pace is not None
    return job.pace


def test_the_time_in_which_a_job_waited_does_not_count(redis: Redis, job_store: JobStore) -> None:
    begun(redis, job_store)
    redis.hset(keys.job(JOB_ID), "started_at", int(time.time()) - 100_000)

    advance(job_store, 1, 3)
    assert pace_of(job_store).segments == pace_of(job_store).seconds == 0.0

    age(redis, 4.0)
    advance(job_store, 1, 5)
    assert pace_of(job_store).segments == pytest.approx(2.0, abs=0.01)
    assert pace_of(job_store).seconds == pytest.approx(4.0, abs=1.0)


def test_all_workers_together_have_one_speed(redis: Redis, job_store: JobStore) -> None:
    begun(redis, job_store)
    advance(job_store, 1, 1)
    for number in range(2, 12):
        age(redis, 1.0)
        advance(job_store, 1, number)
        advance(job_store, 2, number)

    pace = pace_of(job_store)
    assert pace.segments / pace.seconds == pytest.approx(2.0, rel=0.2)


def test_a_restart_of_all_workers_does_not_make_the_job_look_slow(redis: Redis, job_store: JobStore) -> None:
    begun(redis, job_store)
    advance(job_store, 1, 1)
    for number in range(2, 40):
        age(redis, 5.0)
        advance(job_store, 1, number)
    before = pace_of(job_store)
    age(redis, 7200.0)
    advance(job_store, 1, 41)

    after = pace_of(job_store)
    assert after.segments / after.seconds == pytest.approx(before.segments / before.seconds, rel=0.3)


def test_the_latest_segments_count_most(redis: Redis, job_store: JobStore) -> None:
    begun(redis, job_store, 1000)
    advance(job_store, 1, 1)
    for number in range(2, 102):
        age(redis, 20.0)
        advance(job_store, 1, number)
    for number in range(102, 400):
        age(redis, 2.0)
        advance(job_store, 1, number)

    pace = pace_of(job_store)
    assert pace.seconds / pace.segments < 6.0


def test_finished_parts_are_counted(redis: Redis, job_store: JobStore) -> None:
    begun(redis, job_store)
    job = job_store.load(JOB_ID)
    assert job is not None
    assert (job.progress.parts_done, job.progress.parts_total) == (0, 2)

    for _ in range(2):
        job_store.part_done(JOB_ID, 2, n_segments=50, audio_seconds=1.0, n_bytes=1, loudness_db=None)

    job = job_store.load(JOB_ID)
    assert job is not None
    assert (job.progress.parts_done, job.progress.parts_total) == (1, 2)
