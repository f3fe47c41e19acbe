"""After a failure the client gets an error or a broken connection, never partial audio as complete; the next request works."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.core.speech.formats import FORMATS
from app.core.storage import keys
from tests.audio import decode, ffmpeg
from tests.end_to_end.conftest import ONE_AT_A_TIME, RelayHarness
from tests.end_to_end.listeners import asked, listening, post
from tests.end_to_end.processes import ROOT, WORKER, Process, running
from tests.end_to_end.test_metrics import scrape
from tests.engines import FailingEngine, GatedEngine, text_of
from tests.harness import Harness, open_harness, wait_until
from workers.engines.tone import ToneEngine

HARNESS = ONE_AT_A_TIME
LONG = text_of(14, "broken journey")


def check_internal_error(answer: httpx.Response) -> None:
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("server_error", None, "internal_error")
    assert answer.headers["x-request-id"].startswith("req_")
    assert not any(trace in answer.text for trace in ("Traceback", ".py", str(ROOT), "the engine broke", "RuntimeError"))


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_failure_before_the_first_audio_is_a_500(relay_harness: RelayHarness, format_name: str) -> None:
    relay_harness.relay.now = FailingEngine(0)
    body = asked(text_of(3, "early fault"), format_name)

    check_internal_error(post(relay_harness.harness, body))

    relay_harness.relay.now = ToneEngine()
    assert len(decode(post(relay_harness.harness, body).content, format_name)) > 24_000 * 0.06 * len(body["input"])


@pytest.mark.parametrize("fail_at", [1, 5])
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_failure_after_the_first_audio_breaks_the_answer_off(
    gated: Harness, gate: GatedEngine, format_name: str, fail_at: int
) -> None:
    body = asked(text_of(6, f"late fault {fail_at}"), format_name)
    gate.release(1)

    with listening(gated, body) as listener:
        if fail_at > 1:
            gate.release(fail_at - 1)
        wait_until(lambda: len(gate.spoken) == fail_at)
        gate.is_broken = True
        gate.release(6)
        with pytest.raises(httpx.RemoteProtocolError):
            listener.hear_all()

    gate.is_broken = False
    gate.release(100)
    again = post(gated, body)
    assert again.headers["x-koe-cache"] == "miss"
    assert len(decode(again.content, format_name)) > 24_000 * 0.06 * len(body["input"])


def test_every_listener_is_disconnected(gated: Harness, gate: GatedEngine) -> None:
    body = asked(text_of(3, "shared fault"))
    gate.release(1)

    with listening(gated, body) as first, listening(gated, body) as second:
        gate.is_broken = True
        gate.release(3)
        for listener in (first, second):
            with pytest.raises(httpx.RemoteProtocolError):
                listener.hear_all()


def test_the_official_client_does_not_take_a_part_for_the_whole(gated: Harness, gate: GatedEngine) -> None:
    gate.release(1)
    speech = gated.openai().audio.speech.with_streaming_response

    with speech.create(model="tts-1", voice="nova", input=text_of(3, "torn letter")) as answer:
        pieces = answer.iter_bytes()
        next(pieces)
        gate.is_broken = True
        gate.release(3)
        with pytest.raises(Exception, match="incomplete chunked read"):
            list(pieces)


@pytest.fixture(scope="module")
def binary(short_folder: Path) -> Path:
    """Returns the path of the harness's encoder; a test may replace the file."""
    return Path(tempfile.mkdtemp(dir=short_folder)) / "ffmpeg"


@pytest.fixture(scope="module")
def fragile(short_folder: Path, binary: Path) -> Iterator[Harness]:
    binary.symlink_to(ffmpeg())
    settings = ONE_AT_A_TIME | {"KOE_FFMPEG": str(binary)}
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), **settings) as harness:
        yield harness


@pytest.mark.parametrize("instead", [None, "/bin/false", "/bin/true", "/etc/hostname"])
def test_an_encoder_that_breaks_while_running_is_an_error_and_wav_still_works(
    fragile: Harness, binary: Path, instead: str | None
) -> None:
    body = asked(f"With {instead} for an encoder.", "mp3")
    assert post(fragile, body | {"speed": 2}).status_code == 200

    binary.unlink()
    if instead:
        binary.symlink_to(instead)
    broken, wav = post(fragile, body), post(fragile, body | {"response_format": "wav"})
    binary.unlink(missing_ok=True)
    binary.symlink_to(ffmpeg())

    check_internal_error(broken)
    assert wav.status_code == 200
    assert post(fragile, body).status_code == 200


