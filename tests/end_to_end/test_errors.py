"""Every row of the table of errors over real HTTP, and as an exception of the official client."""

import gzip
import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from app.core.queue.broker import QueueName, rq_queue
from tests.engines import GatedEngine
from tests.harness import Harness, open_harness, wait_until
from workers.engines.tone import ToneEngine

SPEECH = "/v1/audio/speech"
GOOD: dict[str, Any] = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}
INVALID = "invalid_request_error"
NO_JSON = "We could not parse the JSON body of your request."
NO_KEY = "You didn't provide an API key."
MISSING_KOKORO = "Kokoro's files are not here; run `koe fetch`."


@pytest.fixture(scope="module")
def locked(short_folder: Path) -> Iterator[Harness]:
    """Yields a harness with keys."""
    with open_harness(
        Path(tempfile.mkdtemp(dir=short_folder)), KOE_API_KEYS="sk-koe-first-0001,sk-koe-second-2", KOE_SLOTS="1"
    ) as harness:
        yield harness


@pytest.fixture(scope="module")
def narrow(short_folder: Path) -> Iterator[tuple[Harness, GatedEngine]]:
    """Yields a harness with one slot, a queue of one and a short maximum wait, and its engine, which waits."""
    engine = GatedEngine()
    with open_harness(
        Path(tempfile.mkdtemp(dir=short_folder)), {"tone": engine}, KOE_SLOTS="1", KOE_MAX_QUEUE="1", KOE_MAX_WAIT="1"
    ) as harness:
        yield harness, engine
        engine.release(10_000)


@pytest.fixture(scope="module")
def empty(short_folder: Path) -> Iterator[Harness]:
    """Yields a harness without a worker."""
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}) as harness:
        yield harness


@pytest.fixture(scope="module")
def without_kokoro(short_folder: Path) -> Iterator[Harness]:
    """Yields a harness whose worker lacks Kokoro and has only another engine."""
    with open_harness(
        Path(tempfile.mkdtemp(dir=short_folder)), {"espeak": ToneEngine()}, missing=MISSING_KOKORO, KOE_SLOTS="1"
    ) as harness:
        yield harness


def check(answer: httpx.Response, status: int, kind: str, param: str | None, code: str | None, begins: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["openai-processing-ms"].isdecimal()
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"message", "type", "param", "code"}
    assert (body["error"]["type"], body["error"]["param"], body["error"]["code"]) == (kind, param, code)
    assert body["error"]["message"].startswith(begins)


def post(harness: Harness, body: Any, **headers: str) -> httpx.Response:
    with harness.http(headers=headers) as http:
        return http.post(SPEECH, json=body)


def post_raw(harness: Harness, content: bytes, content_type: str | None = "application/json", **headers: str) -> httpx.Response:
    with harness.http(headers=headers | ({"Content-Type": content_type} if content_type else {})) as http:
        return http.post(SPEECH, content=content)


