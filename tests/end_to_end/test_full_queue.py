"""A Redis that is full or refuses commands: the client gets a specific error at once, and no request waits for ever."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.core.settings import Settings, read_settings
from app.core.storage.connections import connect
from tests.end_to_end.listeners import SPEECH, asked, listening
from tests.engines import GatedEngine, text_of
from tests.harness import Api, Harness, open_harness, wait_until
from tests.valkeys import serving
from workers.engines.registry import Loaded
from workers.engines.tone import ToneEngine
from workers.process.pool import Pool

JOBS = "/v1/audio/speech/jobs"
HASTY = {"KOE_MAX_WAIT": "8", "KOE_WORKER_TIMEOUT": "3", "KOE_THREADS": "1"}


@pytest.fixture
def gate() -> GatedEngine:
    return GatedEngine()


@pytest.fixture
def harness(short_folder: Path, gate: GatedEngine) -> Iterator[Harness]:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"tone": gate}, **HASTY) as harness:
        yield harness
        accept_writes(harness)
        gate.release(10_000)


def refuse_writes(harness: Harness) -> None:
    """Makes Redis refuse writes from now on, as with a full disk."""
    with harness.redis() as redis:
        redis.config_set("maxmemory-policy", "noeviction")
        redis.config_set("maxmemory", 1)


def accept_writes(harness: Harness) -> None:
    with harness.redis() as redis:
        redis.config_set("maxmemory", 0)


def test_a_full_redis_is_reported_as_full_and_works_again_when_it_has_space(
    harness: Harness, gate: GatedEngine, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    gate.release(10_000)
    with harness.http() as http:
        refuse_writes(harness)
        wait_until(lambda: _has_no_worker(harness))
        for path, body in ((SPEECH, asked("Hello.")), (JOBS, asked("Hello."))):
            refused = http.post(path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_storage_full")
            assert refused.headers["retry-after"] == "30"
            assert "koe worker" not in refused.text
        assert "its disk or its memory is full" in http.get("/readyz").json()["notice"]
        accept_writes(harness)
        wait_until(lambda: http.get("/readyz").status_code == 200)
        assert http.post(SPEECH, json=asked("Hello again.")).status_code == 200
    assert "Traceback" not in capfd.readouterr().err + caplog.text


def _has_no_worker(harness: Harness) -> bool:
    with harness.redis() as redis:
        return not redis.keys("koe:worker:*")


def test_an_answer_that_has_begun_ends_when_redis_stays_full_too_long(harness: Harness, gate: GatedEngine) -> None:
    gate.release(1)
    with listening(harness, asked(text_of(6))) as listener:
        refuse_writes(harness)
        gate.release(100)
        with pytest.raises(httpx.RemoteProtocolError):  # Not a ReadTimeout: the response does not hang.
            listener.hear_all()


def test_an_answer_that_has_begun_continues_when_redis_has_space_soon(harness: Harness, gate: GatedEngine) -> None:
    gate.release(1)
    text = text_of(6)
    with listening(harness, asked(text)) as listener:
        refuse_writes(harness)
        wait_until(lambda: _has_no_worker(harness))
        accept_writes(harness)
        gate.release(100)
        heard = listener.hear_all()
    with harness.http() as http:
        wait_until(lambda: http.get("/readyz").status_code == 200)
        assert http.post(SPEECH, json=asked(text)).content == heard


@contextmanager
def working(settings: Settings, url: str) -> Iterator[httpx.Client]:
    """Yields a client of an API that is ready, as is its worker. Both use the Redis at `url`."""
    pool, api = Pool(settings, url, Loaded({"tone": ToneEngine()})), Api(settings, url)
    pool.warm_up()
    pool.start()
    try:
        with httpx.Client(base_url=api.start(), timeout=60) as http:
            wait_until(lambda: http.get("/readyz").status_code == 200)
            yield http
    finally:
        api.stop()
        pool.stop()


def test_a_refusal_is_sent_at_once(tmp_path: Path, gate: GatedEngine) -> None:
    settings = read_settings({"KOE_DATA": str(tmp_path), "KOE_SEGMENT_BYTES": "0"})
    with serving(tmp_path) as server:
        server.redis().execute_command("ACL", "SETUSER", "koe", "on", ">pw", "~*", "&*", "+@all")
        url = server.url.replace("//", "//koe:pw@")
        with working(settings, url) as http, connect(server.url) as redis:
            redis.execute_command("ACL", "SETUSER", "koe", "-multi")
            refused = http.post(SPEECH, json=asked("Hello."))
            redis.execute_command("ACL", "SETUSER", "koe", "+multi")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_refuses")
    assert refused.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.headers


@pytest.mark.filterwarnings("ignore:CLIENT SETNAME")
def test_a_managed_server_that_refuses_to_describe_itself_is_worked_with(tmp_path: Path) -> None:
    settings = read_settings({"KOE_DATA": str(tmp_path)})
    with serving(tmp_path) as server:
        refused = ["-info", "-config", "-acl", "-client", "-wait"]
        server.redis().execute_command("ACL", "SETUSER", "koe", "on", ">pw", "~koe:*", "~rq:*", "&koe:*", "+@all", *refused)
        url = server.url.replace("//", "//koe:pw@")
        with working(settings, url) as http:
            assert http.post(SPEECH, json=asked("Hello.")).status_code == 200
            job = http.post(JOBS, json=asked("Hello.")).json()
            wait_until(lambda: http.get(f"{JOBS}/{job['id']}").json()["status"] == "completed")
