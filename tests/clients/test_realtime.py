"""OpenAI's own clients over its Realtime API, for Python, Node and browsers: they have texts read word for word."""

import shutil
from typing import Any

import pytest

from tests.clients.conftest import WilfulEngine
from tests.clients.driving import HERE, installed
from tests.clients.environments import node_with_clients, python_with
from tests.clients.live import HEARD, SENTENCES, TEXT, Heard, Reader, drive, gave_up
from tests.clients.tls import tls_front

WHOLE = ("fast", "threes", "turn", "secret")
FLAGS = {"ws": (), "browser": ("--experimental-websocket",)}
"""Node 20 needs the flag for the socket of browsers; newer ones have it without."""


@pytest.fixture(scope="module")
def reader(harnesses: dict[str, str]) -> Reader:
    return Reader(harnesses, {"model": "gpt-4o-mini-tts", "voice": "coral"})


@pytest.fixture(scope="module", params=["python", "ws", "browser"])
def realtime(request: pytest.FixtureRequest, harnesses: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Heard:
    kind = request.param
    folder = tmp_path_factory.mktemp(kind)
    if kind == "python":
        return drive(kind, [installed(lambda: python_with("openai")), HERE / "speak_realtime.py"], harnesses, folder)
    driver = shutil.copy(HERE / "speak_realtime.mjs", installed(node_with_clients))
    with tls_front(harnesses["open"], folder) as (url, certificate):
        trusted = {"NODE_EXTRA_CA_CERTS": str(certificate)}
        return drive(kind, ["node", *FLAGS[kind], driver, kind], harnesses | {"tls": url}, folder, **trusted)


def check(told: dict[str, Any], text: str) -> None:
    """Checks what the events said about a text that was read to its end."""
    assert (told["status"], told["errors"]) == ("completed", [])
    assert told["transcript"] == told["final"] == text


@pytest.mark.parametrize("way", WHOLE)
def test_a_text_is_heard_as_over_the_other_endpoint(realtime: Heard, reader: Reader, way: str) -> None:
    check(realtime.report[way], TEXT)
    assert realtime.audio(way) == reader.speech(TEXT)


def test_sentences_that_come_one_by_one_are_each_heard_whole(realtime: Heard, reader: Reader) -> None:
    for number, (sentence, told) in enumerate(zip(SENTENCES, realtime.report["sentences"], strict=True)):
        check(told, sentence)
        assert realtime.audio(f"sentence-{number}") == reader.speech(sentence)


def test_a_cancelled_response_is_not_heard_on_and_the_next_turn_is_whole(
    realtime: Heard, reader: Reader, engine: WilfulEngine
) -> None:
    told = realtime.report["broken_off"]

    assert gave_up(engine, realtime)
    assert (told["status"], told["errors"]) == ("cancelled", [])
    assert told["transcript"] == told["final"]
    assert HEARD.startswith(told["transcript"])
    assert reader.is_broken_off(realtime.audio("broken_off"))
    check(realtime.report["next"], realtime.next)
    assert realtime.audio("next") == reader.speech(realtime.next)


@pytest.mark.parametrize("realtime", ["python"], indirect=True)
def test_the_sync_client_hears_the_same(realtime: Heard, reader: Reader) -> None:
    check(realtime.report["sync"], TEXT)
    assert realtime.audio("sync") == reader.speech(TEXT)