FAULTS: list[tuple[dict[str, Any], int, str | None, str | None, str]] = [
    ({"model": None}, 400, None, None, "you must provide a model parameter"),
    ({"model": ""}, 400, None, None, "you must provide a model parameter"),
    ({"model": "X"}, 404, None, "model_not_found", "The model `X` does not exist or you do not have access to it."),
    ({"model": 5}, 400, "model", "invalid_type", "Invalid type for 'model': expected a string, but got an integer instead."),
    ({"input": None}, 400, "input", "missing_required_parameter", "Missing required parameter: 'input'."),
    ({"voice": None}, 400, "voice", "missing_required_parameter", "Missing required parameter: 'voice'."),
    ({"input": 5}, 400, "input", "invalid_type", "Invalid type for 'input': expected a string, but got an integer instead."),
    ({"input": ["a"]}, 400, "input", "invalid_type", "Invalid type for 'input': expected a string, but got an array instead."),
    ({"voice": True}, 400, "voice", "invalid_type", "Invalid type for 'voice': expected a string, but got a boolean instead."),
    ({"speed": "1"}, 400, "speed", "invalid_type", "Invalid type for 'speed': expected a decimal, but got a string instead."),
    (
        {"input": ""},
        400,
        "input",
        "empty_string",
        "Invalid 'input': empty string. Expected a string with minimum length 1, but got an empty string instead.",
    ),
    (
        {"input": "a" * 5000},
        400,
        "input",
        "string_above_max_length",
        "Invalid 'input': string too long. Expected a string with maximum length 4096, "
        "but got a string with length 5000 instead.",
    ),
    ({"instructions": "a" * 4097}, 400, "instructions", "string_above_max_length", "Invalid 'instructions': string too long."),
    ({"voice": "zzz"}, 400, "voice", "invalid_value", "Invalid value: 'zzz'. Supported values are: 'alloy', "),
    ({"voice": ""}, 400, "voice", "invalid_value", ""),
    ({"voice": "../../etc/passwd"}, 400, "voice", "invalid_value", ""),
    ({"voice": "af_heart(0)+bf_emma"}, 400, "voice", "invalid_value", ""),
    ({"voice": "af_heart(inf)+bf_emma"}, 400, "voice", "invalid_value", ""),
    ({"voice": "+".join(["af_heart"] * 9)}, 400, "voice", "invalid_value", ""),
    (
        {"response_format": "ogg"},
        400,
        "response_format",
        "unsupported_value",
        "Invalid value: 'ogg'. Supported values are: 'mp3', ",
    ),
    (
        {"speed": 5},
        400,
        "speed",
        "decimal_above_max_value",
        "Invalid 'speed': decimal above maximum value. Expected a value <= 4, but got 5 instead.",
    ),
    (
        {"speed": 0.1},
        400,
        "speed",
        "decimal_below_min_value",
        "Invalid 'speed': decimal below minimum value. Expected a value >= 0.25, but got 0.1 instead.",
    ),
    ({"stream_format": "xml"}, 400, "stream_format", "invalid_value", "Invalid value: 'xml'. Supported values are: 'audio'"),
    ({"language": "xx-klingon"}, 400, "language", "invalid_value", "Invalid value: 'xx-klingon'. Supported values are: "),
    ({"timestamps": ["letter"]}, 400, "timestamps", "invalid_value", "Invalid value: 'letter'. Supported values are: 'word'"),
]


@pytest.mark.parametrize(("change", "status", "param", "code", "begins"), FAULTS, ids=[str(row[0])[:50] for row in FAULTS])
def test_a_fault_in_a_field_is_reported(
    harness: Harness, change: dict[str, Any], status: int, param: str | None, code: str | None, begins: str
) -> None:
    check(post(harness, GOOD | change), status, INVALID, param, code, begins)


@pytest.mark.parametrize("field", ["model", "input", "voice"])
def test_a_required_field_that_is_absent_is_as_null(harness: Harness, field: str) -> None:
    absent = post(harness, {name: value for name, value in GOOD.items() if name != field})

    assert absent.status_code == 400
    assert absent.json() == post(harness, GOOD | {field: None}).json()


def test_the_error_for_an_unknown_voice_names_koes_own_voices(harness: Harness) -> None:
    message = post(harness, GOOD | {"voice": "zzz"}).json()["error"]["message"]

    assert "and 'cedar'." in message
    assert "Kokoro" in message
    assert "/v1/audio/voices" in message


