"""OpenAI's Realtime API as a reader: what a client sends, and the events that it gets, in their order."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.end_to_end.live.clients import Client, Message, audio_of, connected, types_of
from tests.engines import GatedEngine
from tests.harness import Harness, open_harness
from workers.engines.tone import ToneEngine

PATH = "/v1/realtime?model=gpt-realtime"
TEXT = "Hello there, my friend. It costs $3.50 at Dr. Who's.\n\nHow are you?"


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with open_harness(tmp_path_factory.mktemp("realtime"), {"kokoro": ToneEngine()}) as harness:
        yield harness


@pytest.fixture
def client(harness: Harness) -> Iterator[Client]:
    with connected(harness.url, PATH) as client:
        created = client.receive()
        assert created["type"] == "session.created"
        assert created["session"]["object"] == "realtime.session"
        yield client


def message(text: str, role: str = "user", **more: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **more}


def read(client: Client, text: str = TEXT, **more: Any) -> list[Message]:
    """Asks for a text beside the conversation. Returns all events."""
    client.send(type="response.create", response={"conversation": "none", "input": [message(text)], **more})
    return client.until("response.done")


def response_of(messages: list[Message]) -> dict[str, Any]:
    found: dict[str, Any] = messages[-1]["response"]
    return found


def transcript_of(messages: list[Message]) -> str:
    return "".join(one["delta"] for one in messages if one["type"] == "response.output_audio_transcript.delta")


def posted(harness: Harness, text: str = TEXT, voice: str = "marin", **more: Any) -> bytes:
    body = {"model": "gpt-4o-mini-tts", "voice": voice, "input": text, "response_format": "pcm", **more}
    answer = httpx.post(f"{harness.url}/v1/audio/speech", json=body, timeout=60)
    assert answer.status_code == 200
    return answer.content


def test_a_text_is_read_word_for_word_with_the_bytes_of_the_other_endpoint(client: Client, harness: Harness) -> None:
    messages = read(client, instructions="Read it word for word.", metadata={"client_event_id": "x"})

    assert audio_of(messages) == posted(harness)
    assert transcript_of(messages) == TEXT
    response = response_of(messages)
    assert (response["status"], response["metadata"], response["conversation_id"]) == (
        "completed",
        {"client_event_id": "x"},
        None,
    )
    (item,) = response["output"]
    assert item["content"] == [{"type": "output_audio", "transcript": TEXT}]
    assert response["usage"]["output_token_details"]["audio_tokens"] == round(len(audio_of(messages)) / 48_000 * 20)


def test_the_events_come_in_the_order_of_the_protocol(client: Client) -> None:
    client.send(type="conversation.item.create", item=message("Hello."))
    client.send(type="response.create")

    messages = client.until("response.done")

    kinds = types_of(messages)
    deltas = "response.output_audio_transcript.delta"
    assert [kind for kind in kinds if kind != deltas] == [
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    assert len({one["event_id"] for one in messages}) == len(messages)
    assert response_of(messages)["conversation_id"].startswith("conv_")


def test_a_text_can_be_given_in_three_ways(client: Client, harness: Harness) -> None:
    client.send(type="session.update", session={"type": "realtime", "instructions": "You are a TTS engine."})
    client.until("session.updated")
    client.send(type="conversation.item.create", item=message("You read aloud.", "system"))
    client.send(type="conversation.item.create", item=message("The text."))
    client.send(type="response.create", response={"instructions": "Say it exactly."})
    assert audio_of(client.until("response.done")) == posted(harness, "The text.")

    client.send(type="response.create", response={"instructions": "Read the following verbatim:\n\nThe text."})
    assert audio_of(client.until("response.done")) == posted(harness, "The text.")

    client.send(type="conversation.item.create", item=message("The text.", id="item_mine"))
    reference = {"type": "item_reference", "id": "item_mine"}
    client.send(type="response.create", response={"conversation": "none", "input": [reference]})
    assert audio_of(client.until("response.done")) == posted(harness, "The text.")


def test_of_a_history_that_is_sent_again_only_the_newest_messages_are_read(client: Client, harness: Harness) -> None:
    for role, text in (
        ("user", "Old."),
        ("assistant", "Old."),
        ("user", "This is new."),
        ("system", "Be nice."),
        ("user", "So is this."),
    ):
        client.send(type="conversation.item.create", item=message(text, role))
    client.send(type="response.create")
    assert audio_of(client.until("response.done")) == posted(harness, "This is new.\n\nSo is this.")


@pytest.mark.parametrize("response", [{}, {"instructions": "Be nice."}, {"input": []}])
def test_without_a_text_nothing_is_spoken_and_the_response_says_why(client: Client, response: dict[str, Any]) -> None:
    client.send(type="response.create", response=response)
    messages = client.until("response.done")
    assert types_of(messages) == ["response.created", "response.done"]
    assert response_of(messages)["status"] == "failed"
    assert response_of(messages)["status_details"]["error"]["code"] == "nothing_to_read"


@pytest.mark.parametrize(("kind", "name"), [("audio/pcmu", "ulaw"), ("audio/pcma", "alaw")])
def test_audio_comes_as_a_telephone_needs_it(client: Client, harness: Harness, kind: str, name: str) -> None:
    output = {"format": {"type": kind}, "voice": "alloy"}
    messages = read(client, audio={"output": output})
    assert audio_of(messages) == posted(harness, voice="alloy", response_format=name)
    assert response_of(messages)["audio"]["output"] == output


def test_speed_and_voice_of_the_session_hold(client: Client, harness: Harness) -> None:
    audio = {"output": {"voice": {"id": "am_adam"}, "speed": 1.25}}
    client.send(type="session.update", session={"type": "realtime", "audio": audio})
    session = client.until("session.updated")[-1]["session"]
    assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert audio_of(read(client)) == posted(harness, voice="am_adam", speed=1.25)


def test_responses_beside_the_conversation_are_spoken_at_the_same_time(client: Client, harness: Harness) -> None:
    texts = [f"This is the text {name}." for name in "abcd"]
    for text in texts:
        asked = {"conversation": "none", "input": [message(text)], "metadata": {"text": text}}
        client.send(type="response.create", response=asked)
    messages = client.until("response.done", 4)
    for one in (one["response"] for one in messages if one["type"] == "response.done"):
        own = [other for other in messages if other.get("response_id") == one["id"]]
        assert audio_of(own) == posted(harness, one["metadata"]["text"])


def test_text_alone_is_echoed(client: Client) -> None:
    messages = read(client, output_modalities=["text"])
    assert not audio_of(messages)
    assert [one["text"] for one in messages if one["type"] == "response.output_text.done"] == [TEXT]
    assert response_of(messages)["output"][0]["content"] == [{"type": "output_text", "text": TEXT}]


def test_what_is_not_spoken_is_kept_and_not_done(client: Client) -> None:
    turn_detection = {"type": "semantic_vad", "eagerness": "low"}
    tools = [{"type": "function", "name": "look", "parameters": {}}]
    audio = {"input": {"turn_detection": turn_detection, "transcription": {"model": "whisper-1"}}}
    client.send(type="session.update", session={"type": "realtime", "tools": tools, "audio": audio})
    session = client.until("session.updated")[-1]["session"]
    assert session["tools"] == tools
    assert session["audio"]["input"]["turn_detection"] == turn_detection
    client.send(type="input_audio_buffer.append", audio=base64.b64encode(bytes(4800)).decode())
    client.send(type="input_audio_buffer.clear")
    assert client.receive()["type"] == "input_audio_buffer.cleared"


def test_items_are_kept_in_order_and_can_be_read_and_removed(client: Client) -> None:
    client.send(type="conversation.item.create", item=message("Two.", id="two"))
    client.send(type="conversation.item.create", item=message("One.", id="one"), previous_item_id="root")
    client.send(type="conversation.item.create", item=message("Between.", id="between"), previous_item_id="one")
    added = [one for one in (client.receive() for _ in range(6)) if one["type"] == "conversation.item.added"]
    assert [(one["item"]["id"], one["previous_item_id"]) for one in added] == [("two", None), ("one", None), ("between", "one")]
    client.send(type="conversation.item.retrieve", item_id="one")
    assert client.receive()["item"]["content"][0]["text"] == "One."
    client.send(type="conversation.item.truncate", item_id="one", content_index=0, audio_end_ms=5)
    assert client.receive()["type"] == "conversation.item.truncated"
    client.send(type="conversation.item.delete", item_id="one")
    assert client.receive()["type"] == "conversation.item.deleted"
    client.send(type="conversation.item.retrieve", item_id="one")
    assert client.receive()["error"]["code"] == "item_retrieve_invalid_item_id"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": {"type": "realtime", "x": 1}}, "unknown_parameter", "session.x"),
        ({"type": "response.create", "response": {"x": 1}}, "unknown_parameter", "response.x"),
        (
            {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"speed": 3}}}},
            "invalid_value",
            "session.audio.output.speed",
        ),
        (
            {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"format": {"type": "opus"}}}}},
            "invalid_value",
            "session.audio.output.format.type",
        ),
        (
            {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"voice": "nobody"}}}},
            "invalid_value",
            "voice",
        ),
        ({"type": "response.cancel"}, "response_cancel_not_active", None),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty", None),
        ({"type": "conversation.item.retrieve", "item_id": "no"}, "item_retrieve_invalid_item_id", "item_id"),
        ({"type": "conversation.item.create"}, "missing_required_parameter", "item"),
        ({"type": "conversation.item.create", "item": {"type": "message", "role": "me"}}, "invalid_value", "item.role"),
        ({"type": "response.create", "response": {"metadata": {"a": 5}}}, "invalid_event", "response.metadata"),
        ({"type": "nothing"}, "invalid_event", "type"),
        ({}, "invalid_event", "type"),
    ],
)
def test_an_error_names_its_event_and_the_session_goes_on(
    client: Client, event: dict[str, Any], code: str, param: str | None
) -> None:
    client.send(event_id="mine", **event)
    error = client.receive()
    assert error["type"] == "error"
    assert (error["error"]["code"], error["error"]["param"], error["error"]["event_id"]) == (code, param, "mine")
    assert response_of(read(client, "It goes on."))["status"] == "completed"


def test_audio_of_the_client_may_be_committed_and_is_nothing_to_read(client: Client, harness: Harness) -> None:
    client.send(type="input_audio_buffer.append", audio="AAAA")
    client.send(type="input_audio_buffer.commit")
    messages = client.until("conversation.item.done")
    assert types_of(messages) == ["input_audio_buffer.committed", "conversation.item.added", "conversation.item.done"]
    assert messages[0]["item_id"] == messages[-1]["item"]["id"]

    client.send(type="conversation.item.create", item=message(TEXT))
    client.send(type="response.create")
    assert audio_of(client.until("response.done")) == posted(harness)
    client.send(type="input_audio_buffer.commit")
    assert client.receive()["error"]["code"] == "input_audio_buffer_commit_empty"


def test_the_same_item_cannot_be_added_twice(client: Client) -> None:
    for _ in range(2):
        client.send(type="conversation.item.create", item=message("One.", id="one"))
    assert client.until("error")[-1]["error"]["code"] == "item_create_duplicate_item_id"


def test_a_cancelled_response_is_silent_and_says_so(tmp_path: Path) -> None:
    gate = GatedEngine()
    with open_harness(tmp_path, {"kokoro": gate}, KOE_THREADS="1") as harness, connected(harness.url, PATH) as client:
        client.receive()
        client.send(type="conversation.item.create", item=message("This is said first. This is never heard at all."))
        client.send(type="response.create")
        gate.release(1)
        client.until("response.output_audio.delta")
        client.send(type="response.create")
        assert client.until("error")[-1]["error"]["code"] == "conversation_already_has_active_response"
        client.send(type="response.cancel")
        messages = client.until("response.done")
        assert "response.output_audio.done" in types_of(messages)
        response = response_of(messages)
        assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "client_cancelled")
        assert response["output"][0]["status"] == "incomplete"
        gate.release(100)
        assert response_of(read(client, "Next."))["status"] == "completed"


def test_a_response_whose_item_is_truncated_is_silent(tmp_path: Path) -> None:
    gate = GatedEngine()
    with open_harness(tmp_path, {"kokoro": gate}, KOE_THREADS="1") as harness, connected(harness.url, PATH) as client:
        client.receive()
        client.send(type="conversation.item.create", item=message("This is said first. This is never heard at all."))
        client.send(type="response.create")
        gate.release(1)
        item_id = client.until("response.output_audio.delta")[-1]["item_id"]
        client.send(type="conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=10)
        messages = client.until("response.done")
        assert "conversation.item.truncated" in types_of(messages)
        assert response_of(messages)["status"] == "cancelled"
        gate.release(100)


def test_an_engine_that_fails_fails_the_response_alone(tmp_path: Path) -> None:
    gate = GatedEngine()
    gate.is_broken = True
    gate.release(100)
    with open_harness(tmp_path, {"kokoro": gate}) as harness, connected(harness.url, PATH) as client:
        client.receive()
        response = response_of(read(client))
        assert response["status"] == "failed"
        assert response["status_details"]["error"]["type"] == "server_error"
        gate.is_broken = False
        assert response_of(read(client, "It goes on."))["status"] == "completed"


def test_the_voice_is_fixed_once_it_was_heard(client: Client) -> None:
    client.send(type="conversation.item.create", item=message("Hello."))
    client.send(type="response.create")
    client.until("response.done")
    client.send(type="session.update", session={"type": "realtime", "audio": {"output": {"voice": "alloy"}}})
    assert client.until("error")[-1]["error"]["code"] == "cannot_update_voice"


def test_words_have_the_phonemes_of_the_session_or_of_one_response(client: Client, harness: Harness) -> None:
    text, words = "Say Koe.", {"Koe": "kokokoko"}
    one = {"conversation": "none", "input": [message(text)], "audio": {"output": {"pronunciations": {"Koe": "ko"}}}}
    client.send(type="session.update", session={"type": "realtime", "audio": {"output": {"pronunciations": words}}})
    updated = client.until("session.updated")[-1]["session"]["audio"]["output"]
    assert (updated["pronunciations"], updated["voice"]) == (words, "marin")

    assert audio_of(read(client, text)) == posted(harness, text, pronunciations=words)
    client.send(type="response.create", response=one)
    assert audio_of(client.until("response.done")) == posted(harness, text, pronunciations={"Koe": "ko"})

    client.send(type="session.update", session={"type": "realtime", "audio": {"output": {"pronunciations": None}}})
    client.until("session.updated")
    assert audio_of(read(client, text)) == posted(harness, text)
    assert posted(harness, text) != posted(harness, text, pronunciations=words)


def test_phonemes_that_are_none_are_an_error_and_change_nothing(client: Client, harness: Harness) -> None:
    client.send(type="session.update", session={"type": "realtime", "audio": {"output": {"pronunciations": {"Koe": "5"}}}})
    error = client.until("error")[-1]["error"]
    assert (error["code"], error["param"]) == ("invalid_value", "pronunciations")
    assert audio_of(read(client, "Say Koe.")) == posted(harness, "Say Koe.")


@pytest.mark.parametrize(
    "options",
    [{"additional_headers": {"OpenAI-Beta": "realtime=v1"}}, {"subprotocols": ["realtime", "openai-beta.realtime-v1"]}],
    ids=["header", "subprotocol"],
)
def test_the_beta_form_is_refused_as_openai_refuses_it(harness: Harness, options: dict[str, Any]) -> None:
    with connected(harness.url, PATH, **options) as client:
        error = client.receive()
        assert (error["type"], error["error"]["code"]) == ("error", "beta_api_shape_disabled")
        with pytest.raises(ConnectionClosed) as closed:
            client.receive()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "invalid_request_error.beta_api_shape_disabled")
