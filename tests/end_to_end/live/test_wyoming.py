"""Wyoming, spoken with the package's own client as Home Assistant uses it."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice

from tests.end_to_end.listeners import wait_forgotten
from tests.end_to_end.live.wyoming_client import HEART, audio_of, connected, error_of, stream, types_of
from tests.engines import GatedEngine, RelayEngine
from tests.harness import Harness, open_harness, wait_until
from workers.engines.tone import ToneEngine

pytestmark = pytest.mark.anyio

ON = {"KOE_WYOMING": "tcp://127.0.0.1:0"}
TEXT = "The birch canoe slid. It costs $3.50 at Dr. Who's."


@pytest.fixture(scope="module")
def relay() -> RelayEngine:
    return RelayEngine()


@pytest.fixture(scope="module")
def harness(short_folder: Path, relay: RelayEngine) -> Iterator[Harness]:
    data = Path(tempfile.mkdtemp(dir=short_folder))
    with open_harness(data, {"kokoro": relay}, **ON, KOE_THREADS="1", KOE_MAX_INPUT_CHARS="5000") as harness:
        yield harness


@pytest.fixture
def gate(harness: Harness, relay: RelayEngine) -> Iterator[GatedEngine]:
    """The engine for one test. It waits at each segment until it is released."""
    relay.now = engine = GatedEngine()
    yield engine
    engine.release(1000)
    wait_forgotten(harness)
    relay.now = ToneEngine()


def posted(harness: Harness, text: str = TEXT, voice: str = "af_heart", model: str = "kokoro") -> bytes:
    """The pcm that `POST /v1/audio/speech` gives."""
    body = {"model": model, "voice": voice, "input": text, "response_format": "pcm"}
    with harness.http() as http:
        answer = http.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_the_voices_are_described(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(Describe())
        (answer,) = await client.until("info")

    (program,) = Info.from_event(answer).tts
    assert program.supports_synthesize_streaming
    assert {voice.name: voice.languages for voice in program.voices}["ff_siwis"] == ["fr-FR"]


async def test_the_voices_are_described_without_a_worker_and_speech_is_refused_as_http_does(short_folder: Path) -> None:
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {}, **ON) as harness:
        async with connected(harness.wyoming_port) as client:
            await client.send(Describe())
            assert types_of(await client.until("info")) == ["info"]
            await client.send(Synthesize(TEXT))
            error = error_of(await client.until("error"))
        with harness.http() as http:
            body = {"model": "kokoro", "voice": "af_heart", "input": TEXT}
            refused = http.post("/v1/audio/speech", json=body).json()["error"]

    assert (error.text, error.code) == (refused["message"], "no_worker")


async def test_a_text_is_spoken_as_over_http(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(Synthesize(TEXT, HEART))
        events = await client.until("audio-stop")

    assert types_of(events) == ["audio-start", "audio-stop"]
    start = AudioStart.from_event(events[0])
    assert (start.rate, start.width, start.channels) == (24_000, 2, 1)
    assert {(event.data["rate"], event.data["width"], event.data["channels"]) for event in events[:-1]} == {(24_000, 2, 1)}
    assert audio_of(events) == posted(harness)


async def test_a_text_may_be_as_long_as_the_server_allows(harness: Harness) -> None:
    text = "Word. " * 800
    async with connected(harness.wyoming_port) as client:
        await client.send(Synthesize(text, HEART))
        assert audio_of(await client.until("audio-stop", "error")) == posted(harness, text)


@pytest.mark.parametrize(
    ("voice", "name"),
    [
        (None, "af_heart"),
        (SynthesizeVoice(name="bf_emma+af_heart"), "bf_emma+af_heart"),
        (SynthesizeVoice(language="fr"), "ff_siwis"),
    ],
)
async def test_a_voice_is_chosen_by_name_or_language(harness: Harness, voice: SynthesizeVoice | None, name: str) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(Synthesize(TEXT, voice))
        plain = audio_of(await client.until("audio-stop"))
        await stream(client, "One sentence.", voice)
        streamed = audio_of(await client.until("synthesize-stopped"))

    assert plain == posted(harness, voice=name)
    assert streamed == posted(harness, "One sentence.", voice=name)


async def test_a_text_that_streams_in_is_spoken_once_with_one_start_and_one_stop(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await stream(client, TEXT)
        events = await client.until("synthesize-stopped")
        await stream(client, "One sentence at $3.50 by Dr. Who.")
        one = await client.until("synthesize-stopped")

    assert types_of(events) == ["audio-start", "audio-stop", "synthesize-stopped"]
    assert len(audio_of(events)) >= len(posted(harness))
    assert audio_of(one) == posted(harness, "One sentence at $3.50 by Dr. Who.")


async def test_a_sentence_is_heard_while_the_next_is_still_written(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(SynthesizeStart(voice=HEART), SynthesizeChunk("The first is said. And th"))
        first = audio_of(await client.until("audio-chunk"))
        await client.send(
            SynthesizeChunk("en the second."), Synthesize("The first is said. And then the second."), SynthesizeStop()
        )
        rest = await client.until("synthesize-stopped")

    assert (first + audio_of(rest)).startswith(posted(harness, "The first is said. "))


async def test_a_stream_without_a_word_is_an_empty_sound(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(SynthesizeStart(voice=HEART), SynthesizeStop())
        assert types_of(await client.until("synthesize-stopped")) == ["audio-start", "audio-stop", "synthesize-stopped"]


async def test_several_texts_on_a_connection_are_spoken_in_order(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(Synthesize("One.", HEART), Ping("here"))
        await stream(client, "Two.")
        await client.send(Synthesize("Three.", HEART))
        events = await client.until("synthesize-stopped")
        last = await client.until("audio-stop")

    assert sorted(types_of(events)) == sorted(["audio-start", "audio-stop"] * 2 + ["pong", "synthesize-stopped"])
    assert audio_of(events) == posted(harness, "One.") + posted(harness, "Two.")
    assert audio_of(last) == posted(harness, "Three.")


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (Synthesize(TEXT, SynthesizeVoice(name="nobody")), "invalid_value"),
        (Synthesize(TEXT, SynthesizeVoice(language="sv")), "invalid_value"),
        (Synthesize(""), "empty_string"),
        (Synthesize("x" * 5001), "string_above_max_length"),
        (Event("synthesize"), "invalid_request_error"),
        (Event("synthesize", {"text": 5}), "invalid_request_error"),
        (Event("synthesize", {"text": "Hi.", "voice": "af_heart"}), "invalid_request_error"),
        (SynthesizeChunk("Hi."), "invalid_request_error"),
        (SynthesizeStop(), "invalid_request_error"),
    ],
)
async def test_a_mistake_is_told_and_the_connection_goes_on(harness: Harness, event: Any, code: str) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(event)
        events = await client.until("error")
        await client.send(Synthesize("It goes on.", HEART))
        after = await client.until("audio-stop")

    assert types_of(events) == ["error"]
    assert error_of(events).code == code
    assert types_of(after) == ["audio-start", "audio-stop"]
    assert audio_of(after) == posted(harness, "It goes on.")


async def test_an_unknown_voice_of_a_stream_ends_its_answer_and_the_rest_of_it_is_ignored(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await stream(client, TEXT, SynthesizeVoice(name="nobody"))
        await stream(client, "It goes on.")
        events = await client.until("audio-stop")

    assert types_of(events) == ["error", "synthesize-stopped", "audio-start", "audio-stop"]
    assert audio_of(events) == posted(harness, "It goes on.")


async def test_too_much_text_that_waits_ends_a_stream(harness: Harness, gate: GatedEngine) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(SynthesizeStart(voice=HEART), SynthesizeChunk("One. "))
        await client.send(*(SynthesizeChunk("x" * 1000) for _ in range(6)), Synthesize("x"), SynthesizeStop(), Ping())
        events = await client.until("pong")
        # Not even an end is needed before the next one.
        await client.send(SynthesizeStart(voice=HEART), *(SynthesizeChunk("x" * 1000) for _ in range(6)))
        await client.until("synthesize-stopped")
        await client.send(SynthesizeStart(voice=HEART), SynthesizeChunk("It goes on."), SynthesizeStop())
        gate.release(100)
        after = await client.until("synthesize-stopped")

    assert types_of(events) == ["error", "synthesize-stopped", "pong"]
    assert types_of(after) == ["audio-start", "audio-stop", "synthesize-stopped"]
    assert error_of(events).code == "string_above_max_length"


async def test_a_voice_of_a_user_speaks_by_its_id(harness: Harness) -> None:
    with harness.http() as http:
        made = http.post(
            "/v1/audio/voices", data={"name": "mine", "blend": "af_heart(2)+bf_emma(1)"}, files={"consent": (None, "")}
        )
        voice = made.raise_for_status().json()["id"]
    async with connected(harness.wyoming_port) as client:
        await client.send(Synthesize("It is mine.", SynthesizeVoice(name=voice)))
        events = await client.until("audio-stop")

    assert audio_of(events) == posted(harness, "It is mine.", voice)


async def test_a_second_stream_before_the_end_of_the_first_is_refused_and_the_first_goes_on(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(SynthesizeStart(voice=HEART), SynthesizeStart(voice=HEART), SynthesizeChunk("One."), SynthesizeStop())
        events = await client.until("synthesize-stopped")

    assert types_of(events) == ["error", "audio-start", "audio-stop", "synthesize-stopped"]
    assert audio_of(events) == posted(harness, "One.")


async def test_events_of_other_services_are_ignored(harness: Harness) -> None:
    async with connected(harness.wyoming_port) as client:
        await client.send(
            Event("transcribe"), AudioChunk(16_000, 2, 1, bytes(64_000)), Event("select-program", {"name": "koe"})
        )
        await client.send(Ping("still here"))
        assert [event.data for event in await client.until("pong")] == [{"text": "still here"}]


async def test_an_engine_that_fails_fails_the_text_alone(harness: Harness, gate: GatedEngine) -> None:
    gate.is_broken = True
    gate.release(100)
    async with connected(harness.wyoming_port) as client:
        await client.send(Synthesize("It breaks.", HEART))
        events = await client.until("error")
        gate.is_broken = False
        await client.send(Synthesize("It goes on.", HEART))
        assert audio_of(await client.until("audio-stop"))

    assert types_of(events) == ["error"]
    assert error_of(events).code == "internal_error"


@pytest.mark.parametrize("is_stream", [False, True])
async def test_what_is_spoken_for_a_client_that_leaves_is_cancelled(
    harness: Harness, gate: GatedEngine, is_stream: bool
) -> None:
    text = "Nobody hears this sentence to its end. Nor is that one ever heard. " * 20
    with capture_logs() as lines:
        async with connected(harness.wyoming_port) as client:
            if is_stream:
                await client.send(SynthesizeStart(voice=HEART), SynthesizeChunk(text))
            else:
                await client.send(Synthesize(text, HEART))
            await asyncio.to_thread(gate.wait_begun, 1)
        await asyncio.to_thread(wait_until, lambda: any(line["event"] == "utterance_cancelled" for line in lines))
        await asyncio.to_thread(wait_until, lambda: any(line["event"] == "request_answered" for line in lines))
        gate.release(1)
        await asyncio.to_thread(wait_forgotten, harness)

    (answered,) = (line for line in lines if line["event"] == "request_answered")
    assert (answered["route"], answered["status"], answered["n_chars"]) == ("wyoming", 499, len(text))
    assert gate.n_begun <= 2


async def test_requests_are_counted_and_logged_and_no_text_is(harness: Harness) -> None:
    with capture_logs() as lines:
        async with connected(harness.wyoming_port) as client:
            await client.send(Synthesize("Secret words.", HEART))
            await client.until("audio-stop")
            await client.send(Synthesize("Secret words.", SynthesizeVoice(name="nobody")))
            await client.until("error")
            await client.send(Ping())
            await client.until("pong")
    with harness.http() as http:
        counts = http.get("/metrics").text

    spoken, refused = (line for line in lines if line["event"] == "request_answered")
    assert (spoken["route"], spoken["status"], spoken["voice"], spoken["n_chars"]) == ("wyoming", 200, "af_heart", 13)
    assert spoken["audio_seconds"] == round(len(posted(harness, "Secret words.")) / 48_000, 3)
    assert (refused["status"], refused["code"]) == (400, "invalid_value")
    assert spoken["request_id"] != refused["request_id"]
    assert "Secret" not in repr(lines)
    assert 'koe_requests_total{method="other",route="wyoming",status="200"}' in counts
    assert 'koe_requests_total{method="other",route="wyoming",status="400"}' in counts
    assert "koe_open_requests 1.0" in counts
