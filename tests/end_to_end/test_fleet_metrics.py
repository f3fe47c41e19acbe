"""The metrics of workers in a scrape of the API, after each event has happened."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from app.core.storage import keys
from tests.end_to_end.conftest import RelayHarness
from tests.end_to_end.listeners import SPEECH, asked, listening, post
from tests.end_to_end.test_metrics import scrape
from tests.engines import GatedEngine, RelayEngine, text_of
from tests.harness import Harness, open_harness, wait_until
from tests.receivers import Receiver, open_receiver
from workers.engines.base import ALONE, Turn, Waveform
from workers.engines.tone import ToneEngine
from workers.jobs.webhooks import RETRY_SECONDS

SECRET = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
CACHE_BYTES = 400_000
SETTINGS = {
    "KOE_SLOTS": "2",
    "KOE_BATCH_SLOTS": "1",
    "KOE_SEGMENT_BYTES": "400000",
    "KOE_CACHE_BYTES": str(CACHE_BYTES),
    "KOE_METRICS_PORT": "0",
    "KOE_WEBHOOK_SECRET": SECRET,
    "KOE_WEBHOOK_PRIVATE": "true",
    "KOE_WORKER_TIMEOUT": "2",
}


@pytest.fixture(scope="module")
def relay_harness(short_folder: Path) -> Iterator[RelayHarness]:
    relay = RelayEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workers.process.pool.HANDOVER_SECONDS", 0.1)
        with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"tone": relay}, **SETTINGS) as harness:
            yield RelayHarness(harness, relay)


@pytest.fixture
def harness(relay_harness: RelayHarness) -> Harness:
    relay_harness.relay.now = ToneEngine()
    return relay_harness.harness


Growth = Callable[[], float]


def growth(harness: Harness, name: str, **labels: str) -> Growth:
    """Returns a function that says by how much the metric has grown since now."""
    before = scrape(harness)(name, **labels)
    return lambda: scrape(harness)(name, **labels) - before


ON_ITS_WAY: Mapping[str, dict[str, str]] = {
    "koe_queue_wait_seconds": {"lane": "interactive"},
    "koe_synthesis_seconds": {"engine": "tone"},
    "koe_realtime_factor_ratio": {"engine": "tone"},
    "koe_segment_audio_seconds": {"engine": "tone"},
    "koe_encoding_seconds": {"format": "mp3"},
    "koe_first_sound_seconds": {"cache": "miss"},
}


def times_measured(harness: Harness) -> list[float]:
    """How often each histogram of ON_ITS_WAY has measured something, all in one scrape."""
    now = scrape(harness)
    return [now(f"{name}_count", **labels) for name, labels in ON_ITS_WAY.items()]


def test_a_spoken_text_is_measured_on_its_whole_way(harness: Harness) -> None:
    before = times_measured(harness)
    audio = growth(harness, "koe_segment_audio_seconds_sum")

    assert post(harness, asked(text_of(2, "measured way"), "mp3")).status_code == 200

    wait_until(lambda: [after - n for after, n in zip(times_measured(harness), before, strict=True)] == [1, 2, 2, 2, 1, 1])
    assert audio() > 1


def test_the_first_sound_comes_after_the_silence_that_a_text_begins_with(harness: Harness) -> None:
    audio, sound = (growth(harness, f"koe_first_{what}_seconds_sum") for what in ("audio", "sound"))

    assert post(harness, asked('<speak><break time="3s"/>Silent at first.</speak>')).status_code == 200

    wait_until(lambda: sound() > 0)
    assert sound() - audio() == pytest.approx(3, abs=0.1)


def test_a_sentence_that_another_text_has_is_a_hit(harness: Harness) -> None:
    hits, spoken = growth(harness, "koe_segment_hits_total"), growth(harness, "koe_synthesis_seconds_count")
    sentence = text_of(1, "shared sentence")

    post(harness, asked(f"{sentence} Then an owl."))
    post(harness, asked(f"{sentence} Then a crow."))

    wait_until(lambda: spoken() >= 2)
    wait_until(lambda: hits() >= 1)


@pytest.mark.parametrize("kind", ["audio", "segment"])
def test_what_is_deleted_to_make_room_is_counted(harness: Harness, kind: str) -> None:
    evicted = growth(harness, "koe_evictions_total", kind=kind)

    for subject in ("first for room", "second for room", "third for room"):
        assert len(post(harness, asked(text_of(1, f"{subject} {kind}"))).content) < CACHE_BYTES

    assert evicted() >= 1


def test_a_request_that_is_not_served_is_a_refusal_and_a_wrong_one_is_not(harness: Harness) -> None:
    refused = growth(harness, "koe_refusals_total", reason="engine_unavailable")
    all_refused = growth(harness, "koe_refusals_total")

    assert post(harness, asked("Hello.", model="kokoro")).status_code == 503
    assert post(harness, asked("Hello.", model="nobody")).status_code == 404

    assert refused() == all_refused() == 1


def test_a_client_that_leaves_cancels_its_utterance(harness: Harness, relay_harness: RelayHarness) -> None:
    gate = relay_harness.relay.now = GatedEngine()
    cancelled = growth(harness, "koe_cancelled_total")
    gate.release(1)

    with listening(harness, asked(text_of(6, "left behind"))):
        wait_until(lambda: scrape(harness)("koe_busy_slots") == 1)
        wait_until(lambda: scrape(harness)("koe_busy_threads") >= 1)
        wait_until(lambda: scrape(harness)("koe_waiting_audio_seconds", lane="interactive") > 5)
    gate.release(10)

    wait_until(lambda: cancelled() == 1)
    wait_until(lambda: scrape(harness)("koe_waiting_audio_seconds", lane="interactive") == 0)


def begin_job(harness: Harness, text: str, **fields: str) -> str:
    with harness.http() as http:
        answer = http.post(f"{SPEECH}/jobs", json=asked(text, "mp3") | fields)
    assert answer.status_code == 202, answer.text
    return str(answer.headers["location"])


def test_a_finished_job_is_counted_and_timed(harness: Harness) -> None:
    done, timed = growth(harness, "koe_jobs_total", outcome="completed"), growth(harness, "koe_job_seconds_count")
    waited = growth(harness, "koe_queue_wait_seconds_count", lane="batch")

    begin_job(harness, text_of(2, "finished job"))

    wait_until(lambda: (done(), timed()) == (1, 1))
    wait_until(lambda: waited() >= 3)


class BrokenEngine(ToneEngine):
    def synthesize(self, segments: object, turn: Turn = ALONE) -> list[Waveform]:
        raise RuntimeError("the engine broke")


def test_a_job_that_fails_was_tried_again_before(harness: Harness, relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = BrokenEngine()
    failed, retried = growth(harness, "koe_jobs_total", outcome="failed"), growth(harness, "koe_retries_total")

    begin_job(harness, text_of(1, "failed job"))

    wait_until(lambda: (failed(), retried()) == (1, 3))


def test_a_job_that_is_cancelled_waits_no_longer(harness: Harness, relay_harness: RelayHarness) -> None:
    gate = relay_harness.relay.now = GatedEngine()
    cancelled = growth(harness, "koe_jobs_total", outcome="cancelled")
    location = begin_job(harness, text_of(8, "cancelled job"))
    gate.wait_begun(1)
    assert scrape(harness)("koe_waiting_audio_seconds", lane="batch") > 20

    with harness.http() as http:
        http.post(f"{location}/cancel")

    assert cancelled() == 1
    assert scrape(harness)("koe_waiting_audio_seconds", lane="batch") == 0
    gate.release(10)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as receiver:
        yield receiver


@pytest.mark.parametrize(("status", "outcome"), [(200, "delivered"), (500, "failed"), (410, "unwanted")])
def test_a_webhook_is_counted_by_its_outcome(harness: Harness, receiver: Receiver, status: int, outcome: str) -> None:
    assert RETRY_SECONDS[0] > 1
    receiver.answers = [(status, {})]
    sent = growth(harness, "koe_webhooks_total", outcome=outcome)

    begin_job(harness, text_of(1, f"webhook {outcome}"), webhook_url=receiver.url)

    wait_until(lambda: sent() == 1)


def test_workers_say_what_they_have(harness: Harness) -> None:
    now = scrape(harness)
    assert harness.pool is not None
    worker = harness.pool.name

    assert (now("koe_slots"), now("koe_threads")) == (3, 2)
    assert now("koe_worker_memory_bytes", worker=worker) > 10**7
    assert now("koe_model_loaded", worker=worker, engine="tone") == 1
    assert now("koe_redis_memory_bytes") > 10**5
    assert now("koe_build_info") == 1


def own_metrics(harness: Harness) -> str:
    assert harness.pool is not None
    port = harness.pool._metrics.port
    return httpx.get(f"http://127.0.0.1:{port}/metrics").text


def test_a_worker_serves_its_own_metrics_on_its_own_port(harness: Harness) -> None:
    post(harness, asked(text_of(1, "own port")))

    text = own_metrics(harness)

    assert 'koe_synthesis_seconds_count{engine="tone"}' in text
    assert "koe_slots 3.0" in text
    assert "koe_build_info{" in text
    assert harness.pool is not None
    assert httpx.get(f"http://127.0.0.1:{harness.pool._metrics.port}/else").status_code == 404


def test_no_metric_shows_what_a_client_sent(harness: Harness) -> None:
    words = text_of(2, "qualified secret")
    post(harness, asked(words, voice="af_bella"))
    location = begin_job(harness, words, webhook_url="http://127.0.0.1:9/hook-of-mine")
    with harness.http() as http:
        wait_until(lambda: json.loads(http.get(location).text)["status"] == "completed")
        text = http.get("/metrics").text + own_metrics(harness)

    sent = ("secret", "sentence", "af_bella", "hook-of-mine", location.rpartition("/")[2], str(harness.settings.data))
    assert not [word for word in sent if word in text.lower()]


def test_a_worker_that_ends_has_handed_everything_over(short_folder: Path) -> None:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), KOE_SLOTS="1", KOE_BATCH_SLOTS="1") as harness:
        post(harness, asked(text_of(1, "last words")))
        assert harness.pool is not None
        harness.pool.stop()
        now = scrape(harness)

        assert now("koe_synthesis_seconds_count", engine="tone") == 1
        assert now("koe_worker_deaths_total") == now("koe_workers") == 0
        with harness.redis() as redis:
            assert not redis.exists(keys.ANNOUNCED)
