"""litellm, as a package and as a proxy: its speech and its errors are the server's."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.audio import same_file
from tests.clients.driving import HERE, installed, plainly, run
from tests.clients.environments import python_with

FORMATS = ("mp3", "opus", "aac", "flac", "wav", "pcm")


@dataclass
class Heard:
    """The results of the driver."""

    folder: Path
    report: dict[str, Any]


@pytest.fixture(scope="module")
def litellm(harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    python = installed(lambda: python_with("litellm"))
    folder = tmp_path_factory.mktemp("litellm")
    return Heard(folder, run([python, HERE / "speak_litellm.py", json.dumps(harnesses), folder]))


@pytest.mark.parametrize("way", ["sdk", "proxy"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_every_format_is_heard_whole(litellm: Heard, harnesses: dict[str, str], way: str, format_name: str) -> None:
    audio = (litellm.folder / litellm.report[way]["formats"][format_name]).read_bytes()

    assert same_file(audio, plainly(harnesses, model="tts-1", voice="alloy", response_format=format_name))


@pytest.mark.parametrize("way", ["sdk", "proxy"])
def test_a_name_of_kokoro_s_is_passed_on(litellm: Heard, harnesses: dict[str, str], way: str) -> None:
    audio = (litellm.folder / litellm.report[way]["kokoro"]).read_bytes()

    assert audio == plainly(harnesses, model="kokoro", voice="alloy")


def test_the_async_call_gets_the_same(litellm: Heard, harnesses: dict[str, str]) -> None:
    assert (litellm.folder / litellm.report["sdk"]["async"]).read_bytes() == plainly(harnesses, model="tts-1", voice="alloy")


@pytest.mark.parametrize("way", ["sdk", "proxy"])
@pytest.mark.parametrize(
    ("fault", "status", "kind", "part"),
    [
        ("speed", 400, "BadRequestError", "Expected a value <= 4, but got 5 instead."),
        ("model", 404, "NotFoundError", "Models here are: 'tts-1', "),
        ("not_loaded", 503, "APIStatusError", "The engine 'espeak' is not loaded."),
    ],
)
def test_a_fault_is_raised_with_its_status_and_message(
    litellm: Heard, way: str, fault: str, status: int, kind: str, part: str
) -> None:
    error = litellm.report[way]["errors"][fault]

    assert error["status_code"] == status
    assert kind in error["classes"]
    assert part in error["message"]


def test_a_fault_that_retries_cannot_fix_is_requested_once(litellm: Heard) -> None:
    assert litellm.report["sdk"]["n_asked"] == 1
