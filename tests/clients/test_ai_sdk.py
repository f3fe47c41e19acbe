"""The Vercel AI SDK: it returns the server's speech, and its errors have the server's status, code and message."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.audio import same_file
from tests.clients.driving import HERE, installed, plainly, run
from tests.clients.environments import node_with_clients

FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")


@dataclass
class Heard:
    """The results of the driver."""

    folder: Path
    report: dict[str, Any]

    def audio(self, answer: dict[str, Any]) -> bytes:
        return (self.folder / str(answer["file"])).read_bytes()


@pytest.fixture(scope="module")
def ai_sdk(harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    node = installed(node_with_clients)
    folder = tmp_path_factory.mktemp("ai_sdk")
    return Heard(folder, run(["node", shutil.copy(HERE / "speak_ai_sdk.mjs", node), json.dumps(harnesses), folder]))


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_is_heard_whole_and_known_by_its_type(ai_sdk: Heard, harnesses: dict[str, str], format_name: str) -> None:
    answer = ai_sdk.report["formats"][format_name]
    expected = plainly(harnesses, model="tts-1", voice="alloy", response_format=format_name)

    assert same_file(ai_sdk.audio(answer), expected)
    assert answer["type"].startswith("audio/")
    assert answer["warnings"] == 0


def test_speed_is_followed_and_instructions_do_no_harm(ai_sdk: Heard, harnesses: dict[str, str]) -> None:
    expected = plainly(harnesses, model="gpt-4o-mini-tts", voice="alloy", speed=1.5)

    assert ai_sdk.audio(ai_sdk.report["directed"]) == expected


def test_names_that_other_servers_use_for_kokoro_are_understood(ai_sdk: Heard, harnesses: dict[str, str]) -> None:
    assert ai_sdk.audio(ai_sdk.report["kokoro"]) == plainly(harnesses, model="kokoro", voice="alloy")


@pytest.mark.parametrize(
    ("fault", "status", "code", "part"),
    [
        ("speed", 400, "decimal_above_max_value", "Expected a value <= 4, but got 5 instead."),
        ("voice", 400, "invalid_value", "Supported values are: 'alloy'"),
        ("model", 404, "model_not_found", "Models here are: 'tts-1', "),
        ("not_loaded", 503, "engine_unavailable", "The engine 'espeak' is not loaded."),
    ],
)
def test_a_fault_is_raised_with_its_status_code_and_message(
    ai_sdk: Heard, fault: str, status: int, code: str, part: str
) -> None:
    error = ai_sdk.report["errors"][fault]

    assert (error["class"], error["status_code"], error["code"]) == ("AI_APICallError", status, code)
    assert part in error["message"]


def test_an_unreachable_server_is_raised_as_that(ai_sdk: Heard) -> None:
    assert "Cannot connect to API" in ai_sdk.report["errors"]["down"]["message"]
