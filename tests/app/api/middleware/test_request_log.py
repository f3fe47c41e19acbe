"""One log line for each request: what it requested and how it ended, but never its text."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture
from structlog.typing import EventDict, Processor

from app.access.keyring import digest_of
from app.api.middleware import request_log
from tests.end_to_end.test_raw_sockets import exchange
from tests.harness import Harness, open_harness, wait_until

KEY, NAMED = "sk-koe-observed-0001", "sk-koe-observed-0002"
BODY = {"model": "tts-1", "input": "A secret text.", "voice": "nova", "response_format": "pcm"}
SPEECH = "/v1/audio/speech"

Lines = Callable[[int], list[EventDict]]


@pytest.fixture(scope="module")
def watched(short_folder: Path) -> Iterator[Harness]:
    """A harness with two keys, one of them with a name and a limit."""
    file = short_folder / "keys.toml"
    file.write_text(f'[[keys]]\nname = "alice"\nsha256 = "{digest_of(NAMED.encode()).hex()}"\nrate_limit = "1/hour"\n')
    data = short_folder / "watched"
    with open_harness(data, KOE_API_KEYS=KEY, KOE_API_KEYS_FILE=str(file)) as harness:
        yield harness


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Returns the log lines of requests, of every level, once there are `n_lines`. Does not depend on how other tests set up
    the log.
    """
    capture = LogCapture()
    processors: list[Processor] = [structlog.contextvars.merge_contextvars, capture]
    every_level = structlog.make_filtering_bound_logger(logging.DEBUG)
    monkeypatch.setattr(request_log, "log", structlog.wrap_logger(None, processors, every_level))

    def read(n_lines: int) -> list[EventDict]:
        def found() -> list[EventDict]:
            return [one for one in capture.entries if one["event"] == "request_answered"]

        wait_until(lambda: len(found()) >= n_lines)
        return found()

    return read


def of(line: EventDict, *names: str) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in names)


def test_speech_is_logged_with_all_known_facts(watched: Harness, lines: Lines) -> None:
    with watched.http(headers={"authorization": f"Bearer {KEY}"}) as http:
        first, second = http.post(SPEECH, json=BODY), http.post(SPEECH, json=BODY)
    miss, hit = lines(2)

    assert of(miss, "method", "route", "status", "log_level") == ("POST", SPEECH, 200, "info")
    assert of(miss, "model", "voice", "format", "n_chars", "key") == ("tts-1", "af_nova", "pcm", 14, "KOE_API_KEYS 1")
    assert (miss["cache"], hit["cache"]) == ("miss", "hit")
    assert miss["request_id"] == first.headers["x-request-id"] != second.headers["x-request-id"] == hit["request_id"]
    assert miss["n_bytes"] == len(first.content)
    assert miss["audio_seconds"] == round(len(first.content) / 48_000, 3)
    assert 0 < miss["first_audio_seconds"] <= miss["seconds"] < 60
    assert not {"code", "broken_off"} & miss.keys()


def test_jobs_and_phonemes_are_logged_too(watched: Harness, lines: Lines) -> None:
    with watched.http(headers={"authorization": f"Bearer {KEY}"}) as http:
        http.post(f"{SPEECH}/jobs", json=BODY)
        http.post("/v1/audio/phonemize", json={"input": "Four", "voice": "nova", "model": "tts-1"})
        http.get(f"{SPEECH}/jobs/job_1")
    job, phonemes, missing = lines(3)

    assert of(job, "route", "status", "voice", "format", "n_chars") == (f"{SPEECH}/jobs", 202, "af_nova", "pcm", 14)
    assert of(phonemes, "route", "voice", "n_chars") == ("/v1/audio/phonemize", "af_nova", 4)
    assert of(missing, "route", "status", "code") == (f"{SPEECH}/jobs/{{job_id}}", 404, "job_not_found")


