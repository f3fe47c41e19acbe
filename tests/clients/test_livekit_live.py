"""LiveKit's plugins over WebSockets: what an agent hears is the speech of what it wrote, also after it was interrupted."""

from typing import Any

import pytest

from tests.clients.conftest import WilfulEngine
from tests.clients.driving import HERE, installed
from tests.clients.environments import python_with
from tests.clients.live import SENTENCES, TEXT, Heard, Reader, drive, gave_up

PARAGRAPHS = "\n\n".join(SENTENCES)
"""Messages that were added one by one are read as paragraphs."""


@pytest.fixture(scope="module")
def livekit(harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    python = installed(lambda: python_with("livekit"))
    return drive("livekit", [python, HERE / "speak_livekit_live.py"], harnesses, tmp_path_factory.mktemp("livekit_live"))


@pytest.fixture(scope="module")
def cartesia_reader(harnesses: dict[str, str]) -> Reader:
    return Reader(harnesses, {"model": "kokoro", "voice": "af_heart"})


@pytest.fixture(scope="module")
def realtime_reader(harnesses: dict[str, str]) -> Reader:
    return Reader(harnesses, {"model": "gpt-4o-mini-tts", "voice": "coral"})


def without_end(audio: bytes) -> bytes:
    """Returns the audio without the silence with which the plugin ends raw samples."""
    while audio.endswith(bytes(2)):
        audio = audio[:-2]
    return audio


def check_words(told: dict[str, Any], text: str) -> None:
    assert [word.strip() for word in told["words"]] == text.split()
    assert told["rates"] == [24_000]


@pytest.mark.parametrize("way", ["slow", "fast", "threes", "next"])
def test_cartesias_plugin_hears_the_text_whole_however_it_arrives(livekit: Heard, cartesia_reader: Reader, way: str) -> None:
    text = livekit.next if way == "next" else TEXT

    assert cartesia_reader.parts(without_end(livekit.audio(f"cartesia-{way}")), text)
    check_words(livekit.report["cartesia"][way], text)


@pytest.mark.parametrize("way", ["slow", "fast", "threes", "next", "again"])
def test_the_realtime_model_reads_the_new_messages_of_the_user(livekit: Heard, realtime_reader: Reader, way: str) -> None:
    told = livekit.report["realtime"][way]
    text = {"slow": PARAGRAPHS, "next": livekit.next, "again": livekit.next}.get(way, TEXT)

    assert livekit.audio(f"realtime-{way}") == realtime_reader.speech(text)
    assert "".join(told["words"]) == text
    assert (told["rates"], told["errors"]) == ([24_000], [])


def test_an_interrupted_agent_is_not_heard_on(
    livekit: Heard, cartesia_reader: Reader, realtime_reader: Reader, engine: WilfulEngine
) -> None:
    assert gave_up(engine, livekit)
    assert cartesia_reader.is_broken_off(livekit.audio("cartesia-broken_off"))
    assert realtime_reader.is_broken_off(livekit.audio("realtime-broken_off"))
    assert livekit.report["realtime"]["broken_off"]["errors"] == []
