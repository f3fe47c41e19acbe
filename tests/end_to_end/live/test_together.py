"""Together's protocol: sentences are appended and committed, and each turn has one `done`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api.live.speaker import Turn
from tests.end_to_end.live.clients import Client, audio_of, connected, types_of
from tests.engines import GatedEngine
from tests.harness import Harness, open_harness
from workers.engines.tone import ToneEngine

PATH = "/v1/audio/speech/websocket?model=hexgrad/Kokoro-82M&voice=af_heart"
DONE = "conversation.item.audio_output.done"
FAILED = "conversation.item.tts.failed"


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with open_harness(tmp_path_factory.mktemp("together"), {"kokoro": ToneEngine()}) as harness:
        yield harness


@pytest.fixture
def client(harness: Harness) -> Iterator[Client]:
    with connected(harness.url, PATH) as client:
        created = client.receive()
        assert created["type"] == "session.created"
        assert created["session"]["model"] == "hexgrad/Kokoro-82M"
        yield client


async def break_down(*_: object) -> None:
    raise RuntimeError("unforeseen")


def test_an_unforeseen_error_is_told_and_the_session_goes_on(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Turn, "run", break_down)
        say(client, "One.")
        failed = client.until(FAILED)[-1]
    assert failed["error"]["type"] == "server_error"

    say(client, "Two.")
    assert audio_of(client.until(DONE))


def say(client: Client, text: str) -> None:
    """Appends and commits a sentence, as Pipecat does."""
    client.send(type="input_text_buffer.append", text=text)
    client.send(type="input_text_buffer.commit")


def test_a_turn_of_several_commits_is_done_once(client: Client) -> None:
    for sentence in ("One is said.", " Two is said.", " Three is said."):
        say(client, sentence)
    client.send(type="input_text_buffer.commit")

    messages = client.until(DONE)

    assert types_of(messages) == ["conversation.item.input_text.received"] * 3 + [DONE]
    assert len({message["item_id"] for message in messages if "item_id" in message}) == 1
    assert len(audio_of(messages)) > 48_000

    say(client, "The next turn.")
    (again,) = (message for message in client.until(DONE) if message["type"] == DONE)
    assert again["item_id"] != messages[-1]["item_id"]


def test_text_that_arrives_in_pieces_of_three_characters_is_the_same_speech(client: Client, harness: Harness) -> None:
    text = "It costs $3.50 at Dr. Who's."
    for at in range(0, len(text), 3):
        client.send(type="input_text_buffer.append", text=text[at : at + 3])
    client.send(type="input_text_buffer.commit")

    spoken = audio_of(client.until(DONE))

    body = {"model": "kokoro", "voice": "af_heart", "input": text, "response_format": "pcm"}
    with harness.http() as http:
        assert spoken == http.post("/v1/audio/speech", json=body).content


def test_the_voice_can_be_changed(client: Client) -> None:
    say(client, "One voice.")
    one = audio_of(client.until(DONE))
    client.send(type="tts_session.updated", session={"voice": "am_adam"})
    say(client, "One voice.")
    assert audio_of(client.until(DONE)) != one


@pytest.mark.parametrize("removes", [False, True])
def test_words_have_the_phonemes_of_the_session_until_they_are_removed(client: Client, harness: Harness, removes: bool) -> None:
    words = {"Koe": "kokokoko"}
    client.send(type="tts_session.updated", session={"extra_params": {"pronunciations": words}})
    client.send(
        type="tts_session.updated", session={"extra_params": {"pronunciations": None}} if removes else {"voice": "af_heart"}
    )
    say(client, "Say Koe.")
    spoken = audio_of(client.until(DONE))

    body = {"model": "kokoro", "voice": "af_heart", "input": "Say Koe.", "response_format": "pcm"}
    with harness.http() as http:
        plain, given = (http.post("/v1/audio/speech", json=body | {"pronunciations": one}).content for one in (None, words))
    assert spoken == (plain if removes else given)
    assert plain != given


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "tts_session.updated", "session": {"extra_params": {"pronunciation_dict": ["a/b"]}}}, "unsupported_value"),
        ({"type": "tts_session.updated", "session": {"extra_params": {"pronunciations": ["a"]}}}, "invalid_type"),
        ({"type": "tts_session.updated", "session": {"voice": "nobody"}}, "invalid_value"),
        ({"type": "input_text_buffer.append", "text": 5}, "invalid_type"),
        ({"type": "what"}, None),
    ],
)
def test_a_mistake_is_told_and_the_session_goes_on(client: Client, message: dict[str, object], code: str | None) -> None:
    client.send(**message)
    failed = client.receive()
    assert failed["type"] == FAILED
    assert failed["error"]["code"] == code or code is None
    say(client, "It goes on.")
    assert audio_of(client.until(DONE))


def test_a_message_that_is_no_object_is_told(client: Client) -> None:
    client.socket.send("hello")
    assert client.receive()["type"] == FAILED


def test_a_cleared_turn_is_silent_at_once_and_cancelled(tmp_path: Path) -> None:
    gate = GatedEngine()
    with open_harness(tmp_path, {"kokoro": gate}, KOE_THREADS="1") as harness, connected(harness.url, PATH) as client:
        client.receive()
        say(client, "This is never heard. Nor is this.")
        gate.wait_begun(1)
        client.send(type="input_text_buffer.clear")
        gate.release(1)
        say(client, "This is.")
        gate.release(5)
        messages = client.until(DONE)
        assert [segment.text for segment in gate.spoken][-1] == "This is."
        assert len({message["item_id"] for message in messages if "item_id" in message}) == 1
        gate.release(100)
