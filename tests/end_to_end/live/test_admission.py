"""Who may open a WebSocket, and what everybody else is answered."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.end_to_end.live.clients import connected
from tests.harness import Harness, open_harness
from workers.engines.tone import ToneEngine

REALTIME = "/v1/realtime?model=gpt-realtime"
TOGETHER = "/v1/audio/speech/websocket?model=kokoro&voice=af_heart"
CARTESIA = "/tts/websocket"
KEY = "sk-live-key"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with open_harness(tmp_path_factory.mktemp("locked"), {"kokoro": ToneEngine()}, KOE_API_KEYS=KEY) as harness:
        yield harness


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    cors = {"KOE_CORS_ORIGINS": "https://app.example.com"}
    # Without a worker: only one harness of a process can have one.
    with open_harness(tmp_path_factory.mktemp("free"), {}, **cors) as harness:
        yield harness


def opens(harness: Harness, path: str, **options: Any) -> bool:
    with connected(harness.url, path, **options):
        return True


def refusal(harness: Harness, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as refused, connected(harness.url, path, **options):
        pass
    response = refused.value.response
    assert response.headers["x-request-id"]
    return response.status_code, json.loads(response.body)["error"]


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (REALTIME, {"additional_headers": {"authorization": f"Bearer {KEY}"}}),
        (REALTIME, {"subprotocols": [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{KEY}")]}),
        (TOGETHER, {"additional_headers": {"authorization": f"Bearer {KEY}"}}),
        (f"{TOGETHER}&api_key={KEY}", {}),
        (CARTESIA, {"additional_headers": {"x-api-key": KEY}}),
        (f"{CARTESIA}?api_key={KEY}", {}),
    ],
)
def test_a_key_opens_in_all_the_ways_of_the_clients(locked: Harness, path: str, options: dict[str, Any]) -> None:
    assert opens(locked, path, **options)


@pytest.mark.parametrize("path", [REALTIME, TOGETHER, CARTESIA])
def test_without_the_key_it_is_refused_as_over_http(locked: Harness, path: str) -> None:
    status, _ = refusal(locked, path)
    assert status == 401
    status, error = refusal(locked, path, additional_headers={"authorization": "Bearer sk-wrong-key-of-mine"})
    assert (status, error["code"]) == (401, "invalid_api_key")


def test_a_wrong_setting_is_refused_before_the_session_begins(free: Harness) -> None:
    status, error = refusal(free, "/v1/audio/speech/websocket?model=kokoro&voice=nobody")
    assert (status, error["param"]) == (400, "voice")
    status, error = refusal(free, "/v1/realtime?model=unheard")
    assert (status, error["code"]) == (404, "model_not_found")


def test_a_page_of_another_origin_may_not_speak_on_a_server_without_keys(free: Harness) -> None:
    status, error = refusal(free, REALTIME, origin=Origin("https://evil.example.com"))
    assert (status, error["code"]) == (403, "origin_not_allowed")
    assert opens(free, REALTIME, origin=Origin(free.url))
    assert opens(free, REALTIME, origin=Origin("https://app.example.com"))


def test_the_answer_names_the_protocol_that_a_browser_offers(free: Harness) -> None:
    with connected(free.url, REALTIME, subprotocols=[Subprotocol("realtime"), Subprotocol("x")]) as client:
        assert client.socket.subprotocol == "realtime"


def test_another_host_is_refused(free: Harness) -> None:
    status, error = refusal(free, REALTIME, additional_headers={"host": "evil.example.com"})
    assert (status, error["code"]) == (421, "host_not_allowed")


def test_a_path_without_a_websocket_is_unknown(free: Harness) -> None:
    status, error = refusal(free, "/v1/nothing")
    assert status == 404
    assert "Invalid URL" in error["message"]


def secret_of(harness: Harness, **fields: Any) -> dict[str, Any]:
    with harness.http(headers={"authorization": f"Bearer {KEY}"}) as http:
        answer = http.post("/v1/realtime/client_secrets", json=fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_client_secret_opens_sessions_with_its_settings(locked: Harness) -> None:
    output = {"voice": "coral", "speed": 1.2, "pronunciations": {"open": "oh"}}
    session = {"type": "realtime", "model": "gpt-realtime-mini", "audio": {"output": output}}
    made = secret_of(locked, session=session, expires_after={"anchor": "created_at", "seconds": 60})
    assert made["value"].startswith("ek_")
    assert 50 < made["expires_at"] - time.time() < 70
    for _ in range(2):
        headers = {"authorization": f"Bearer {made['value']}"}
        with connected(locked.url, "/v1/realtime", additional_headers=headers) as client:
            begun = client.receive()["session"]
            assert begun["audio"] == made["session"]["audio"]
            assert begun["model"] == "gpt-realtime-mini"
            client.send(type="response.create", response={"instructions": "Read:\n\nIt is open."})
            assert client.until("response.done")[-1]["response"]["status"] == "completed"


def test_a_client_secret_opens_nothing_else(locked: Harness) -> None:
    value = secret_of(locked)["value"]
    assert refusal(locked, TOGETHER, additional_headers={"authorization": f"Bearer {value}"})[0] == 401
    assert refusal(locked, REALTIME, additional_headers={"authorization": "Bearer ek_00112233"})[0] == 401
    with locked.http(headers={"authorization": f"Bearer {value}"}) as http:
        assert http.get("/v1/models").status_code == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_after": {"seconds": 5}},
        {"expires_after": {"anchor": "now", "seconds": 60}},
        {"session": {"type": "realtime", "audio": {"output": {"voice": "nobody"}}}},
        {"session": {"type": "transcription"}},
        {"session": []},
    ],
)
def test_a_client_secret_with_wrong_settings_is_refused(locked: Harness, fields: dict[str, Any]) -> None:
    with locked.http(headers={"authorization": f"Bearer {KEY}"}) as http:
        assert http.post("/v1/realtime/client_secrets", json=fields).status_code == 400
