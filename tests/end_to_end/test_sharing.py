"""Equal requests share one synthesis; different requests never mix."""

import asyncio
import base64
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import soundfile

from app.core.speech.formats import FORMATS
from tests.audio import decode, same_file
from tests.end_to_end.listeners import SPEECH, asked, listening, n_readers, post, speaks_as
from tests.engines import GatedEngine, name_of, text_of
from tests.harness import Harness, wait_until

HARNESS = {"KOE_SLOTS": "8", "KOE_BATCH_SLOTS": "1", "KOE_THREADS": "1"}
VOICES = ["af_heart", "am_puck", "bf_emma", "jf_alpha", "af_heart(2)+bf_emma(1)", "zf_xiaobei", "am_michael", "ef_dora"]


@pytest.mark.anyio
@pytest.mark.parametrize("format_name", ["pcm", "mp3"])
async def test_two_hundred_equal_requests_at_once_are_one_synthesis(
    gated: Harness, gate: GatedEngine, format_name: str
) -> None:
    body = asked(text_of(3, "crowd"), format_name)
    limits = httpx.Limits(max_connections=None)

    async with httpx.AsyncClient(base_url=gated.url, timeout=60, limits=limits) as http, asyncio.TaskGroup() as group:
        tasks = [group.create_task(http.post(SPEECH, json=body)) for _ in range(200)]
        await asyncio.to_thread(wait_until, lambda: n_readers(gated) == 200)
        gate.release(3)

    answers = [task.result() for task in tasks]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sorted(answer.headers["x-koe-cache"] for answer in answers) == ["join"] * 199 + ["miss"]
    assert len(gate.spoken) == 3


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_first_sound_comes_while_the_rest_is_unspoken(gated: Harness, gate: GatedEngine, format_name: str) -> None:
    body = asked(text_of(4, "river"), format_name)
    gate.release(1)

    with listening(gated, body) as listener:
        assert len(gate.spoken) == 1
        gate.release(3)
        whole = listener.hear_all()

    assert len(decode(whole, format_name)) > 24_000 * 0.06 * len(body["input"])


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_client_that_joins_in_the_middle_gets_the_whole_file(gated: Harness, gate: GatedEngine, format_name: str) -> None:
    body = asked(text_of(4, "train"), format_name)
    gate.release(2)

    with listening(gated, body) as first:
        wait_until(lambda: len(gate.spoken) == 2)
        with listening(gated, body) as second:
            gate.release(2)
            assert first.hear_all() == second.hear_all()

    assert second.answer.headers["x-koe-cache"] == "join"
    assert len(gate.spoken) == 4


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_second_request_is_a_hit_with_equal_bytes(gated: Harness, gate: GatedEngine, format_name: str) -> None:
    body = asked(text_of(2, "second time"), format_name)
    gate.release(2)

    first, second = post(gated, body), post(gated, body)

    assert [first.headers["x-koe-cache"], second.headers["x-koe-cache"]] == ["miss", "hit"]
    assert same_file(first.content, second.content)
    assert len(gate.spoken) == 2


@pytest.mark.parametrize("more", [{}, {"sample_rate": 44_100}, {"sample_rate": 8000}, {"stream_format": "sse"}], ids=str)
def test_a_finished_flac_says_how_long_it_is(gated: Harness, gate: GatedEngine, more: dict[str, Any]) -> None:
    body = asked(text_of(2, f"length of {len(str(more))}"), "flac", **more) | {"model": "gpt-4o-mini-tts"}
    gate.release(2)

    first, second = post(gated, body), post(gated, body)
    data = second.content
    if "stream_format" in more:
        events = [json.loads(line.removeprefix("data: ")) for line in second.text.splitlines() if line]
        data = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")

    info = soundfile.info(io.BytesIO(data))
    assert (first.headers["x-koe-cache"], second.headers["x-koe-cache"]) == ("miss", "hit")
    assert info.frames == len(decode(data, "flac", info.samplerate))
    assert info.samplerate == more.get("sample_rate", 24_000)
    assert soundfile.read(io.BytesIO(data))[0].shape == (info.frames,)


@pytest.mark.parametrize(
    "change",
    [{"input": "Hello there!"}, {"voice": "am_puck"}, {"speed": 1.5}, {"response_format": "wav"}, {"language": "en-GB"}],
    ids=str,
)
def test_requests_that_sound_different_are_not_shared(gated: Harness, gate: GatedEngine, change: dict[str, object]) -> None:
    gate.release(10_000)
    body = asked(f"Hello there. {change}")

    post(gated, body)

    assert post(gated, body | change).headers["x-koe-cache"] == "miss"


def test_names_of_one_voice_and_models_of_one_engine_are_shared(gated: Harness, gate: GatedEngine) -> None:
    gate.release(1)

    first = post(gated, asked("One voice.", voice="nova"))
    second = post(gated, asked("One voice.", voice="af_nova") | {"model": "tts-1-hd", "instructions": "Whisper."})

    assert second.headers["x-koe-cache"] == "hit"
    assert first.content == second.content


def test_parallel_voices_never_mix(gated: Harness, gate: GatedEngine) -> None:
    gate.release(10_000)
    bodies = [
        asked(f"Number {name_of(number)} speaks with a voice of its own.", voice=VOICES[number % 8]) for number in range(40)
    ]

    with ThreadPoolExecutor(40) as clients:
        answers = list(clients.map(lambda body: post(gated, body), bodies))

    for body, answer in zip(bodies, answers, strict=True):
        assert answer.status_code == 200
        assert speaks_as(answer.content, "pcm", body["voice"])
        assert len(answer.content) == 2 * round(len(body["input"]) * 0.06 * 24_000)


def test_parallel_mixed_formats_are_each_whole(gated: Harness, gate: GatedEngine) -> None:
    gate.release(10_000)
    formats = list(FORMATS)
    bodies = [asked(text_of(1, f"format {name_of(n)}"), formats[n % 6], VOICES[n % 8], speed=2) for n in range(32)]

    with ThreadPoolExecutor(32) as clients:
        answers = list(clients.map(lambda body: post(gated, body), bodies))

    for body, answer in zip(bodies, answers, strict=True):
        name = body["response_format"]
        assert answer.headers["content-type"] == FORMATS[name].media_type
        assert speaks_as(answer.content, name, body["voice"])
        assert len(decode(answer.content, name)) / 24_000 == pytest.approx(len(body["input"]) * 0.03, abs=0.15)