def test_the_error_for_a_bad_format_names_all_six(harness: Harness) -> None:
    message = post(harness, GOOD | {"response_format": "ogg"}).json()["error"]["message"]

    assert all(f"'{name}'" in message for name in ("mp3", "opus", "aac", "flac", "wav", "pcm"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{'model': 'tts-1'}",
        b'{"model": "tts-1", "input": "a", "voice": "alloy", "speed": NaN}',
        b'{"model": "tts-1", "input": "a", "voice": "alloy", "speed": Infinity}',
        b'{"model": "tts-1", "input": "\xff", "voice": "alloy"}',
        b'\xef\xbb\xbf{"model"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_no_json_object_is_reported(harness: Harness, body: bytes) -> None:
    check(post_raw(harness, body), 400, INVALID, None, None, NO_JSON)


def test_a_key_that_comes_twice_has_its_last_value(harness: Harness) -> None:
    good = json.dumps(GOOD).encode()

    assert post_raw(harness, b'{"model": "X", "speed": 99, ' + good[1:-1] + b', "speed": 1}').status_code == 200
    assert post_raw(harness, good[:-1] + b', "model": "X"}').status_code == 404


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", None]
)
def test_another_content_type_is_reported(harness: Harness, content_type: str | None) -> None:
    name = (content_type or "").partition(";")[0]

    answer = post_raw(harness, json.dumps(GOOD).encode(), content_type)

    check(answer, 400, INVALID, None, "unsupported_content_type", f"Unsupported content type: '{name}'. ")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json;odd"])
def test_parameters_and_case_of_the_content_type_are_fine(harness: Harness, content_type: str) -> None:
    assert post_raw(harness, json.dumps(GOOD).encode(), content_type).status_code == 200


def test_the_error_for_a_too_large_body_names_the_limit(harness: Harness) -> None:
    answer = post_raw(harness, b" " * (1024**2 + 1))

    check(answer, 413, INVALID, None, "request_too_large", "The request body is too large. The limit is 1048576 bytes.")


def test_the_error_for_a_too_large_body_of_undeclared_length_names_the_limit(harness: Harness) -> None:
    with harness.http() as http:
        answer = http.post(SPEECH, content=iter([b" " * 65_536] * 17), headers={"Content-Type": "application/json"})

    check(answer, 413, INVALID, None, "request_too_large", "The request body is too large.")


def test_the_error_for_a_compressed_body_that_becomes_too_large_names_the_limit(harness: Harness) -> None:
    good = json.dumps(GOOD).encode()
    packed = gzip.compress(good + b" " * (1024**2 - len(good)))
    too_large = gzip.compress(good + b" " * (1024**2 - len(good) + 1))
    bomb = gzip.compress(bytes(200 * 1024**2), 1)

    assert post_raw(harness, packed, **{"Content-Encoding": "gzip"}).status_code == 200
    for body in (too_large, bomb):
        answer = post_raw(harness, body, **{"Content-Encoding": "gzip"})
        check(answer, 413, INVALID, None, "request_too_large", "The request body is too large. The limit is 1048576 bytes.")


def test_an_unknown_compression_is_reported(harness: Harness) -> None:
    answer = post_raw(harness, b"{}", **{"Content-Encoding": "br"})

    check(answer, 400, INVALID, None, "unsupported_content_encoding", "Unsupported content encoding: 'br'.")


def test_a_body_of_exactly_the_limit_is_read(harness: Harness) -> None:
    body = json.dumps(GOOD).encode()

    assert post_raw(harness, body + b" " * (1024**2 - len(body))).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/nope"), ("GET", "/v1/"), ("GET", "/v1"), ("DELETE", "/nope"), ("GET", "/v1/audio/speech/x")],
)
def test_an_unknown_url_is_reported(harness: Harness, method: str, path: str) -> None:
    with harness.http() as http:
        answer = http.request(method, path)

    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("Invalid URL (")
    if path != "/v1/":
        check(answer, 404, INVALID, None, None, f"Invalid URL ({method} {path})")


@pytest.mark.parametrize(("method", "path"), [("GET", SPEECH), ("PUT", SPEECH), ("DELETE", SPEECH), ("POST", "/v1/models")])
def test_the_error_for_a_wrong_method_names_the_right_ones(harness: Harness, method: str, path: str) -> None:
    with harness.http() as http:
        answer = http.request(method, path)

    check(answer, 405, INVALID, None, None, f"Not allowed to {method} on {path}. ")
    assert ("POST" if path == SPEECH else "GET") in answer.headers["allow"]


def test_an_unknown_model_has_no_page(harness: Harness) -> None:
    with harness.http() as http:
        answer = http.get("/v1/models/gpt-99")

    check(answer, 404, INVALID, None, "model_not_found", "The model `gpt-99` does not exist or you do not have access to it.")


