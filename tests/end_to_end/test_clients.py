"""Requests as real clients send them, with exactly their fields."""

import base64
import io
import json
import wave
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import httpx
import pytest
from openai import AuthenticationError, AzureOpenAI

from app.core.settings import read_settings
from app.core.speech.formats import FORMATS
from tests.audio import decode, same_file, sounding_seconds
from tests.harness import Api, Harness

SPEECH = "/v1/audio/speech"


def speak(harness: Harness, body: dict[str, Any], **headers: str) -> httpx.Response:
    with harness.http(headers=headers) as http:
        return http.post(SPEECH, json=body)


def speak_without_key(harness: Harness, body: dict[str, Any], **headers: str) -> tuple[HTTPResponse, bytes]:
    """Returns the response to a client that sends `Bearer ` and nothing after it, which some libraries refuse to send."""
    headers |= {"Content-Type": "application/json", "Authorization": "Bearer "}
    with closing(HTTPConnection(harness.url.removeprefix("http://"))) as connection:
        connection.request("POST", SPEECH, json.dumps(body), headers)
        answer = connection.getresponse()
        return answer, answer.read()


@pytest.fixture(scope="module")
def locked_url(harness: Harness) -> Iterator[str]:
    """Yields the address of an API of the same harness that requires a key."""
    api = Api(read_settings({"KOE_DATA": str(harness.settings.data), "KOE_API_KEYS": "sk-koe-accepted"}), harness.redis_url)
    yield api.start()
    api.stop()


def test_the_probe_of_home_assistant_gets_an_mp3(harness: Harness) -> None:
    answer = speak(harness, {"model": "tts-1", "input": ".", "voice": "alloy", "response_format": "mp3"})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"
    assert len(decode(answer.content, "mp3")) > 0


def test_home_assistant_sends_instructions_that_say_none(harness: Harness) -> None:
    body = {"model": "gpt-4o-mini-tts", "input": "The door is open.", "voice": "marin", "response_format": "mp3"}

    answer = speak(harness, body | {"instructions": "None", "speed": 1.0})

    assert answer.status_code == 200
    assert answer.content == speak(harness, body).content


@pytest.mark.parametrize(("key", "status"), [("sk-koe-accepted", 200), ("sk-koe-unknown", 401), (None, 401)])
def test_the_probe_of_home_assistant_detects_a_bad_key(locked_url: str, key: str | None, status: int) -> None:
    body = {"model": "tts-1", "input": ".", "voice": "alloy", "response_format": "mp3"}

    answer = httpx.post(f"{locked_url}{SPEECH}", json=body, headers={"Authorization": f"Bearer {key}"} if key else {})

    assert answer.status_code == status


@pytest.mark.parametrize("codec", FORMATS)
def test_home_assistant_reads_every_codec_piece_by_piece(harness: Harness, codec: str) -> None:
    body: dict[str, Any] = {
        "model": "gpt-4o-mini-tts",
        "voice": "marin",
        "input": "The door is open.",
        "response_format": codec,
    }
    speech = harness.openai().audio.speech

    with speech.with_streaming_response.create(**body, instructions="None", speed=1.0) as answer:
        audio = b"".join(answer.iter_bytes())

    assert answer.headers["content-type"] == FORMATS[codec].media_type
    assert len(decode(audio, codec)) / 24_000 == pytest.approx(len(body["input"]) * 0.06, abs=0.15)


def test_open_webui_forwards_its_users_and_relays_an_error(harness: Harness) -> None:
    body = {"input": "Hello.", "voice": "alloy", "model": "tts-1"}
    headers = {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "X-OpenWebUI-User-Name": "J%C3%BCrgen",
        "X-OpenWebUI-User-Id": "0b6e9f0a",
        "X-OpenWebUI-User-Email": "j@example.org",
        "X-OpenWebUI-User-Role": "admin",
    }

    answer, audio = speak_without_key(harness, body, **headers)
    refused, error = speak_without_key(harness, body | {"voice": "Alloy?"}, **headers)

    assert answer.status == 200
    assert answer.headers["content-type"] == "audio/mpeg"
    assert "content-encoding" not in answer.headers
    assert len(decode(audio, "mp3")) > 0
    assert refused.status == 400
    assert json.loads(error)["error"]["message"].startswith("Invalid value: 'Alloy?'.")


def test_sillytavern_sends_a_key_that_is_not_there(harness: Harness) -> None:
    text = "Hello there."

    answer, audio = speak_without_key(
        harness, {"input": text, "response_format": "mp3", "voice": "shimmer", "speed": 1.35, "model": "tts-1"}
    )

    assert answer.status == 200
    assert len(decode(audio, "mp3")) / 24_000 == pytest.approx(len(text) * 0.06 / 1.35, abs=0.1)


