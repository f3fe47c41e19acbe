"""Cartesia's protocol: contexts are spoken beside each other, with words, flushes and cancels."""

from array import array
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.live.clients import Client, Message, audio_of, connected
from tests.harness import Harness, open_harness
from workers.engines.tone import ToneEngine

PATH = "/tts/websocket?cartesia_version=2025-04-16&api_key=any"
TEXT = "Hello there, my friend. How are you?"


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with open_harness(tmp_path_factory.mktemp("cartesia"), {"kokoro": ToneEngine()}) as harness:
        yield harness


@pytest.fixture
def client(harness: Harness) -> Iterator[Client]:
    with connected(harness.url, PATH) as client:
        yield client


def asked(
    context_id: str,
    transcript: str,
    encoding: str = "pcm_s16le",
    rate_hz: int = 24_000,
    *,
    continues: bool = False,
    **more: Any,
) -> dict[str, Any]:
    form = {"container": "raw", "encoding": encoding, "sample_rate": rate_hz}
    voice = {"mode": "id", "id": "af_heart"}
    fields = {"model_id": "sonic-3", "voice": voice, "language": "en", "output_format": form, "continue": continues}
    return {**fields, "context_id": context_id, "transcript": transcript, **more}


def of(context_id: str, messages: list[Message]) -> list[Message]:
    return [message for message in messages if message["context_id"] == context_id]


def test_a_transcript_that_does_not_continue_is_spoken_and_done(client: Client, harness: Harness) -> None:
    client.send(**asked("a", "Hello there."))

    messages = client.until("done")

    with harness.http() as http:
        body = {"model": "kokoro", "voice": "af_heart", "input": "Hello there.", "response_format": "pcm"}
        assert audio_of(messages, "data") == http.post("/v1/audio/speech", json=body).content
    assert messages[-1] == {"type": "done", "context_id": "a", "done": True, "status_code": 200}
    assert all(message["status_code"] == 206 and message["step_time"] > 0 for message in messages[:-1])


def test_a_context_continues_until_it_is_ended(client: Client) -> None:
    for at in range(0, len(TEXT), 3):
        client.send(**asked("a", TEXT[at : at + 3], continues=True))
    client.send(**asked("a", ""))
    messages = client.until("done")
    assert len(audio_of(messages, "data")) > 48_000


def test_contexts_are_spoken_beside_each_other(client: Client) -> None:
    for name in "abc":
        client.send(**asked(name, f"The context {name} is spoken."))
    messages = client.until("done", 3)
    for name in "abc":
        assert audio_of(of(name, messages), "data")


def test_words_have_times_in_their_context(client: Client) -> None:
    client.send(**asked("a", TEXT, add_timestamps=True))
    words = [message["word_timestamps"] for message in client.until("done") if message["type"] == "timestamps"]
    assert [word for found in words for word in found["words"]] == TEXT.split()
    starts = [start for found in words for start in found["start"]]
    ends = [end for found in words for end in found["end"]]
    assert starts == sorted(starts)
    assert all(start < end for start, end in zip(starts, ends, strict=True))


def test_characters_have_times_within_those_of_their_words(client: Client) -> None:
    client.send(**asked("a", TEXT, add_character_timestamps=True))
    found = [message for message in client.until("done") if message["type"] == "timestamps"]
    characters = [one for message in found for one in message["character_timestamps"]["characters"]]
    assert "".join(characters) == TEXT.replace(" ", "")
    for message in found:
        words, chars = message["word_timestamps"], message["character_timestamps"]
        assert (chars["start"][0], chars["end"][-1]) == (words["start"][0], words["end"][-1])
        assert chars["start"] == sorted(chars["start"])


def test_words_have_the_phonemes_of_their_context(client: Client, harness: Harness) -> None:
    client.send(**asked("a", "Say Koe.", pronunciations={"Koe": "kokokoko"}))
    spoken = audio_of(client.until("done"), "data")
    client.send(**asked("b", "Say Koe."))
    with harness.http() as http:
        body = {"model": "kokoro", "voice": "af_heart", "input": "Say Koe.", "response_format": "pcm"}
        posted = [
            http.post("/v1/audio/speech", json=body | more).content for more in ({"pronunciations": {"Koe": "kokokoko"}}, {})
        ]
    assert [spoken, audio_of(client.until("done"), "data")] == posted
    assert len(posted[0]) > len(posted[1])


def test_a_flush_is_told_when_its_text_is_spoken(client: Client) -> None:
    client.send(**asked("a", "One, and then", continues=True, flush=True))
    flushed = client.until("flush_done")
    assert flushed[-1]["flush_id"] == 1
    assert audio_of(flushed, "data")
    client.send(**asked("a", " "))
    assert not audio_of(client.until("done"), "data")


def test_a_cancelled_context_is_not_heard_again(client: Client) -> None:
    client.send(**asked("a", TEXT, continues=True))
    client.send(context_id="a", cancel=True)
    client.send(**asked("b", "The other."))
    messages = client.until("done")
    assert audio_of(of("b", messages), "data")
    client.send(**asked("a", "Another text."))
    assert of("a", client.until("done"))[-1]["type"] == "done"


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "n_bytes"), [("pcm_s16le", 16_000, 2), ("pcm_mulaw", 8_000, 1), ("pcm_alaw", 8_000, 1)]
)
def test_audio_comes_in_the_encoding_that_is_asked_for(client: Client, encoding: str, rate_hz: int, n_bytes: int) -> None:
    client.send(**asked("whole", "Hello."))
    seconds = len(audio_of(client.until("done"), "data")) / 48_000
    client.send(**asked("a", "Hello.", encoding, rate_hz))
    assert len(audio_of(client.until("done"), "data")) / (n_bytes * rate_hz) == pytest.approx(seconds, abs=0.001)


def test_floats_are_the_same_samples(client: Client) -> None:
    client.send(**asked("a", "Hello."))
    whole = array("h", audio_of(client.until("done"), "data"))
    client.send(**asked("b", "Hello.", "pcm_f32le"))
    floats = array("f", audio_of(client.until("done"), "data"))
    assert [round(32_768 * sample) for sample in floats] == list(whole)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"voice": {"mode": "id", "id": "nobody"}}, "Supported values"),
        ({"voice": None}, "voice.id"),
        ({"output_format": {"container": "mp3"}}, "raw"),
        ({"output_format": {"container": "raw", "encoding": "pcm_s24le", "sample_rate": 8000}}, "pcm_s16le"),
        ({"output_format": None}, "output_format"),
        ({"transcript": 5}, "string"),
        ({"model_id": "unheard"}, "model"),
        ({"speed": "hasty"}, "slow"),
        ({"pronunciation_dict_id": "dict_1"}, "'pronunciations'"),
        ({"pronunciations": {"Koe": "5"}}, "phonemes"),
    ],
)
def test_a_mistake_ends_its_context_alone(client: Client, change: dict[str, Any], param: str) -> None:
    client.send(**(asked("a", "Hello.") | change))
    error = client.receive()
    assert (error["type"], error["context_id"], error["done"]) == ("error", "a", True)
    assert param in error["message"]
    client.send(**asked("b", "It goes on."))
    assert audio_of(client.until("done"), "data")


@pytest.mark.parametrize("speed", [{"generation_config": {"speed": 0.5}}, {"speed": "slow"}])
def test_a_speed_changes_the_length(client: Client, speed: dict[str, Any]) -> None:
    client.send(**asked("a", TEXT))
    usual = len(audio_of(client.until("done"), "data"))
    client.send(**asked("b", TEXT, **speed))
    assert len(audio_of(client.until("done"), "data")) > 1.1 * usual
