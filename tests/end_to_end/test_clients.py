"""Requests as real clients send them, key for key."""

import json
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from tests.audio import decode, sounding_seconds
from tests.house import House

SPEECH = "/v1/audio/speech"


def speak(house: House, body: dict[str, Any], **headers: str) -> httpx.Response:
    with house.http(headers=headers) as http:
        return http.post(SPEECH, json=body)


def test_the_probe_of_home_assistant_gets_an_mp3(house: House) -> None:
    answer = speak(house, {"model": "tts-1", "input": ".", "voice": "alloy", "response_format": "mp3"})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"
    assert len(decode(answer.content, "mp3")) > 0


def test_home_assistant_sends_instructions_that_say_none(house: House) -> None:
    body = {"model": "gpt-4o-mini-tts", "input": "The door is open.", "voice": "marin", "response_format": "mp3"}

    answer = speak(house, body | {"instructions": "None", "speed": 1.0})

    assert answer.status_code == 200
    assert answer.content == speak(house, body).content


def test_pipecat_reads_pcm_in_pieces(house: House) -> None:
    body = {"model": "gpt-4o-mini-tts", "input": "Hello from the pipe.", "voice": "ballad", "response_format": "pcm"}

    with house.openai().audio.speech.with_streaming_response.create(**body) as answer:
        pieces = list(answer.iter_bytes(24_000))

    assert answer.status_code == 200
    assert all(len(piece) == 24_000 for piece in pieces[:-1])
    assert len(pieces[-1]) % 2 == 0


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", "Bearer sk-whatever", "Basic eDp5"])
def test_with_no_keys_set_any_authorization_will_do(house: House, authorization: str) -> None:
    body = json.dumps({"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": "mp3", "speed": 1})
    headers = {"Content-Type": "application/json", "Authorization": authorization}

    with closing(HTTPConnection(house.url.removeprefix("http://"))) as connection:
        connection.request("POST", SPEECH, body, headers)
        status = connection.getresponse().status

    assert status == 200


def test_keys_that_nobody_knows_are_ignored(house: House) -> None:
    body = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}

    answer = speak(house, body | {"backend": "openai", "stream": True, "user": "u-1", "extra": {"deep": [1]}})

    assert answer.status_code == 200
    assert answer.content == speak(house, body).content


def test_null_means_not_given(house: House) -> None:
    body = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}
    optional = (
        "response_format",
        "speed",
        "stream_format",
        "instructions",
        "language",
        "normalize",
        "pronunciations",
        "timestamps",
    )

    answer = speak(house, body | dict.fromkeys(optional))

    assert answer.status_code == 200
    assert answer.content == speak(house, body).content


@pytest.mark.parametrize("accept", ["application/octet-stream", "application/json", "text/html", "audio/nothing", "*/*"])
def test_no_accept_header_is_refused(house: House, accept: str) -> None:
    answer = speak(house, {"model": "tts-1", "input": "Hello.", "voice": "alloy"}, Accept=accept)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"


def test_a_charset_in_the_content_type_is_fine(house: House) -> None:
    body = {"model": "tts-1", "input": "Grüße aus Köln, 東京, Ἀθῆναι.", "voice": "alloy"}

    answer = speak(house, body, **{"Content-Type": "application/json; charset=utf-8"})

    assert answer.status_code == 200


@pytest.mark.parametrize("text", [" ", "   \n\t ", "…", "—", "\u200b", "\0", "\u202e"])
@pytest.mark.parametrize("format_name", ["mp3", "pcm"])
def test_text_with_nothing_to_say_is_a_short_silence(house: House, text: str, format_name: str) -> None:
    answer = speak(house, {"model": "tts-1", "input": text, "voice": "alloy", "response_format": format_name})

    samples = decode(answer.content, format_name)

    assert answer.status_code == 200
    assert 0 < len(samples) < 24_000
    assert sounding_seconds(samples) == 0


@pytest.mark.parametrize("text", ["🙂", "👩‍👩‍👧‍👦🏳️‍🌈", "™", "♥♥♥"])
def test_text_of_symbols_alone_is_no_error(house: House, text: str) -> None:
    answer = speak(house, {"model": "tts-1", "input": text, "voice": "alloy"})

    assert answer.status_code == 200
    assert 0 < len(decode(answer.content, "mp3")) < 24_000


@pytest.mark.parametrize(
    "voice", ["alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar", "af_heart am_puck bf_emma jf_alpha"]
)
def test_every_voice_speaks(house: House, voice: str) -> None:
    for name in voice.split():
        assert speak(house, {"model": "tts-1", "input": "Yes.", "voice": name}).status_code == 200


def test_a_voice_may_be_an_object(house: House) -> None:
    body = {"model": "tts-1", "input": "Hello.", "voice": "nova", "response_format": "pcm"}

    assert speak(house, body | {"voice": {"id": "nova"}}).content == speak(house, body).content
    assert speak(house, body | {"voice": "af_nova"}).content == speak(house, body).content


def test_the_longest_text_of_openai_is_spoken_whole(house: House) -> None:
    text = ("abcdefgh. " * 410)[:4096]

    answer = speak(house, {"model": "tts-1", "input": text, "voice": "alloy", "speed": 4, "response_format": "pcm"})

    assert answer.status_code == 200
    assert len(answer.content) / 48_000 == pytest.approx(4096 * 0.06 / 4, rel=0.02)


def test_livekit_warms_the_connection(house: House) -> None:
    with house.http() as http:
        warm = http.get("/v1/")
        answer = http.post(SPEECH, json={"model": "tts-1", "input": "Hello.", "voice": "ash", "stream_format": "sse"})

    assert warm.status_code == 404
    assert set(warm.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize("path", ["/v1/readyz", "/v1/test", "/health"])
def test_what_the_wyoming_bridge_probes_stays_unknown(house: House, path: str) -> None:
    with house.http() as http:
        assert http.get(path).status_code == 404


def test_open_webui_lists_voices_and_models_without_a_key(house: House) -> None:
    with house.http() as http:
        voices = http.get("/v1/audio/voices").json()["voices"]
        models = http.get("/v1/audio/models").json()["models"]

    assert {"alloy", "cedar", "af_heart"} <= {voice["id"] for voice in voices}
    assert all(voice["name"] for voice in voices)
    assert {"tts-1", "gpt-4o-mini-tts"} <= {model["id"] for model in models}


def test_the_official_client_lists_models(house: House) -> None:
    client = house.openai()

    listed = {model.id for model in client.models.list()}

    assert {"tts-1", "tts-1-hd", "gpt-4o-mini-tts"} <= listed
    assert client.models.retrieve("tts-1").object == "model"
