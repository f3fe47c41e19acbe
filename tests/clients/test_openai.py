"""OpenAI's own clients, for Python and for Node, new and old: each gets the same audio and the same errors."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.core.speech.formats import FORMATS, OPENAI_FORMATS
from tests.audio import decode, same_file
from tests.clients.driving import HERE, TEXT, installed, plainly, run
from tests.clients.environments import node_with_clients, python_with

INVALID = "invalid_request_error"
NODE_PACKAGES = {"node": "openai", "node-4": "openai-4"}


@dataclass
class Sdk:
    """One client and its results."""

    name: str
    folder: Path
    report: dict[str, Any]

    @property
    def is_python(self) -> bool:
        return self.name.startswith("openai")

    def heard(self, file: str) -> bytes:
        """Returns a file that the client wrote."""
        return (self.folder / file).read_bytes()


@pytest.fixture(scope="session", params=["openai", "openai-1", "node", "node-4"])
def sdk(request: pytest.FixtureRequest, harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Sdk:
    folder = tmp_path_factory.mktemp(request.param)
    command = command_of(request.param)
    return Sdk(
        request.param, folder, run([*command[:2], json.dumps(harnesses), folder, f"sk-koe-{request.param}", *command[2:]])
    )


def command_of(name: str) -> Sequence[str | Path]:
    """Returns the interpreter, the driver and its extra arguments. A driver for Node must be next to `node_modules`."""
    if name not in NODE_PACKAGES:
        return [installed(lambda: python_with(name)), HERE / "speak_openai.py"]
    folder = installed(node_with_clients)
    return ["node", shutil.copy(HERE / "speak_node.mjs", folder), NODE_PACKAGES[name]]


def test_every_way_to_ask_gets_the_same_file(sdk: Sdk, harnesses: dict[str, str]) -> None:
    expected = plainly(harnesses, model="tts-1", voice="alloy")
    answers = [sdk.report[name] for name in ("audio", "audio_async") if name in sdk.report]

    assert len(answers) == (2 if sdk.is_python else 1)
    for answer in answers:
        assert answer["type"] == "audio/mpeg"
        assert answer["request_id"].startswith("req_")
        assert len(answer["files"]) >= 5
        assert all(sdk.heard(file) == expected for file in answer["files"])


@pytest.mark.parametrize("format_name", OPENAI_FORMATS)
def test_every_format_is_heard_whole(sdk: Sdk, harnesses: dict[str, str], format_name: str) -> None:
    answer = sdk.report["formats"][format_name]
    audio = sdk.heard(answer["file"])

    assert answer["type"] == FORMATS[format_name].media_type
    assert same_file(audio, plainly(harnesses, model="gpt-4o-mini-tts", voice="coral", response_format=format_name))
    assert len(decode(audio, format_name)) / 24_000 == pytest.approx(len(TEXT) * 0.06, abs=0.15)


@pytest.mark.parametrize("format_name", OPENAI_FORMATS)
def test_the_events_read_line_by_line_are_one_valid_file(sdk: Sdk, harnesses: dict[str, str], format_name: str) -> None:
    answer = sdk.report["events"][format_name]
    audio = sdk.heard(answer["file"])
    usage = answer["last"]["usage"]

    assert answer["type"].partition(";")[0] == "text/event-stream"
    assert set(answer["types"][:-1]) == {"speech.audio.delta"}
    assert answer["types"][-1] == "speech.audio.done"
    assert same_file(audio, plainly(harnesses, model="gpt-4o-mini-tts", voice="coral", response_format=format_name))
    assert usage["input_tokens"] > 0
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["output_tokens"] * 0.025 == pytest.approx(len(decode(audio, format_name)) / 24_000, abs=0.15)


@pytest.mark.parametrize("sdk", ["openai", "openai-1"], indirect=True)
def test_the_async_client_reads_the_same_events(sdk: Sdk) -> None:
    assert sdk.heard(sdk.report["events_async"]["file"]) == sdk.heard(sdk.report["events"]["mp3"]["file"])
    assert sdk.report["events_async"]["last"] == sdk.report["events"]["mp3"]["last"]


def test_an_old_model_answers_events_with_audio(sdk: Sdk, harnesses: dict[str, str]) -> None:
    answer = sdk.report["old_model_events"]

    assert answer["type"] == "audio/mpeg"
    assert sdk.heard(answer["file"]) == plainly(harnesses, model="tts-1", voice="alloy")


FAULTS: dict[str, tuple[str, int | None, str | None, str | None, str | None]] = {
    "wrong_key": ("AuthenticationError", 401, "invalid_api_key", None, INVALID),
    "speed": ("BadRequestError", 400, "decimal_above_max_value", "speed", INVALID),
    "voice": ("BadRequestError", 400, "invalid_value", "voice", INVALID),
    "no_voice": ("BadRequestError", 400, "missing_required_parameter", "voice", INVALID),
    "long": ("BadRequestError", 400, "string_above_max_length", "input", INVALID),
    "format": ("BadRequestError", 400, "unsupported_value", "response_format", INVALID),
    "model": ("NotFoundError", 404, "model_not_found", None, INVALID),
    "model_page": ("NotFoundError", 404, "model_not_found", None, INVALID),
    "huge": ("APIError", 413, "request_too_large", None, INVALID),
    "not_loaded": ("InternalServerError", 503, "engine_unavailable", None, "server_error"),
    "no_worker": ("InternalServerError", 503, "no_worker", None, "server_error"),
    "too_slow": ("InternalServerError", 504, "timeout", None, "server_error"),
    "mine": ("BadRequestError", 400, "decimal_above_max_value", "speed", INVALID),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_raised_as_its_class_with_all_its_fields(sdk: Sdk, fault: str) -> None:
    error = sdk.report["errors"][fault]
    kind, *fields = FAULTS[fault]

    assert kind in error["classes"]
    assert [error[name] for name in ("status_code", "code", "param", "type")] == fields
    assert error["request_id"] == error["header_request_id"]
    assert error["request_id"].startswith("mine-1" if fault == "mine" else "req_")
    assert error["message"]


def test_a_connection_that_fails_is_raised_as_that(sdk: Sdk) -> None:
    errors = sdk.report["errors"]

    assert errors["no_patience"]["class"] == ("APITimeoutError" if sdk.is_python else "APIConnectionTimeoutError")
    assert errors["down"]["class"] == "APIConnectionError"


def test_audio_that_breaks_off_is_never_taken_for_the_whole(sdk: Sdk) -> None:
    raised = {"openai": "APIConnectionError", "openai-1": "APIConnectionError", "node": "TypeError", "node-4": "FetchError"}
    read = {"openai": "RemoteProtocolError", "openai-1": "RemoteProtocolError"}

    assert sdk.report["errors"]["breaks"]["class"] == raised[sdk.name]
    assert sdk.report["breaking_audio"] == read.get(sdk.name, raised[sdk.name])


def test_events_that_break_off_end_with_the_error(sdk: Sdk) -> None:
    broken = sdk.report["breaking_events"]

    assert broken["types"][0] == "speech.audio.delta"
    assert broken["types"][-1] == "error"
    assert "speech.audio.done" not in broken["types"]
    assert broken["last"]["error"]["type"] == "server_error"
    assert broken["last"]["error"]["code"] == "internal_error"


def test_a_rate_limit_is_raised_and_waited_out(sdk: Sdk) -> None:
    refused, seen = sdk.report["retries"]["refused"], sdk.report["retries"]["seen"]
    first_try, second_try = seen[-2:]

    assert "RateLimitError" in refused["classes"]
    assert (refused["status_code"], refused["code"], refused["type"]) == (429, "rate_limit_exceeded", "requests")
    assert (first_try["status"], second_try["status"]) == (429, 200)
    assert first_try["retry_after"] == "1"
    assert second_try["at"] - first_try["at"] > 0.98


def test_models_are_listed_and_described(sdk: Sdk) -> None:
    listed, one = sdk.report["models"]["listed"], sdk.report["models"]["one"]

    assert {"tts-1", "tts-1-hd", "gpt-4o-mini-tts", "kokoro"} <= set(listed)
    assert "espeak" not in listed
    assert {name: one[name] for name in ("id", "object", "created", "owned_by", "shutdown_date")} == {
        "id": "tts-1",
        "object": "model",
        "created": 1681940951,
        "owned_by": "openai-internal",
        "shutdown_date": None,
    }