def test_the_first_fault_in_the_order_of_the_fields_is_reported(harness: Harness) -> None:
    body: dict[str, Any] = {
        "model": "X",
        "input": 1,
        "voice": "zzz",
        "response_format": "ogg",
        "speed": 9,
        "stream_format": "x",
    }
    good = GOOD | {"response_format": "mp3", "speed": 1, "stream_format": "audio"}
    reported = []

    for field in body:
        reported.append(post(harness, body).json()["error"]["param"])
        body[field] = good[field]

    assert reported == [None, "input", "voice", "response_format", "speed", "stream_format"]
    assert post(harness, body).status_code == 200


def test_a_key_is_judged_before_the_content_type_and_the_body(locked: Harness) -> None:
    assert post_raw(locked, b"{", "text/plain").status_code == 401
    assert post_raw(locked, b"{", "text/plain", Authorization="Bearer sk-koe-second-2").status_code == 400
    assert post(locked, GOOD, Authorization="Bearer sk-koe-second-2").status_code == 200


@pytest.mark.parametrize("path", [SPEECH, "/v1/models", "/v1/models/tts-1"])
def test_a_missing_key_is_reported(locked: Harness, path: str) -> None:
    with locked.http() as http:
        answer = http.request("POST" if path == SPEECH else "GET", path)

    check(answer, 401, INVALID, None, None, NO_KEY)


@pytest.mark.parametrize("authorization", ["Bearer", "Basic c2stOg==", "sk-koe-first-0001"])
def test_a_header_without_a_bearer_key_is_no_key(locked: Harness, authorization: str) -> None:
    check(post(locked, GOOD, Authorization=authorization), 401, INVALID, None, None, NO_KEY)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("sk-1234", "sk-1234"),
        ("sk-12345678", "sk-***"),
        ("sk-a-wrong-key-of-many-letters", "sk-a-wro***ters"),
        ("sk-koe-first-0001x", "sk-koe-f***001x"),
        ("sk-koe-first-000", "sk-koe-f***-000"),
    ],
)
def test_a_wrong_key_is_reported_and_not_shown(locked: Harness, key: str, shown: str) -> None:
    answer = post(locked, GOOD, Authorization=f"Bearer {key}")

    check(answer, 401, INVALID, None, "invalid_api_key", f"Incorrect API key provided: {shown}.")


def test_lists_for_menus_and_health_need_no_key(locked: Harness) -> None:
    with locked.http() as http:
        assert {http.get(path).status_code for path in ("/v1/audio/voices", "/v1/audio/models", "/healthz", "/readyz")} == {200}


def test_the_official_client_is_admitted_with_either_key(locked: Harness) -> None:
    for key in ("sk-koe-first-0001", "sk-koe-second-2"):
        assert locked.openai(api_key=key).audio.speech.create(**GOOD).content


def test_the_official_client_raises_the_right_classes(harness: Harness, locked: Harness) -> None:
    speech = harness.openai().audio.speech

    with pytest.raises(openai.AuthenticationError) as unknown:
        locked.openai(api_key="sk-a-wrong-key-of-many-letters").audio.speech.create(**GOOD)
    with pytest.raises(openai.NotFoundError) as model:
        speech.create(**GOOD | {"model": "X"})
    with pytest.raises(openai.BadRequestError) as speed:
        speech.create(**GOOD, speed=5, extra_headers={"x-request-id": "mine-1"})

    assert unknown.value.code == "invalid_api_key"
    assert model.value.code == "model_not_found"
    assert (speed.value.code, speed.value.param, speed.value.type) == ("decimal_above_max_value", "speed", INVALID)
    assert speed.value.request_id == "mine-1"
    assert "Expected a value <= 4" in speed.value.message


@pytest.mark.anyio
async def test_the_async_client_raises_before_it_streams(harness: Harness) -> None:
    async with harness.async_openai() as client:
        with pytest.raises(openai.BadRequestError) as fault:
            async with client.audio.speech.with_streaming_response.create(**GOOD | {"voice": "zzz"}):
                pass

    assert (fault.value.code, fault.value.param) == ("invalid_value", "voice")