def test_an_encoder_that_is_missing_at_start_is_one_clear_line(data: Path) -> None:
    environ = os.environ | {"KOE_ENGINE": "tone", "KOE_FFMPEG": "/nowhere/ffmpeg", "KOE_DATA": str(data)}

    done = subprocess.run(WORKER, env=environ, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode != 0
    assert "/nowhere/ffmpeg" in done.stderr
    assert "KOE_FFMPEG" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def empty(short_folder: Path) -> Iterator[Harness]:
    """Yields a harness without workers; tests start their own."""
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}, KOE_WORKER_TIMEOUT="2", KOE_MAX_WAIT="6") as harness:
        yield harness


def worker_of(harness: Harness, log: Path) -> Process:
    """Starts a worker process for that harness and returns it when it is registered."""
    process = Process(
        WORKER,
        log,
        KOE_ENGINE="tone",
        KOE_REDIS_URL=harness.redis_url,
        KOE_SLOTS="2",
        KOE_BATCH_SLOTS="1",
        KOE_WORKER_TIMEOUT="2",
    )
    process.wait_said("worker_started")
    return process


def kill(process: Process) -> None:
    process.signal(signal.SIGKILL)
    process.wait()


def test_a_killed_worker_without_a_replacement_breaks_its_answers_off_and_the_next_worker_speaks_the_whole(
    empty: Harness, tmp_path: Path
) -> None:
    body = asked(LONG, "opus", speed=0.25)

    with running(worker_of(empty, tmp_path / "first.log")) as first, listening(empty, body) as listener:
        kill(first)
        with pytest.raises(httpx.RemoteProtocolError):
            listener.hear_all()

    with running(worker_of(empty, tmp_path / "second.log")):
        again = post(empty, body)
    assert again.status_code == 200, again.text
    assert len(decode(again.content, "opus")) > 24_000 * 0.24 * len(LONG)


def test_a_death_and_a_takeover_are_in_the_metrics_for_good(short_folder: Path, tmp_path: Path) -> None:
    folder, body = Path(tempfile.mkdtemp(dir=short_folder)), asked(LONG, "opus", speed=0.27)
    with open_harness(folder, {}, KOE_WORKER_TIMEOUT="2") as harness:
        with (
            running(worker_of(harness, tmp_path / "first.log")) as first,
            listening(harness, body) as listener,
            running(worker_of(harness, tmp_path / "second.log")),
        ):
            kill(first)
            listener.hear_all()
            wait_until(lambda: scrape(harness)("koe_worker_deaths_total") >= 1)
        assert scrape(harness)("koe_takeovers_total") >= 1
        assert scrape(harness)("koe_synthesis_seconds_count") > 0


@pytest.mark.parametrize(
    "last_moment", [{"ending": "1"}, {"readers:dead": "2"}], ids=["nearly done", "with a reader that died too"]
)
def test_a_killed_worker_leaves_nothing_that_spoils_the_text(
    empty: Harness, tmp_path: Path, last_moment: dict[str, str]
) -> None:
    body = asked(LONG, "opus", speed=0.26)
    with empty.redis() as redis:
        redis.flushall()

    with running(worker_of(empty, tmp_path / "first.log")) as first, listening(empty, body) as listener:
        kill(first)
        with empty.redis() as redis:
            record = next(key for key in redis.keys(keys.utterance("*")) if redis.hget(key, "state") == b"speaking")
            redis.hset(record, mapping=last_moment)
        with pytest.raises(httpx.RemoteProtocolError):
            listener.hear_all()

    with running(worker_of(empty, tmp_path / "second.log")):
        again = post(empty, body)
    assert again.status_code == 200, again.text


def test_without_its_queue_the_api_says_so_and_recovers_by_itself(short_folder: Path) -> None:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), KOE_SLOTS="2") as harness, harness.http() as http:
        assert post(harness, asked("Before.")).status_code == 200

        harness.server.stop()
        answer, health, ready = post(harness, asked("Meanwhile.")), http.get("/healthz"), http.get("/readyz")
        harness.server.start()

        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_worker")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert health.status_code == 200
        assert ready.status_code == 503
        wait_until(lambda: http.get("/readyz").status_code == 200)
        wait_until(lambda: post(harness, asked("Afterwards.")).status_code == 200)


def test_an_answer_is_broken_off_when_the_queue_goes_away_for_too_long(short_folder: Path) -> None:
    engine = GatedEngine()
    engine.release(1)
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"tone": engine}, **ONE_AT_A_TIME, KOE_MAX_WAIT="1") as harness:
        with listening(harness, asked(text_of(3, "lost queue"))) as listener:
            harness.server.stop()
            with pytest.raises(httpx.RemoteProtocolError):
                listener.hear_all()
        engine.release(10_000)
        harness.server.start()

        wait_until(lambda: post(harness, asked("Afterwards.")).status_code == 200)