def test_the_wyoming_bridge_reads_the_header_and_forwards_the_rest(harness: Harness) -> None:
    body = {"model": "tts-1", "input": "The lights are on.", "voice": "onyx", "response_format": "wav", "speed": 1.0}

    audio = speak(harness, body).content
    with wave.open(io.BytesIO(audio)) as reader:
        layout = (reader.getframerate(), reader.getsampwidth(), reader.getnchannels())
        samples = reader.readframes(len(audio))

    assert layout == (24_000, 2, 1)
    assert samples == audio[44:] == speak(harness, body | {"response_format": "pcm"}).content


def test_librechat_gets_an_error_that_the_voice_is_missing(harness: Harness) -> None:
    answer = speak(harness, {"input": "Hello.", "model": "tts-1", "backend": "openai"}, Authorization="Bearer none")

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "voice"
    assert answer.json()["error"]["code"] == "missing_required_parameter"


def test_librechat_joins_its_pieces_into_one_mp3(harness: Harness) -> None:
    pieces = [" ".join([word] * 12) + "." for word in ("first", "second", "third")]
    body = {"model": "tts-1", "voice": "alloy", "backend": "openai"}

    answers = [speak(harness, {"input": piece} | body, Authorization="Bearer none").content for piece in pieces]
    joined = decode(b"".join(answers), "mp3")

    assert len(joined) / 24_000 == pytest.approx(sum(map(len, pieces)) * 0.06, abs=0.3)


@pytest.mark.parametrize("format_name", FORMATS)
def test_livekit_reads_events_by_their_content_type(harness: Harness, format_name: str) -> None:
    body = {"input": "Hello from the room.", "model": "gpt-4o-mini-tts", "voice": "ash", "response_format": format_name}

    answer = speak(harness, body | {"speed": 1.0, "stream_format": "sse"}, Accept="application/octet-stream")
    lines = [line for line in answer.text.split("\n") if line]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    audio = b"".join(base64.b64decode(event["audio"]) for event in events[:-1])

    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert all(line.startswith("data: ") for line in lines)
    assert events[-1]["type"] == "speech.audio.done"
    assert same_file(audio, speak(harness, body).content)


def test_pipecat_reads_pcm_in_pieces(harness: Harness) -> None:
    body: dict[str, Any] = {
        "model": "gpt-4o-mini-tts",
        "input": "Hello from the pipe.",
        "voice": "ballad",
        "response_format": "pcm",
    }

    with harness.openai().audio.speech.with_streaming_response.create(**body) as answer:
        pieces = list(answer.iter_bytes(24_000))

    assert answer.status_code == 200
    assert all(len(piece) == 24_000 for piece in pieces[:-1])
    assert len(pieces[-1]) % 2 == 0


@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", "Bearer sk-whatever", "Basic eDp5"])
def test_with_no_keys_set_any_authorization_will_do(harness: Harness, authorization: str) -> None:
    body = json.dumps({"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": "mp3", "speed": 1})
    headers = {"Content-Type": "application/json", "Authorization": authorization}

    with closing(HTTPConnection(harness.url.removeprefix("http://"))) as connection:
        connection.request("POST", SPEECH, body, headers)
        status = connection.getresponse().status

    assert status == 200


def test_keys_that_nobody_knows_are_ignored(harness: Harness) -> None:
    body = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}

    answer = speak(harness, body | {"backend": "openai", "stream": True, "user": "u-1", "extra": {"deep": [1]}})

    assert answer.status_code == 200
    assert answer.content == speak(harness, body).content


def test_null_means_not_given(harness: Harness) -> None:
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

    answer = speak(harness, body | dict.fromkeys(optional))

    assert answer.status_code == 200
    assert answer.content == speak(harness, body).content


@pytest.mark.parametrize("accept", ["application/octet-stream", "application/json", "text/html", "audio/nothing", "*/*"])
def test_no_accept_header_is_refused(harness: Harness, accept: str) -> None:
    answer = speak(harness, {"model": "tts-1", "input": "Hello.", "voice": "alloy"}, Accept=accept)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/mpeg"


def test_a_charset_in_the_content_type_is_fine(harness: Harness) -> None:
    body = {"model": "tts-1", "input": "Grüße aus Köln, 東京, Ἀθῆναι.", "voice": "alloy"}

    answer = speak(harness, body, **{"Content-Type": "application/json; charset=utf-8"})

    assert answer.status_code == 200


@pytest.mark.parametrize("text", [" ", "   \n\t ", "…", "—", "\u200b", "\0", "\u202e"])
@pytest.mark.parametrize("format_name", ["mp3", "pcm"])
def test_text_with_nothing_to_say_is_a_short_silence(harness: Harness, text: str, format_name: str) -> None:
    answer = speak(harness, {"model": "tts-1", "input": text, "voice": "alloy", "response_format": format_name})

    samples = decode(answer.content, format_name)

    assert answer.status_code == 200
    assert 0 < len(samples) < 24_000
    assert sounding_seconds(samples) == 0


@pytest.mark.parametrize("text", ["🙂", "👩‍👩‍👧‍👦🏳️‍🌈", "™", "♥♥♥"])
def test_text_of_symbols_alone_is_no_error(harness: Harness, text: str) -> None:
    answer = speak(harness, {"model": "tts-1", "input": text, "voice": "alloy"})

    assert answer.status_code == 200
    assert 0 < len(decode(answer.content, "mp3")) < 24_000


