"""The official client, sync and async, in all six formats: each response is decoded and measured."""

import io
import json
import re
import wave
from pathlib import Path
from typing import Any

import pytest

from app.core.speech.boundaries import Ending
from app.core.speech.formats import FORMATS, SAMPLE_RATE_HZ, wav_stream_header
from app.core.speech.pauses import PAUSE_SECONDS
from tests.audio import decode, same_file, sounding_seconds
from tests.end_to_end.listeners import SPEECH, asked, post
from tests.harness import Harness, wait_until
from workers.engines.tone import SECONDS_PER_PHONEME
from workers.text.segment import segment

TEXT = "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. It is easy to tell the depth."


def n_spoken_samples(text: str, speed: float = 1.0) -> int:
    pieces = list(segment(text, "en-US"))
    spoken = sum(round(len(piece.text) * SECONDS_PER_PHONEME / speed * 24_000) for piece in pieces)
    return spoken + sum(round(PAUSE_SECONDS[piece.ending] / speed * 24_000) for piece in pieces[:-1])


@pytest.mark.parametrize("format_name", FORMATS)
def test_create_gives_all_of_the_text(harness: Harness, format_name: Any) -> None:
    answer = harness.openai().audio.speech.create(model="tts-1", voice="nova", input=TEXT, response_format=format_name)

    samples = decode(answer.content, format_name)

    assert sounding_seconds(samples) == pytest.approx(n_spoken_samples(TEXT) / 24_000, abs=0.005)
    assert answer.response.headers["content-type"] == FORMATS[format_name].media_type
    if format_name in ("wav", "pcm", "flac"):
        assert len(samples) == n_spoken_samples(TEXT)


@pytest.mark.anyio
@pytest.mark.parametrize("format_name", FORMATS)
async def test_the_async_client_gets_the_same_bytes(harness: Harness, format_name: str) -> None:
    asked: dict[str, Any] = {"model": "tts-1", "voice": "nova", "input": TEXT, "response_format": format_name}

    async with harness.async_openai() as client:
        answer = await client.audio.speech.create(**asked)
        content = await answer.aread()

    assert same_file(content, harness.openai().audio.speech.create(**asked).content)


@pytest.mark.parametrize("format_name", FORMATS)
def test_streaming_gives_the_same_bytes_as_create(harness: Harness, format_name: str) -> None:
    asked: dict[str, Any] = {"model": "tts-1", "voice": "nova", "input": TEXT, "response_format": format_name}
    client = harness.openai()

    with client.audio.speech.with_streaming_response.create(**asked) as answer:
        streamed = b"".join(answer.iter_bytes(1000))

    assert same_file(streamed, client.audio.speech.create(**asked).content)


@pytest.mark.anyio
async def test_the_async_client_streams(harness: Harness) -> None:
    asked: dict[str, Any] = {"model": "tts-1", "voice": "nova", "input": TEXT, "response_format": "opus"}

    async with harness.async_openai() as client, client.audio.speech.with_streaming_response.create(**asked) as answer:
        streamed = b"".join([piece async for piece in answer.iter_bytes()])

    assert sounding_seconds(decode(streamed, "opus")) > 1


def test_stream_to_file_writes_a_file_that_plays(harness: Harness, tmp_path: Path) -> None:
    path = tmp_path / "speech.mp3"

    with harness.openai().audio.speech.with_streaming_response.create(model="tts-1", voice="ash", input=TEXT) as answer:
        answer.stream_to_file(path)

    assert sounding_seconds(decode(path.read_bytes(), "mp3")) == pytest.approx(n_spoken_samples(TEXT) / 24_000, abs=0.005)


@pytest.mark.anyio
async def test_stream_to_file_works_in_an_event_loop(harness: Harness, tmp_path: Path) -> None:
    path = tmp_path / "speech.flac"
    asked: dict[str, Any] = {"model": "tts-1", "voice": "ash", "input": TEXT, "response_format": "flac"}

    async with harness.async_openai() as client, client.audio.speech.with_streaming_response.create(**asked) as answer:
        await answer.stream_to_file(path)

    assert len(decode(path.read_bytes(), "flac")) == n_spoken_samples(TEXT)


