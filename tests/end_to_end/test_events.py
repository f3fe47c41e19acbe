"""`stream_format: sse`: deltas that join to one valid file, the usage, and the error event of a failure."""

import base64
import json
import math
from typing import Any

import httpx
import pytest

from app.core.speech.formats import FORMATS
from app.core.speech.pauses import PAUSE_SECONDS
from tests.audio import decode, same_file
from tests.end_to_end.conftest import ONE_AT_A_TIME, RelayHarness
from tests.end_to_end.listeners import SPEECH, asked, wait_forgotten
from tests.engines import FailingEngine, GatedEngine, text_of
from tests.harness import Harness, wait_until
from workers.engines.tone import SECONDS_PER_PHONEME, ToneEngine
from workers.text.segment import segment
from workers.text.words import find_words

HARNESS = ONE_AT_A_TIME
NEW_MODEL = {"model": "gpt-4o-mini-tts", "stream_format": "sse"}


def events_of(text: str) -> list[dict[str, Any]]:
    """Returns the events of a whole response. Each must be one line of data with a blank line after it."""
    *blocks, end = text.split("\n\n")
    assert end == ""
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


def listen(harness: Harness, body: dict[str, Any]) -> list[dict[str, Any]]:
    with harness.http() as http:
        answer = http.post(SPEECH, json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert answer.headers["x-koe-engine"] == "tone"
    assert answer.headers["x-koe-cache"] in ("hit", "join", "miss")
    return events_of(answer.text)


def audio_of(events: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_deltas_join_to_the_very_file(relay_harness: RelayHarness, format_name: str) -> None:
    relay_harness.relay.now = ToneEngine()
    body = asked(text_of(3, "told in events"), format_name)

    events = listen(relay_harness.harness, body | NEW_MODEL)
    with relay_harness.harness.http() as http:
        plain = http.post(SPEECH, json=body).content

    assert same_file(audio_of(events), plain)
    assert base64.b64decode("".join(event.get("audio", "") for event in events)) == audio_of(events)
    assert len(decode(plain, format_name)) > 0
    assert {event["type"] for event in events[:-1]} == {"speech.audio.delta"}
    assert all(len(json.dumps(event)) < 65_536 for event in events)


def test_no_sample_of_pcm_is_divided(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = ToneEngine()

    deltas = listen(relay_harness.harness, asked(text_of(2, "even bytes")) | NEW_MODEL)[:-1]

    assert all(len(base64.b64decode(event["audio"])) % 2 == 0 for event in deltas)


def test_the_last_event_has_the_usage(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = ToneEngine()

    done = listen(relay_harness.harness, asked("Birch canoe.") | NEW_MODEL)[-1]

    n_phonemes = len("Birch canoe.")
    n_frames = math.ceil(round(n_phonemes * SECONDS_PER_PHONEME / 0.025, 6))
    used = {"input_tokens": n_phonemes, "output_tokens": n_frames, "total_tokens": n_phonemes + n_frames}
    assert done == {"type": "speech.audio.done", "usage": used}


def test_the_first_delta_comes_before_the_second_segment_is_spoken(gated: Harness, gate: GatedEngine) -> None:
    gate.release(1)

    with gated.http() as http, http.stream("POST", SPEECH, json=asked(text_of(3, "early event")) | NEW_MODEL) as answer:
        lines = answer.iter_lines()
        first = json.loads(next(lines).removeprefix("data: "))
        n_spoken = len(gate.spoken)
        gate.release(10)
        rest = [line for line in lines if line]

    assert first["type"] == "speech.audio.delta"
    assert n_spoken == 1
    assert json.loads(rest[-1].removeprefix("data: "))["type"] == "speech.audio.done"


def test_a_failure_midway_is_one_error_event_and_then_breaks_off(gated: Harness, gate: GatedEngine) -> None:
    gate.release(1)

    with gated.http() as http, http.stream("POST", SPEECH, json=asked(text_of(3, "late error")) | NEW_MODEL) as answer:
        lines = answer.iter_lines()
        heard = [next(lines)]
        gate.is_broken = True
        gate.release(10)
        with pytest.raises(httpx.RemoteProtocolError):
            heard.extend(lines)

    events = [json.loads(line.removeprefix("data: ")) for line in heard if line]
    assert [event["type"] for event in events][-1] == "error"
    assert [event["type"] for event in events].count("error") == 1
    assert "speech.audio.done" not in {event["type"] for event in events}
    error = events[-1]["error"]
    assert (error["type"], error["param"], error["code"]) == ("server_error", None, "internal_error")
    assert "the engine broke" not in error["message"]


def test_a_failure_before_the_first_audio_keeps_its_status(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = FailingEngine(0)

    with relay_harness.harness.http() as http:
        answer = http.post(SPEECH, json=asked(text_of(1, "early error")) | NEW_MODEL)

    assert answer.status_code == 500
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert answer.json()["error"]["code"] == "internal_error"


def test_a_client_that_leaves_its_events_stops_the_speech(gated: Harness, gate: GatedEngine) -> None:
    gate.release(1)

    with gated.http() as http, http.stream("POST", SPEECH, json=asked(text_of(20, "left events")) | NEW_MODEL) as answer:
        next(answer.iter_lines())
    wait_forgotten(gated)
    gate.release(3)

    wait_until(lambda: len(gate.spoken) >= gate.n_begun)
    assert len(gate.spoken) < 6


@pytest.mark.parametrize("model", ["tts-1", "tts-1-hd", "tts-1-1106", "tts-1-hd-1106"])
def test_the_old_models_send_audio_quietly(relay_harness: RelayHarness, model: str) -> None:
    relay_harness.relay.now = ToneEngine()

    with relay_harness.harness.http() as http:
        answer = http.post(SPEECH, json=asked("Quietly.", "mp3") | {"model": model, "stream_format": "sse"})

    assert answer.headers["content-type"] == "audio/mpeg"
    assert len(decode(answer.content, "mp3")) > 0


def test_the_official_client_reads_the_lines(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = ToneEngine()
    body = asked("Read by lines.", "wav") | NEW_MODEL

    with relay_harness.harness.openai().audio.speech.with_streaming_response.create(**body) as answer:
        events = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line]

    assert audio_of(events)[:4] == b"RIFF"
    assert events[-1]["type"] == "speech.audio.done"


def words_of(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [word for event in events if event["type"] == "speech.audio.words" for word in event["words"]]


def test_word_times_are_exact_to_the_sample(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = ToneEngine()
    text = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background of it all."
    body = asked(text) | NEW_MODEL | {"timestamps": ["word"], "speed": 1.25}

    events = listen(relay_harness.harness, body)

    words, pieces = words_of(events), list(segment(text, "en-US"))
    expected, at = [], 0.0
    for piece in pieces:
        seconds = round(len(piece.text) * SECONDS_PER_PHONEME / 1.25 * 24_000) / 24_000
        each = seconds / len(piece.text)
        expected += [(at + each * first, at + each * last) for first, last in find_words(piece.text)]
        at += seconds + PAUSE_SECONDS[piece.ending] / 1.25
    assert len(pieces) > 1
    assert [word["word"] for word in words] == text.split()
    for word, (start, end) in zip(words, expected, strict=True):
        assert word["start"] == pytest.approx(start, abs=0.0006)
        assert word["end"] == pytest.approx(end, abs=0.0006)
    assert words[-1]["end"] == pytest.approx(len(audio_of(events)) / 48_000, abs=0.001)


def test_words_have_characters_when_these_are_requested(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = ToneEngine()
    body = asked("Two sentences. With their letters.") | NEW_MODEL

    words = words_of(listen(relay_harness.harness, body | {"timestamps": ["word"]}))
    spelt = words_of(listen(relay_harness.harness, body | {"timestamps": ["word", "character"]}))

    assert [{name: word[name] for name in ("word", "start", "end")} for word in spelt] == words
    for word in spelt:
        characters = word["characters"]
        assert "".join(one["character"] for one in characters) == word["word"]
        assert characters[0]["start"] == pytest.approx(word["start"], abs=0.001)
        assert characters[-1]["end"] == pytest.approx(word["end"], abs=0.001)


def test_words_come_before_the_audio_they_are_heard_in(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = ToneEngine()

    events = listen(relay_harness.harness, asked(text_of(4, "words first")) | NEW_MODEL | {"timestamps": ["word"]})

    n_bytes, timed_until = 0, 0.0
    for event in events:
        if event["type"] == "speech.audio.words":
            timed_until = event["words"][-1]["end"]
        elif event["type"] == "speech.audio.delta":
            n_bytes += len(base64.b64decode(event["audio"]))
            assert n_bytes / 48_000 < timed_until + 0.001


def test_words_come_from_the_cache_too_and_only_when_requested(relay_harness: RelayHarness) -> None:
    relay_harness.relay.now = ToneEngine()
    body = asked(text_of(2, "told again"), "mp3") | NEW_MODEL

    first = words_of(listen(relay_harness.harness, body | {"timestamps": ["word"]}))
    again = listen(relay_harness.harness, body | {"timestamps": ["word"]})
    without = listen(relay_harness.harness, body | {"timestamps": []})

    assert first == words_of(again)
    assert len(first) == len(body["input"].split())
    assert words_of(without) == []
    assert audio_of(without) == audio_of(again)
