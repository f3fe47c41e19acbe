"""HEAD on every path with GET: the headers of the answer to GET, without its body."""

import re

import httpx
import pytest

from app.asgi import ROUTES
from tests.harness import Harness, wait_until

OWN_FOR_EACH = {"x-request-id", "openai-processing-ms", "date", "transfer-encoding"}
CHANGING = {"/metrics": {"content-length"}}
"""Headers that may differ between two answers of a path."""


@pytest.fixture(scope="module")
def job(harness: Harness) -> str:
    """The id of a finished job."""
    with harness.http() as http:
        asked = {"model": "tts-1", "input": "Hello.", "voice": "alloy", "timestamps": ["word"]}
        made = http.post("/v1/audio/speech/jobs", json=asked).json()
        wait_until(lambda: http.get(f"/v1/audio/speech/jobs/{made['id']}").json()["status"] == "completed")
    return str(made["id"])


def headers(answer: httpx.Response, path: str) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in OWN_FOR_EACH | CHANGING.get(path, set())}


GOTTEN = sorted({path for route in ROUTES if "GET" in route.http_methods for path in route.paths})


@pytest.mark.parametrize("template", [*GOTTEN, "/schema", "/schema/openapi.json", "/schema/swagger-ui.css", "/v1/nope"])
def test_every_path_with_get_answers_head_with_its_headers(harness: Harness, job: str, template: str) -> None:
    path = template.replace("{job_id:str}", job)
    path = re.sub(r"\{[^}]+\}", "tts-1", path)
    with harness.http() as http:
        gotten, head_answer = http.get(path), http.head(path)

    assert head_answer.status_code == gotten.status_code
    assert head_answer.content == b""
    assert headers(head_answer, path) == headers(gotten, path)


def test_the_connection_can_be_used_for_the_next_request(harness: Harness, job: str) -> None:
    with harness.http(limits=httpx.Limits(max_connections=1)) as http:
        for _ in range(3):
            assert http.head(f"/v1/audio/speech/jobs/{job}/content").status_code == 200
            assert http.get("/healthz").json() == {"status": "ok"}


def test_events_that_would_go_on_for_long_are_not_waited_for(harness: Harness) -> None:
    with harness.http() as http:
        body = {"model": "tts-1", "input": "Hello. " * 20_000, "voice": "alloy", "response_format": "wav"}
        made = http.post("/v1/audio/speech/jobs", json=body).json()
        head_answer = http.head(f"/v1/audio/speech/jobs/{made['id']}/events")
        http.delete(f"/v1/audio/speech/jobs/{made['id']}")

    assert head_answer.status_code == 200
    assert head_answer.headers["content-type"].startswith("text/event-stream")


def test_a_range_means_nothing(harness: Harness, job: str) -> None:
    with harness.http() as http:
        head_answer = http.head(f"/v1/audio/speech/jobs/{job}/content", headers={"range": "bytes=0-1"})

    assert head_answer.status_code == 200
    assert int(head_answer.headers["content-length"]) > 2
    assert "content-range" not in head_answer.headers


def test_where_get_is_not_head_is_not(harness: Harness) -> None:
    with harness.http() as http:
        head_answer = http.head("/v1/audio/speech")

    assert head_answer.status_code == 405
    assert head_answer.headers["allow"] == "OPTIONS, POST"


def test_a_head_request_is_counted_as_head(harness: Harness) -> None:
    with harness.http() as http:
        http.head("/v1/models/tts-1")
        counted = http.get("/metrics").text

    assert re.search(r'koe_requests_total\{method="HEAD",route="/v1/models/\{model_id\}",status="200"\} \d', counted)