def test_with_raw_response_shows_the_headers(harness: Harness) -> None:
    answer = harness.openai().audio.speech.with_raw_response.create(model="tts-1", voice="verse", input="Raw.")

    assert answer.status_code == 200
    assert re.fullmatch("req_[0-9a-f]{32}", answer.request_id or "")
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["openai-processing-ms"].isdecimal()
    assert answer.headers["x-koe-engine"] == "tone"
    assert answer.headers["x-koe-cache"] == "miss"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-encoding" not in answer.headers


def test_a_valid_request_id_of_the_client_is_returned(harness: Harness) -> None:
    speech = harness.openai().audio.speech.with_raw_response

    answer = speech.create(model="tts-1", voice="verse", input="Id.", extra_headers={"x-request-id": "job-17:a.b_c"})
    made = speech.create(model="tts-1", voice="verse", input="Id.", extra_headers={"x-request-id": "not sane"})

    assert answer.request_id == "job-17:a.b_c"
    assert re.fullmatch("req_[0-9a-f]{32}", made.request_id or "")


RATES = [(name, rate_hz) for name, entry in FORMATS.items() for rate_hz in entry.sample_rates_hz if rate_hz != SAMPLE_RATE_HZ]


@pytest.mark.parametrize(("format_name", "rate_hz"), RATES)
def test_another_sample_rate_is_the_same_speech(harness: Harness, format_name: str, rate_hz: int) -> None:
    text = "Four hours of steady work faced us."
    own: dict[str, Any] = {} if rate_hz == FORMATS[format_name].sample_rate_hz else {"sample_rate": rate_hz}
    answer = post(harness, asked(text, format_name, **own))

    samples = decode(answer.content, format_name, rate_hz)

    assert answer.headers["content-type"] == FORMATS[format_name].media_type_at(rate_hz)
    assert sounding_seconds(samples) * SAMPLE_RATE_HZ / rate_hz == pytest.approx(
        n_spoken_samples(text) / 24_000, abs=max(0.02, 1152 / rate_hz)
    )
    if format_name in ("wav", "pcm", "flac", "ulaw", "alaw"):
        assert len(samples) == round(n_spoken_samples(text) * rate_hz / SAMPLE_RATE_HZ)
    if format_name == "wav":
        assert answer.content[:44] == wav_stream_header(rate_hz)


@pytest.mark.parametrize(
    ("format_name", "rate_hz", "media_type"),
    [("ulaw", 8000, "audio/basic"), ("pcm", 16_000, "audio/pcm;rate=16000"), ("flac", 44_100, "audio/flac")],
)
def test_a_job_is_a_file_at_the_rate_that_was_asked_for(
    harness: Harness, format_name: str, rate_hz: int, media_type: str
) -> None:
    text = "Four hours of steady work faced us."
    with harness.http() as http:
        job = http.post(f"{SPEECH}/jobs", json=asked(text, format_name, sample_rate=rate_hz)).json()
        path = f"{SPEECH}/jobs/{job['id']}"
        wait_until(lambda: http.get(path).json()["status"] == "completed")
        duration = http.get(path).json()["duration_seconds"]
        answer = http.get(f"{path}/content")

    assert answer.headers["content-type"] == media_type
    assert duration == n_spoken_samples(text) / SAMPLE_RATE_HZ
    assert len(decode(answer.content, format_name, rate_hz)) == round(duration * rate_hz)


def test_the_official_client_asks_for_a_rate_as_an_extra(harness: Harness) -> None:
    speech = harness.openai().audio.speech
    answer = speech.create(model="tts-1", voice="nova", input=TEXT, response_format="pcm", extra_body={"sample_rate": 8000})

    assert answer.response.headers["content-type"] == "audio/pcm;rate=8000"
    assert len(answer.content) == 2 * round(n_spoken_samples(TEXT) / 3)


@pytest.mark.parametrize("format_name", ["mp3", "opus", "aac"])
def test_fewer_bits_are_fewer_bytes(harness: Harness, format_name: str) -> None:
    small, large = (post(harness, asked(TEXT, format_name, bitrate=bits)).content for bits in (16_000, 128_000))

    assert len(small) < len(large) / 2


