"""nginx and Caddy in front of a live server, with the files of `deploy/proxies`."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.core.request_limits import JOB_BODY_BYTES
from tests.deploy.proxies import NAMES, proxy
from tests.engines import GatedEngine, RelayEngine, text_of
from tests.harness import Harness, open_harness, wait_until
from workers.engines.tone import ToneEngine

ASKED = {"model": "tts-1", "voice": "coral", "response_format": "pcm"}


@pytest.fixture(scope="module")
def relay() -> RelayEngine:
    return RelayEngine()


@pytest.fixture(scope="module")
def koe(short_folder: Path, relay: RelayEngine) -> Iterator[Harness]:
    with open_harness(short_folder / "behind", {"tone": relay}) as harness:
        yield harness


@pytest.fixture
def engine(relay: RelayEngine) -> Iterator[GatedEngine]:
    """An engine that speaks one segment, and the next ones when the test allows it."""
    relay.now = engine = GatedEngine()
    engine.release()
    yield engine
    engine.release(1000)
    relay.now = ToneEngine()


@pytest.fixture(scope="module", params=NAMES)
def client(request: pytest.FixtureRequest, koe: Harness, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with proxy(request.param, koe.url, tmp_path_factory.mktemp("proxy")) as client:
        yield client


def speech(client: httpx.Client, subject: str) -> dict[str, str]:
    """A text of three segments that no other test and no other proxy has."""
    return ASKED | {"input": text_of(3, f"{subject} {client.base_url.port}")}


def n_left(koe: Harness) -> float:
    """How many clients have left in the middle of their audio, as Koe counts them."""
    begin = 'koe_broken_off_total{reason="left",route="/v1/audio/speech"} '
    with koe.http() as http:
        lines = http.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(begin)) for line in lines if line.startswith(begin))


@pytest.mark.parametrize("path", ["", "/tts"])
def test_the_first_audio_arrives_while_the_rest_is_not_spoken_yet(client: httpx.Client, engine: GatedEngine, path: str) -> None:
    with client.stream("POST", f"{path}/v1/audio/speech", json=speech(client, f"early {path}")) as answer:
        chunks = answer.iter_raw()
        assert next(chunks)
        assert answer.headers["x-koe-cache"] == "miss"
        assert len(engine.spoken) == 1
        engine.release(2)
        assert b"".join(chunks)


def test_events_arrive_while_the_rest_is_not_spoken_yet(client: httpx.Client, engine: GatedEngine) -> None:
    asked = speech(client, "events") | {"model": "gpt-4o-mini-tts", "stream_format": "sse"}
    with client.stream("POST", "/v1/audio/speech", json=asked) as answer:
        lines = answer.iter_lines()
        assert "speech.audio.delta" in next(line for line in lines if line)
        assert len(engine.spoken) == 1
        engine.release(2)
        assert "speech.audio.done" in [line for line in lines if line][-1]


@pytest.mark.usefixtures("engine")
def test_a_client_that_leaves_is_noticed(client: httpx.Client, koe: Harness) -> None:
    n_before = n_left(koe)
    with client.stream("POST", "/v1/audio/speech", json=speech(client, "left")) as answer:
        next(answer.iter_raw())

    wait_until(lambda: n_left(koe) == n_before + 1)


def test_the_largest_body_of_a_job_passes_and_a_larger_one_gets_the_error_of_koe(client: httpx.Client) -> None:
    def body(n_bytes: int) -> bytes:
        start = json.dumps(ASKED | {"input": "Hello."})[:-1].encode()
        return start + b" " * (n_bytes - len(start) - 1) + b"}"

    def submit(n_bytes: int) -> httpx.Response:
        return client.post("/v1/audio/speech/jobs", content=body(n_bytes), headers={"content-type": "application/json"})

    made = submit(JOB_BODY_BYTES)
    assert made.status_code == 202
    client.delete(f"/v1/audio/speech/jobs/{made.json()['id']}")
    assert submit(JOB_BODY_BYTES + 1).json()["error"]["code"] == "request_too_large"
    assert submit(10 * 1024**2).status_code == 413


def test_addresses_in_answers_are_those_that_the_client_can_reach(client: httpx.Client) -> None:
    for path in ("", "/tts"):
        made = client.post(f"{path}/v1/audio/speech/jobs", json=ASKED | {"input": "Hello."})
        location = made.headers["location"]
        assert location.startswith(f"{path}/v1/audio/speech/jobs/")
        assert client.get(location).status_code == 200
        assert client.delete(location).status_code == 204
        assert client.get(f"{path}/schema/openapi.json").json()["servers"] == [{"url": path or "/"}]
        assert client.get(f"{path}/").headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    "target",
    ["/metrics", "/metrics/", "//metrics", "/./metrics", "/v1/../metrics", "/%6detrics", "/metrics?x", "/tts//metrics"],
)
def test_nobody_outside_reads_the_metrics(client: httpx.Client, target: str) -> None:
    for said in (target, target.replace("metrics", "readyz").replace("%6d", "%72"), f"/tts{target}"):
        answer = client.get("/", extensions={"target": said.encode()})
        assert answer.status_code == 404, said
        assert "koe_" not in answer.text


def test_a_client_cannot_name_a_path_of_its_own(client: httpx.Client) -> None:
    said = {"x-forwarded-prefix": "/v1"}

    assert client.get("/v1/metrics", headers=said).status_code == 404
    assert client.get("/schema/openapi.json", headers=said).json()["servers"] == [{"url": "/"}]


def test_one_connection_to_the_proxy_has_many_requests(client: httpx.Client) -> None:
    for _ in range(20):
        assert client.get("/v1/models").status_code == 200