def check_retry_after(answer: httpx.Response) -> None:
    assert answer.headers["retry-after"].isdecimal()
    assert 1 <= int(answer.headers["retry-after"]) <= 60


def test_with_no_worker_it_is_503(empty: Harness) -> None:
    answer = post(empty, GOOD)

    check(answer, 503, "server_error", None, "no_worker", "")
    check_retry_after(answer)


def test_a_fault_is_reported_even_without_a_worker(empty: Harness) -> None:
    check(post(empty, GOOD | {"speed": 9}), 400, INVALID, "speed", "decimal_above_max_value", "Invalid 'speed'")


def test_with_no_worker_the_server_is_well_and_not_ready(empty: Harness) -> None:
    with empty.http() as http:
        health, ready = http.get("/healthz"), http.get("/readyz")

    assert health.status_code == 200
    assert ready.status_code == 503
    assert ready.json()["status"] == "unavailable"
    assert ready.json()["workers"] == 0


def test_the_official_client_names_a_missing_worker(empty: Harness) -> None:
    with pytest.raises(openai.InternalServerError) as fault:
        empty.openai().audio.speech.create(**GOOD)

    assert fault.value.code == "no_worker"
    assert fault.value.type == "server_error"


@pytest.mark.parametrize("path", [SPEECH, "/v1/models/kokoro"])
def test_the_error_for_a_model_whose_engine_is_not_loaded_names_the_missing_file(without_kokoro: Harness, path: str) -> None:
    with without_kokoro.http() as http:
        answer = http.post(path, json=GOOD | {"model": "kokoro"}) if path == SPEECH else http.get(path)

    check(answer, 503, "server_error", None, "engine_unavailable", "The engine 'kokoro' is not loaded.")
    assert MISSING_KOKORO in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert "retry-after" not in answer.headers


def test_the_official_client_does_not_retry_a_fault_that_retries_cannot_fix(without_kokoro: Harness) -> None:
    n_asked: list[int] = []
    http = httpx.Client(event_hooks={"response": [lambda answer: n_asked.append(answer.status_code)]})

    with http, pytest.raises(openai.InternalServerError):
        without_kokoro.openai(max_retries=3, http_client=http).audio.speech.create(**GOOD | {"model": "kokoro"})

    assert n_asked == [503]


def test_a_missing_engine_is_in_readyz_and_its_models_are_not_listed(without_kokoro: Harness) -> None:
    with without_kokoro.http() as http:
        ready, models = http.get("/readyz").json(), http.get("/v1/models").json()["data"]

    assert ready["status"] == "ready"
    assert ready["engine"] == "espeak"
    assert ready["notice"] == MISSING_KOKORO
    assert {"espeak", "tts-1"} <= {model["id"] for model in models}
    assert "kokoro" not in {model["id"] for model in models}


def test_a_full_queue_is_429_and_a_long_wait_is_504(narrow: tuple[Harness, GatedEngine]) -> None:
    harness, engine = narrow
    with ThreadPoolExecutor(2) as clients, harness.redis() as redis:
        queue = rq_queue(redis, QueueName.INTERACTIVE)
        speaking = clients.submit(post, harness, GOOD | {"input": "The first."})
        engine.wait_begun(1)
        waiting = clients.submit(post, harness, GOOD | {"input": "The second."})
        wait_until(lambda: queue.count == 1)
        refused = post(harness, GOOD | {"input": "The third."})

    check(refused, 429, "requests", None, "queue_full", "The queue is full: 1 requests wait.")
    check_retry_after(refused)
    check(speaking.result(), 504, "server_error", None, "timeout", "No audio came within 1 s")
    check(waiting.result(), 504, "server_error", None, "timeout", "No audio came within 1 s")

    engine.release(10_000)
    wait_until(lambda: post(harness, GOOD | {"input": "The third."}).status_code == 200)
