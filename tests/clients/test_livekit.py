"""LiveKit's plugin: its frames are the server's speech for every model and format, and its errors are the server's."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.driving import HERE, TEXT, installed, plainly, run
from tests.clients.environments import python_with
from tests.end_to_end.listeners import speaks_as

LOST_SECONDS = {"wav": 0.0, "pcm": 0.0, "mp3": 0.024, "opus": 0.02, "aac": 0.043, "flac": 0.086}
"""Seconds of audio that are lost from any server's speech: the plugin opens compressed audio with `nobuffer`, and then libav
drops the first packet.
"""

PADDED_SECONDS = {"mp3": 0.05, "aac": 0.084, "pcm": 0.011}
"""Seconds of added silence: codecs fill up their packets, and the plugin ends raw samples with a silence."""


@dataclass
class Heard:
    """The results of the driver."""

    folder: Path
    report: dict[str, Any]


@pytest.fixture(scope="module")
def livekit(harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    python = installed(lambda: python_with("livekit"))
    folder = tmp_path_factory.mktemp("livekit")
    return Heard(folder, run([python, HERE / "speak_livekit.py", json.dumps(harnesses), folder]))


@pytest.mark.parametrize("model", ["tts-1", "gpt-4o-mini-tts", "kokoro"])
@pytest.mark.parametrize("format_name", ["mp3", "wav", "opus", "pcm", "aac", "flac"])
def test_frames_are_the_speech(livekit: Heard, harnesses: dict[str, str], model: str, format_name: str) -> None:
    spoken = livekit.report["spoken"][f"{model} {format_name}"]
    samples = (livekit.folder / spoken["file"]).read_bytes()
    expected = plainly(harnesses, model=model, voice="ash", response_format="pcm")
    seconds, expected_seconds = len(samples) / 48_000, len(expected) / 48_000

    assert (spoken["rates"], spoken["channels"], spoken["is_final"]) == ([24_000], [1], True)
    assert expected_seconds == pytest.approx(len(TEXT) * 0.06, abs=0.001)
    assert -0.001 <= seconds - expected_seconds + LOST_SECONDS[format_name] <= PADDED_SECONDS.get(format_name, 0.001)
    assert speaks_as(samples, "pcm", "ash")
    if format_name in ("wav", "pcm"):
        assert samples[: len(expected)] == expected
        assert not any(samples[len(expected) :])


def test_events_report_the_usage(livekit: Heard) -> None:
    spoken = livekit.report["spoken"]

    assert spoken["tts-1 mp3"]["output_tokens"] == [0]
    for model in ("gpt-4o-mini-tts", "kokoro"):
        assert spoken[f"{model} mp3"]["input_tokens"] == [len(TEXT)]
        assert spoken[f"{model} mp3"]["output_tokens"] == [pytest.approx(len(TEXT) * 0.06 / 0.025, abs=1)]


def test_the_request_that_warms_the_connection_does_no_harm(livekit: Heard) -> None:
    assert livekit.report["is_warm"]


def test_errors_are_the_servers(livekit: Heard) -> None:
    voice, no_worker = livekit.report["voice"], livekit.report["no_worker"]

    assert (voice["class"], voice["status_code"], voice["retryable"]) == ("APIStatusError", 400, False)
    assert (no_worker["class"], no_worker["status_code"], no_worker["retryable"]) == ("APIStatusError", 503, True)
    assert voice["request_id"].startswith("req_")
    assert livekit.report["down"]["class"] == "APIConnectionError"


@pytest.mark.parametrize("how", ["breaking_audio", "breaking_events"])
def test_speech_that_breaks_off_is_never_taken_for_the_whole(livekit: Heard, how: str) -> None:
    broken = livekit.report[how]

    assert broken["class"] == "APIConnectionError"
    assert broken["retryable"]
