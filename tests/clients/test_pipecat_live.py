"""Pipecat's services over WebSockets: the frames of a turn are the speech of its text, also after an interruption."""

import pytest

from tests.clients.conftest import WilfulEngine
from tests.clients.driving import HERE, installed
from tests.clients.environments import python_with
from tests.clients.live import TEXT, Heard, Reader, drive, gave_up, without_pause

VOICES = {"together": "af_heart", "cartesia": "bf_emma", "realtime": "coral", "realtime-local": "sage"}
"""The voice of each service. `realtime` leaves turns to the server, `realtime-local` detects them itself."""
REALTIME = ("realtime", "realtime-local")
TURNS = [(service, way) for service in ("together", "cartesia") for way in ("slow", "fast", "threes", "next")]
TURNS += [(service, way) for service in REALTIME for way in ("first", "next")]


@pytest.fixture(scope="module")
def pipecat(harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    python = installed(lambda: python_with("pipecat"))
    return drive("pipecat", [python, HERE / "speak_pipecat_live.py"], harnesses, tmp_path_factory.mktemp("pipecat_live"))


def reader(harnesses: dict[str, str], service: str) -> Reader:
    """Returns what speaks over `POST` as the service does."""
    return Reader(harnesses, {"model": "gpt-4o-mini-tts" if service in REALTIME else "kokoro", "voice": VOICES[service]})


@pytest.mark.parametrize(("service", "way"), TURNS)
def test_the_frames_of_a_turn_are_the_speech_of_its_text(
    pipecat: Heard, harnesses: dict[str, str], service: str, way: str
) -> None:
    told, audio = pipecat.report[service][way], pipecat.audio(f"{service}-{way}")
    text = pipecat.next if way == "next" else TEXT

    if service in REALTIME:
        assert audio == reader(harnesses, service).speech(text)
    else:
        assert reader(harnesses, service).parts(without_pause(audio), text)
    assert (told["rates"], told["is_whole"], told["errors"]) == ([24_000], True, [])
    assert " ".join(told["words"]).split() == text.split()


@pytest.mark.parametrize("service", VOICES)
def test_an_interrupted_bot_is_not_heard_on(
    pipecat: Heard, harnesses: dict[str, str], service: str, engine: WilfulEngine
) -> None:
    assert gave_up(engine, pipecat)
    assert reader(harnesses, service).is_broken_off(without_pause(pipecat.audio(f"{service}-broken_off")))
    assert pipecat.report[service]["errors"] == []