@pytest.mark.parametrize(("format_name", "rate_hz"), [("pcm", 16_000), ("ulaw", 8000), ("mp3", 44_100)])
def test_the_times_of_words_are_those_of_the_usual_rate(harness: Harness, format_name: str, rate_hz: int) -> None:
    more: dict[str, Any] = {"model": "gpt-4o-mini-tts", "stream_format": "sse", "timestamps": ["word"]}

    def words(**fields: Any) -> list[dict[str, Any]]:
        text = post(harness, asked("Her purse was full of useless trash.", format_name, **more, **fields)).text
        events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line]
        return [word for event in events if event["type"] == "speech.audio.words" for word in event["words"]]

    assert len(words()) == 7
    assert words(sample_rate=rate_hz) == words(sample_rate=24_000)


@pytest.mark.parametrize("speed", [0.25, 1, 4])
def test_speed_changes_the_length_in_proportion(harness: Harness, speed: float) -> None:
    answer = harness.openai().audio.speech.create(model="tts-1", voice="nova", input=TEXT, response_format="pcm", speed=speed)

    assert len(answer.content) / 2 == pytest.approx(n_spoken_samples(TEXT, speed), abs=4)


def test_pcm_never_has_an_odd_byte(harness: Harness) -> None:
    client = harness.openai()

    for n_chars in range(1, 12):
        answer = client.audio.speech.create(model="tts-1", voice="nova", input="a" * n_chars, response_format="pcm", speed=1.37)
        assert len(answer.content) % 2 == 0


def test_wav_is_readable_by_pythons_wave(harness: Harness) -> None:
    content = harness.openai().audio.speech.create(model="tts-1", voice="nova", input=TEXT, response_format="wav").content

    with wave.open(io.BytesIO(content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (24_000, 1, 2)
        frames = file.readframes(2**31 - 1)

    assert content[:44] == wav_stream_header(SAMPLE_RATE_HZ)
    assert frames == content[44:]
    assert len(frames) == 2 * n_spoken_samples(TEXT)


def test_wav_is_pcm_with_a_header(harness: Harness) -> None:
    client = harness.openai()

    wav, pcm = (
        client.audio.speech.create(model="tts-1", voice="nova", input=TEXT, response_format=name).content
        for name in ("wav", "pcm")
    )

    assert wav == wav_stream_header(SAMPLE_RATE_HZ) + pcm


@pytest.mark.parametrize(
    ("format_name", "magic"), [("mp3", b"\xff\xf3"), ("opus", b"OggS"), ("aac", b"\xff\xf1"), ("flac", b"fLaC")]
)
def test_a_file_begins_as_its_format_does(harness: Harness, format_name: Any, magic: bytes) -> None:
    content = harness.openai().audio.speech.create(model="tts-1", voice="nova", input=TEXT, response_format=format_name).content

    assert content.startswith(magic)


def test_text_that_ends_without_a_full_stop_is_said_whole(harness: Harness) -> None:
    text = "One sentence. And then another, which just\n\n\n\nstops"

    content = harness.openai().audio.speech.create(model="tts-1", voice="nova", input=text, response_format="pcm").content

    assert len(content) == 2 * n_spoken_samples(text)


def test_the_joints_have_the_pauses_of_their_endings(harness: Harness) -> None:
    text = "This is the first of the sentences here.\n\nThis is a paragraph of its own, it is said."
    pieces = list(segment(text, "en-US"))

    content = harness.openai().audio.speech.create(model="tts-1", voice="nova", input=text, response_format="pcm").content
    first = 2 * round(len(pieces[0].text) * SECONDS_PER_PHONEME * 24_000)
    pause = 2 * round(PAUSE_SECONDS[Ending.PARAGRAPH] * 24_000)

    assert pieces[0].ending is Ending.PARAGRAPH
    assert content[first : first + pause] == bytes(pause)
    assert content[first - 2 : first] != b"\0\0"
    assert content[first + pause : first + pause + 2] != b"\0\0"
