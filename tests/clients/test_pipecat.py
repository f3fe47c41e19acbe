"""Pipecat's service: every frame has whole samples, all frames together are the speech, and errors come back as frames."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.driving import HERE, TEXT, installed, plainly, run
from tests.clients.environments import python_with
from tests.end_to_end.listeners import speaks_as

VOICES = ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage", "shimmer", "verse"]


@dataclass
class Heard:
    """The results of the driver."""

    folder: Path
    report: dict[str, Any]


@pytest.fixture(scope="module")
def pipecat(harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    python = installed(lambda: python_with("pipecat"))
    folder = tmp_path_factory.mktemp("pipecat")
    return Heard(folder, run([python, HERE / "speak_pipecat.py", json.dumps(harnesses), folder]))


def check(heard: Heard, spoken: dict[str, Any], expected: bytes) -> None:
    assert (spoken["rates"], spoken["channels"]) == ([24_000], [1])
    assert all(length % 2 == 0 for length in spoken["lengths"])
    assert sum(spoken["lengths"]) == len(expected)
    assert (heard.folder / spoken["file"]).read_bytes() == expected


def test_the_frames_in_a_pipeline_are_the_speech(pipecat: Heard, harnesses: dict[str, str]) -> None:
    expected = plainly(harnesses, model="gpt-4o-mini-tts", voice="ballad", response_format="pcm")

    check(pipecat, pipecat.report["plain"], expected)
    assert len(expected) / 48_000 == pytest.approx(len(TEXT) * 0.06, abs=0.001)


def test_speed_is_followed_and_instructions_do_no_harm(pipecat: Heard, harnesses: dict[str, str]) -> None:
    body = {"model": "gpt-4o-mini-tts", "voice": "ballad", "response_format": "pcm", "speed": 1.5}

    check(pipecat, pipecat.report["directed"], plainly(harnesses, **body))


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_that_it_knows_speaks_with_its_own_sound(pipecat: Heard, harnesses: dict[str, str], voice: str) -> None:
    spoken = pipecat.report["voices"][voice]

    check(pipecat, spoken, plainly(harnesses, model="gpt-4o-mini-tts", voice=voice, response_format="pcm"))
    assert speaks_as((pipecat.folder / spoken["file"]).read_bytes(), "pcm", voice)


def test_it_knows_these_voices_and_no_other(pipecat: Heard) -> None:
    assert sorted(pipecat.report["voices"]) == VOICES


def test_an_error_comes_back_as_a_frame_with_the_message(pipecat: Heard) -> None:
    assert "Expected a value <= 4, but got 9.0 instead." in pipecat.report["refused"][0]