@pytest.mark.parametrize(
    "voice", ["alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar", "af_heart am_puck bf_emma jf_alpha"]
)
def test_every_voice_speaks(harness: Harness, voice: str) -> None:
    for name in voice.split():
        assert speak(harness, {"model": "tts-1", "input": "Yes.", "voice": name}).status_code == 200


def test_a_voice_may_be_an_object(harness: Harness) -> None:
    body = {"model": "tts-1", "input": "Hello.", "voice": "nova", "response_format": "pcm"}

    assert speak(harness, body | {"voice": {"id": "nova"}}).content == speak(harness, body).content
    assert speak(harness, body | {"voice": "af_nova"}).content == speak(harness, body).content


def test_the_longest_text_of_openai_is_spoken_whole(harness: Harness) -> None:
    text = ("abcdefgh. " * 410)[:4096]

    answer = speak(harness, {"model": "tts-1", "input": text, "voice": "alloy", "speed": 4, "response_format": "pcm"})

    assert answer.status_code == 200
    assert len(answer.content) / 48_000 == pytest.approx(4096 * 0.06 / 4, rel=0.02)


def test_livekit_warms_the_connection(harness: Harness) -> None:
    with harness.http() as http:
        warm = http.get("/v1/")
        answer = http.post(SPEECH, json={"model": "tts-1", "input": "Hello.", "voice": "ash", "stream_format": "sse"})

    assert warm.status_code == 404
    assert set(warm.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.headers["content-type"] == "audio/mpeg"


@pytest.mark.parametrize("deployment", ["tts-1", "tts", "gpt-4o-mini-tts"])
def test_the_client_of_azure_is_served_at_its_address(harness: Harness, locked_url: str, deployment: str) -> None:
    options: dict[str, Any] = {"azure_endpoint": locked_url, "api_version": "2025-03-01-preview", "max_retries": 0}
    said: dict[str, Any] = {"input": "Hello, Azure.", "voice": "nova"}

    with AzureOpenAI(api_key="sk-koe-accepted", **options) as azure:
        audio = azure.audio.speech.create(model=deployment, **said).read()
    with AzureOpenAI(api_key="sk-wrong", **options) as stranger, pytest.raises(AuthenticationError):
        stranger.audio.speech.create(model=deployment, **said)

    assert audio == speak(harness, said | {"model": "tts-1"}).content


def test_the_deployment_names_the_model_where_the_body_does_not(harness: Harness) -> None:
    body = {"input": "Hello, Azure.", "voice": "nova"}
    with harness.http() as http:
        spoken = http.post("/openai/deployments/tts-1/audio/speech", params={"api-version": "1"}, json=body)
        unknown = http.post("/openai/deployments/mine/audio/speech", json=body)
        named = http.post("/openai/deployments/mine/audio/speech", json=body | {"model": "tts-1"})

    assert (spoken.status_code, named.status_code, unknown.status_code) == (200, 200, 404)
    assert "`mine`" in unknown.json()["error"]["message"]


def test_the_header_of_azure_opens_no_other_address(locked_url: str) -> None:
    body = {"model": "tts-1", "input": "Hello.", "voice": "nova"}

    answer = httpx.post(f"{locked_url}{SPEECH}", json=body, headers={"api-key": "sk-koe-accepted"})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("name", "text"),
    [("utf-16", "Well done. 🙂"), ("utf-8-sig", "Well done."), ("utf-8", "Well done \\ud83d"), ("utf-32", "Well done.")],
)
def test_a_body_in_any_unicode_is_spoken(harness: Harness, name: str, text: str) -> None:
    body = f'{{"model": "tts-1", "input": "{text}", "voice": "nova"}}'.encode(name)
    with harness.http(headers={"Content-Type": "application/json"}) as http:
        answer = http.post(SPEECH, content=body)

    assert answer.status_code == 200
    assert sounding_seconds(decode(answer.content, "mp3")) > 0.3


@pytest.mark.parametrize("path", ["/v1/readyz", "/v1/test", "/health"])
def test_the_path_that_the_wyoming_bridge_probes_stays_unknown(harness: Harness, path: str) -> None:
    with harness.http() as http:
        assert http.get(path).status_code == 404


def test_open_webui_lists_voices_and_models_without_a_key(harness: Harness) -> None:
    with harness.http() as http:
        voices = http.get("/v1/audio/voices").json()["voices"]
        models = http.get("/v1/audio/models").json()["models"]

    assert {"alloy", "cedar", "af_heart"} <= {voice["id"] for voice in voices}
    assert all(voice["name"] for voice in voices)
    assert {"tts-1", "gpt-4o-mini-tts"} <= {model["id"] for model in models}


def test_the_official_client_lists_models(harness: Harness) -> None:
    client = harness.openai()

    listed = {model.id for model in client.models.list()}

    assert {"tts-1", "tts-1-hd", "gpt-4o-mini-tts"} <= listed
    assert client.models.retrieve("tts-1").object == "model"
