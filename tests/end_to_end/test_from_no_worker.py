"""A fleet that shrinks to no worker: requests wait for the first one, and finished audio needs none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from app.core.storage import keys
from tests.harness import Harness, open_harness, wait_until
from workers.engines.registry import Loaded
from workers.engines.tone import ToneEngine
from workers.process.pool import Pool

WAITS = {"KOE_WAIT_FOR_WORKER": "true", "KOE_ENGINE": "tone"}
ASKED = {"model": "tts-1", "voice": "coral", "input": "Hello.", "response_format": "pcm"}


@contextmanager
def worker(harness: Harness) -> Iterator[None]:
    pool = Pool(harness.settings, harness.redis_url, Loaded({"tone": ToneEngine()}, None))
    pool.warm_up()
    pool.start()
    try:
        yield
    finally:
        pool.stop()


def n_queued(harness: Harness) -> int:
    with harness.redis() as redis:
        return sum(redis.llen(key) for key in redis.keys("rq:queue:interactive*"))


def test_without_the_setting_a_request_gets_503_at_once(data: Path) -> None:
    with open_harness(data, {}) as harness, harness.http() as http:
        answer = http.post("/v1/audio/speech", json=ASKED)

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "no_worker"


def test_requests_wait_in_the_queue_for_the_first_worker_that_ever_starts(data: Path) -> None:
    with open_harness(data, {}, **WAITS) as harness, harness.http() as http, ThreadPoolExecutor() as threads:
        speech = threads.submit(http.post, "/v1/audio/speech", json=ASKED)
        phonemes = threads.submit(http.post, "/v1/audio/phonemize", json={"input": "Hello.", "voice": "coral"})
        job = http.post("/v1/audio/speech/jobs", json=ASKED)
        wait_until(lambda: n_queued(harness) == 2)
        assert http.get("/readyz").status_code == 503

        with worker(harness):
            assert speech.result(30).status_code == 200
            assert len(speech.result().content) > 1000
            assert phonemes.result(30).status_code == 200
            wait_until(lambda: http.get(f"/v1/audio/speech/jobs/{job.json()['id']}").json()["status"] == "completed")


def test_finished_audio_needs_no_worker_and_lists_stay_as_they_were(data: Path) -> None:
    with open_harness(data, {}, **WAITS) as harness, harness.http() as http:
        with worker(harness):
            wait_until(lambda: http.get("/readyz").status_code == 200)
            first = http.post("/v1/audio/speech", json=ASKED)
            models, voices = http.get("/v1/models").json(), http.get("/v1/voices").json()
        wait_until(lambda: http.get("/readyz").json()["workers"] == 0)

        again = http.post("/v1/audio/speech", json=ASKED)

        assert again.headers["x-koe-cache"] == "hit"
        assert again.content == first.content
        assert http.get("/v1/models").json() == models
        assert http.get("/v1/voices").json() == voices


def test_audio_of_an_assumed_engine_is_not_reused(data: Path) -> None:
    with open_harness(data, {}, **WAITS) as harness, harness.http() as http, ThreadPoolExecutor() as threads:
        speech = threads.submit(http.post, "/v1/audio/speech", json=ASKED)
        wait_until(lambda: n_queued(harness) == 1)
        with worker(harness):
            assert speech.result(30).status_code == 200
        with harness.redis() as redis:
            assert not redis.zcard(keys.CACHE)


def test_a_request_that_no_worker_took_gets_503_after_the_longest_wait_and_the_next_one_is_new(data: Path) -> None:
    with open_harness(data, {}, **WAITS, KOE_MAX_WAIT="1") as harness, harness.http() as http:
        answer = http.post("/v1/audio/speech", json=ASKED)

        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "no_worker"

        with worker(harness):
            assert http.post("/v1/audio/speech", json=ASKED).status_code == 200