def test_refusals_are_logged_with_their_codes(watched: Harness, lines: Lines) -> None:
    alice = {"authorization": f"Bearer {NAMED}"}
    with watched.http() as http:
        answers = [
            http.post(SPEECH, json=BODY),
            http.post(SPEECH, json=BODY, headers={"authorization": "Bearer sk-koe-of-nobody-1"}),
            http.post(SPEECH, json=BODY | {"speed": 9}, headers=alice),
            http.post(SPEECH, json=BODY, headers=alice),
            http.post(SPEECH, json=BODY, headers=alice),
            http.get("/v1/nope"),
        ]
    logged = lines(6)

    assert [of(line, "status", "code", "key", "log_level") for line in logged] == [
        (401, "missing_key", None, "info"),
        (401, "invalid_api_key", None, "info"),
        (400, "decimal_above_max_value", "alice", "info"),
        (200, None, "alice", "info"),
        (429, "rate_limit_exceeded", "alice", "warning"),
        (404, "unknown_url", None, "info"),
    ]
    assert [line["request_id"] for line in logged] == [answer.headers["x-request-id"] for answer in answers]


NO_REQUESTS = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01", "bad_http"),
    "headers too large": (b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000, "headers_too_large"),
}


@pytest.mark.parametrize(("sent", "code"), NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_the_id_that_is_shown_for_an_invalid_request_is_in_the_log(
    watched: Harness, lines: Lines, sent: bytes, code: str
) -> None:
    head, _, body = exchange(watched, sent, hang_up=False).partition(b"\r\n\r\n")
    (line,) = lines(1)

    assert f"x-request-id: {line['request_id']}".encode() in head
    assert json.loads(body)["error"]["code"] == code == line["code"]
    assert of(line, "route", "method") in {("unknown", "other"), ("unknown", "GET")}


def test_an_unknown_method_is_not_logged_by_its_name(watched: Harness, lines: Lines) -> None:
    with watched.http() as http:
        http.request("PROPFIND", "/healthz")

    assert lines(1)[0]["method"] == "other"


def test_health_checks_and_scrapes_are_logged_at_debug_level_only(watched: Harness, lines: Lines) -> None:
    with watched.http() as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            http.get(path)

    assert [line["log_level"] for line in lines(3)] == ["debug"] * 3


def test_a_fault_of_the_server_is_an_error(harness: Harness, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, *args: Any) -> None:
        raise RuntimeError("a secret text")

    monkeypatch.setattr("app.api.measures.Metrics.render", fail)
    with harness.http() as http:
        answer = http.get("/metrics")
    (line,) = lines(1)

    assert of(line, "status", "code", "log_level") == (500, "internal_error", "error")
    assert line["request_id"] == answer.headers["x-request-id"]


def test_no_worker_is_a_warning(data: Path, lines: Lines) -> None:
    with open_harness(data, {}) as harness, harness.http() as http:
        http.post(SPEECH, json=BODY)

    assert of(lines(1)[0], "status", "code", "log_level") == (503, "no_worker", "warning")


def test_neither_text_nor_key_nor_address_is_logged(watched: Harness, lines: Lines) -> None:
    with watched.http(headers={"authorization": f"Bearer {NAMED}x"}) as http:
        http.post(SPEECH, json=BODY)
        http.get("/v1/A-secret-text?A=secret")
        http.post(SPEECH, json=BODY | {"model": "secret"}, headers={"authorization": f"Bearer {KEY}"})
    logged = json.dumps(lines(3))

    assert not any(word in logged for word in ("secret", NAMED, KEY, "127.0.0.1"))


def test_every_answer_has_the_headers_that_restrict_browsers(watched: Harness) -> None:
    with watched.http(headers={"authorization": f"Bearer {KEY}"}) as http:
        answers = [
            http.get("/"),
            http.get("/schema"),
            http.get("/schema/openapi.json"),
            http.get("/healthz"),
            http.get("/nope"),
            http.post(SPEECH, json=BODY),
            http.options(SPEECH),
        ]
    for answer in answers:
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert b"\r\nx-content-type-options: nosniff\r\n" in exchange(watched, b"no HTTP\r\n\r\n", hang_up=False)
