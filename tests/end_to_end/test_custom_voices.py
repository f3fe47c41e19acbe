"""Voices of users over real HTTP: they are made, spoken with everywhere, and deleted with their audio, by their key alone."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openai
import pytest
from click.testing import CliRunner

from app.cli.commands import koe
from app.core.custom_voices.custom_voices import MAX_VOICES
from app.core.request_limits import RECORDING_BYTES
from app.core.speech.voices import BlendPart, load_catalogue
from tests.audio import pitch_hz
from tests.end_to_end.listeners import SPEECH, asked
from tests.end_to_end.live.clients import audio_of, connected
from tests.end_to_end.processes import API, WORKER, Process, events, running, serving
from tests.harness import Harness, free_port, open_harness, wait_until
from workers.engines.tone import ToneEngine, frequency_hz

VOICES, CONSENTS, JOBS = "/v1/audio/voices", "/v1/audio/voice_consents", "/v1/audio/speech/jobs"
ALICE, BOB = ({"Authorization": f"Bearer sk-{name}"} for name in ("alice", "bob"))
PACK = np.random.default_rng(1).standard_normal((510, 1, 256)).astype("<f4").tobytes()
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(100)
BLEND = "af_heart(2)+bf_emma(1)"


@pytest.fixture(scope="module")
def two(short_folder: Path) -> Iterator[Harness]:
    """Yields a harness with two keys, which share the cache. Segments are cached for other texts."""
    environ = {"KOE_API_KEYS": "sk-alice,sk-bob", "KOE_SEGMENT_BYTES": "64MiB"}
    engines = {name: ToneEngine() for name in ("kokoro", "espeak")}
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), engines, **environ) as harness:
        yield harness


@pytest.fixture
def http(two: Harness) -> Iterator[httpx.Client]:
    """Yields a client; afterwards both keys have no voices and no consents."""
    with two.http() as http:
        yield http
        for key in (ALICE, BOB):
            for voice in own_voices(http, key):
                assert http.delete(f"{VOICES}/{voice['id']}", headers=key).status_code == 200
            for consent in http.get(CONSENTS, params={"limit": 100}, headers=key).json()["data"]:
                assert http.delete(f"{CONSENTS}/{consent['id']}", headers=key).status_code == 200


def own_voices(http: httpx.Client, key: dict[str, str]) -> list[dict[str, Any]]:
    voices = http.get(VOICES, headers=key).json()["voices"]
    return [voice for voice in voices if voice["id"].startswith("voice_")]


def post_pack(
    http: httpx.Client, key: dict[str, str] | None = None, *, data: bytes = PACK, file: str = "pack.bin", **fields: str
) -> httpx.Response:
    files = {"audio_sample": (file, data)}
    return http.post(VOICES, data={"name": "Mine", **fields}, files=files, headers=ALICE if key is None else key)


def make_pack(http: httpx.Client, key: dict[str, str] | None = None, *, data: bytes = PACK, **fields: str) -> str:
    answer = post_pack(http, key, data=data, file="pack", **fields)
    assert answer.status_code == 200, answer.text
    voice_id: str = answer.json()["id"]
    return voice_id


def make_blend(http: httpx.Client, key: dict[str, str] | None = None, blend: str = BLEND) -> str:
    answer = http.post(VOICES, json={"name": "Ours", "blend": blend}, headers=ALICE if key is None else key)
    assert answer.status_code == 200, answer.text
    voice_id: str = answer.json()["id"]
    return voice_id


def fault(answer: httpx.Response, status: int) -> tuple[str | None, str | None]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["code"], error["param"]


def speak(http: httpx.Client, voice: Any, key: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    return http.post(SPEECH, json=asked("Hello there.", voice=voice, **more), headers=ALICE if key is None else key)


def hz_of(pcm: bytes) -> float:
    return pitch_hz((np.frombuffer(pcm, "<i2") / 32768).astype(np.float32))


def hz(voice_id: str) -> Any:
    """The pitch at which the tone engine speaks a voice pack."""
    return pytest.approx(frequency_hz((BlendPart(voice_id, 1.0),)), rel=0.01)


# Voices


def test_a_pack_is_made_listed_for_its_key_spoken_with_and_deleted(http: httpx.Client) -> None:
    answer = post_pack(http, type="audio_sample", language="fr")
    voice = answer.json()
    assert answer.status_code == 200
    assert voice == {
        "id": voice["id"],
        "object": "audio.voice",
        "created_at": voice["created_at"],
        "name": "Mine",
        "type": "audio_sample",
    }
    assert own_voices(http, ALICE) == [
        {
            "id": voice["id"],
            "name": "Mine",
            "language": "fr-FR",
            "gender": "",
            "grade": "",
            "engine": "kokoro",
            "aliases": [],
        }
    ]
    assert own_voices(http, BOB) == own_voices(http, {}) == own_voices(http, {"Authorization": "Bearer sk-wrong"}) == []
    for named in (voice["id"], {"id": voice["id"]}):
        answer = speak(http, named)
        assert answer.status_code == 200
        assert hz_of(answer.content) == hz(voice["id"])

    deleted = http.delete(f"{VOICES}/{voice['id']}", headers=ALICE)

    assert (deleted.status_code, deleted.json()) == (
        200,
        {"id": voice["id"], "object": "audio.voice.deleted", "deleted": True},
    )
    assert own_voices(http, ALICE) == []
    assert fault(http.delete(f"{VOICES}/{voice['id']}", headers=ALICE), 404) == ("voice_not_found", None)
    answer = speak(http, voice["id"])
    assert fault(answer, 400) == ("invalid_value", "voice")
    assert "it was deleted, or it belongs to another key" in answer.json()["error"]["message"]


def test_a_blend_is_spoken_as_the_blend_itself(http: httpx.Client) -> None:
    made = http.post(VOICES, json={"name": "Ours", "blend": BLEND}, headers=ALICE).json()
    assert (made["type"], made["prompt"]) == ("prompt", BLEND)
    (listed,) = own_voices(http, ALICE)
    assert (listed["language"], listed["aliases"]) == ("en-US", [BLEND])

    of_blend, of_voice = speak(http, BLEND), speak(http, made["id"])

    assert of_voice.headers["x-koe-cache"] == "hit"
    assert of_voice.content == of_blend.content
    assert hz_of(of_voice.content) == pytest.approx(frequency_hz(load_catalogue().parse(BLEND)[0]), rel=0.01)
    assert http.delete(f"{VOICES}/{made['id']}", headers=ALICE).status_code == 200
    assert fault(speak(http, made["id"]), 400) == ("invalid_value", "voice")


def test_another_key_gets_404_and_cannot_speak_with_the_voice(http: httpx.Client) -> None:
    pack, blend = make_pack(http), make_blend(http)
    for voice_id in (pack, blend):
        assert speak(http, voice_id).status_code == 200
        assert fault(speak(http, voice_id, BOB), 400) == ("invalid_value", "voice")
        assert fault(http.delete(f"{VOICES}/{voice_id}", headers=BOB), 404) == ("voice_not_found", None)
        assert speak(http, voice_id).headers["x-koe-cache"] == "hit"


def test_the_cached_audio_of_a_deleted_pack_is_gone(two: Harness, http: httpx.Client) -> None:
    mine, other = make_pack(http), make_pack(http)
    for voice_id in (mine, other):
        speak(http, voice_id)
    with two.redis() as redis:

        def stored(voice_id: str) -> list[bytes]:
            """Names of cached segments of a voice, and of its finished audio."""
            records = [key for key in redis.keys("koe:utterance:*") if redis.hget(key, "voices") == voice_id.encode()]
            return [*redis.keys(f"koe:segment:*{voice_id}*"), *records]

        assert [len(stored(voice_id)) for voice_id in (mine, other)] == [2, 2]
        assert http.delete(f"{VOICES}/{mine}", headers=ALICE).status_code == 200
        assert [len(stored(voice_id)) for voice_id in (mine, other)] == [0, 2]
        assert not redis.exists(f"koe:voice:{mine}")


def test_a_voice_works_wherever_a_voice_is_named(two: Harness, http: httpx.Client, tmp_path: Path) -> None:
    voice_id = make_pack(http)
    part = speak(http, f"{voice_id}+af_heart")
    catalogue_part = (BlendPart("af_heart", 0.5), BlendPart(voice_id, 0.5))
    assert hz_of(part.content) == pytest.approx(frequency_hz(catalogue_part), rel=0.01)
    for text in (f"[{voice_id}] Hello there.", f'<speak><voice name="{voice_id}">Hello there.</voice></speak>'):
        answer = http.post(SPEECH, json=asked(text), headers=ALICE)
        assert hz_of(answer.content) == hz(voice_id)
    shown = http.post("/v1/audio/phonemize", json={"input": "Hello.", "voice": voice_id}, headers=ALICE)
    assert shown.json()["segments"][0]["phonemes"] == "Hello."
    assert speak(http, voice_id, model="kokoro").status_code == 200
    file = tmp_path / "said.pcm"
    words = ["say", "Hello there.", "--voice", voice_id, "--url", two.url, "--key", "sk-alice", "-o", str(file)]
    done = CliRunner().invoke(koe, words)
    assert done.exit_code == 0, done.output
    assert hz_of(file.read_bytes()) == hz(voice_id)


def test_a_job_speaks_with_a_voice_and_fails_when_it_is_deleted(two: Harness, http: httpx.Client) -> None:
    voice_id = make_pack(http)
    body = {"model": "tts-1", "voice": {"id": voice_id}, "input": "A job.", "response_format": "pcm"}
    path = http.post(JOBS, json=body, headers=ALICE).headers["location"]
    wait_until(lambda: http.get(path, headers=ALICE).json()["status"] == "completed")
    assert hz_of(http.get(f"{path}/content", headers=ALICE).content) == hz(voice_id)
    assert fault(http.post(JOBS, json=body, headers=BOB), 400) == ("invalid_value", "voice")
    assert two.pool is not None
    with two.redis() as redis:
        redis.delete(f"koe:voice:{voice_id}")  # As a deletion after the job was accepted and before a worker takes it.
    path = http.post(JOBS, json=body, headers=ALICE).headers["location"]
    wait_until(lambda: http.get(path, headers=ALICE).json()["status"] == "failed")
    error = http.get(path, headers=ALICE).json()["error"]
    assert error["code"] == "invalid_value"
    assert "it was deleted" in error["message"]


def test_a_key_has_at_most_twenty_voices(http: httpx.Client) -> None:
    for _ in range(MAX_VOICES):
        make_blend(http)
    assert fault(post_pack(http), 400) == ("voices_full", None)
    make_blend(http, BOB)


# What is refused


@pytest.mark.parametrize(
    ("fields", "fault_of"),
    [
        ({}, ("missing_required_parameter", "name")),
        ({"name": " "}, ("empty_string", "name")),
        ({"name": "two\nlines"}, ("invalid_value", "name")),
        ({"name": "n" * 201}, ("string_above_max_length", "name")),
        ({"name": 5}, ("invalid_type", "name")),
        ({"name": "Mine"}, ("missing_required_parameter", "audio_sample")),
        ({"name": "Mine", "type": "prompt"}, ("missing_required_parameter", "prompt")),
        ({"name": "Mine", "type": "clone"}, ("unsupported_value", "type")),
        ({"name": "Mine", "type": "prompt", "prompt": "a warm and deep voice"}, ("not_supported", "prompt")),
        ({"name": "Mine", "type": "prompt", "prompt": "x" * 2000}, ("not_supported", "prompt")),
        ({"name": "Mine", "blend": "af_heart+nobody"}, ("invalid_value", "blend")),
        ({"name": "Mine", "blend": BLEND, "consent": "cons_1234"}, ("voice_consent_not_found", "consent")),
        ({"name": "Mine", "blend": BLEND, "language": "de"}, ("invalid_value", "language")),
    ],
)
def test_an_invalid_field_is_reported(http: httpx.Client, fields: dict[str, Any], fault_of: tuple[str, str]) -> None:
    status = 404 if fault_of[1] == "consent" else 400
    assert fault(http.post(VOICES, json=fields, headers=ALICE), status) == fault_of
    assert own_voices(http, ALICE) == []


def test_what_kokoro_cannot_do_is_said_with_what_it_can(http: httpx.Client) -> None:
    answer = post_pack(http, data=WAV, file="me.wav", consent="")
    assert fault(answer, 400) == ("not_supported", "audio_sample")
    assert "Send a Kokoro voice pack instead" in answer.json()["error"]["message"]
    answer = http.post(VOICES, json={"name": "Mine", "type": "prompt", "prompt": "a deep voice"}, headers=ALICE)
    assert "'af_heart(2)+bf_emma', works" in answer.json()["error"]["message"]


def test_a_file_that_is_no_pack_is_refused(http: httpx.Client) -> None:
    assert fault(post_pack(http, data=b"nothing"), 400) == ("invalid_value", "audio_sample")
    assert fault(post_pack(http, blend=BLEND), 400) == ("invalid_value", "blend")
    assert fault(post_pack(http, type="prompt", prompt=BLEND), 400) == ("invalid_value", "prompt")
    assert fault(post_pack(http, type="prompt"), 400) == ("missing_required_parameter", "prompt")
    both = [("audio_sample", ("a.bin", PACK)), ("audio_sample", ("b.bin", PACK))]
    assert fault(http.post(VOICES, data={"name": "Mine"}, files=both, headers=ALICE), 400) == ("invalid_value", "audio_sample")
    assert fault(http.post(VOICES, files={"name": (None, "Mine"), "audio_sample": (None, "text")}, headers=ALICE), 400) == (
        "invalid_type",
        "audio_sample",
    )
    assert fault(post_pack(http, data=bytes(RECORDING_BYTES + 100_000)), 413) == ("request_too_large", None)
    assert fault(http.post(VOICES, content=b"x", headers=ALICE | {"Content-Type": "text/plain"}), 400) == (
        "unsupported_content_type",
        None,
    )


def test_a_blend_cannot_name_voices_of_users(http: httpx.Client) -> None:
    answer = http.post(VOICES, json={"name": "Mine", "blend": f"{make_pack(http)}+af_heart"}, headers=ALICE)
    assert fault(answer, 400) == ("invalid_value", "blend")


def test_a_key_is_needed(http: httpx.Client) -> None:
    places = [("POST", VOICES), ("DELETE", f"{VOICES}/voice_1"), ("POST", CONSENTS), ("GET", CONSENTS)]
    places += [(method, f"{CONSENTS}/cons_1") for method in ("GET", "POST", "DELETE")]
    assert {http.request(*place).status_code for place in places} == {401}


# Consents


def post_consent(http: httpx.Client, key: dict[str, str] | None = None, data: bytes = WAV, **fields: str) -> httpx.Response:
    sent = {"name": "Alice", "language": "en-us", **fields}
    return http.post(CONSENTS, data=sent, files={"recording": ("me.wav", data)}, headers=ALICE if key is None else key)


def test_a_consent_is_made_shown_renamed_and_deleted(http: httpx.Client) -> None:
    consent = post_consent(http).json()
    assert consent == {
        "id": consent["id"],
        "object": "audio.voice_consent",
        "created_at": consent["created_at"],
        "name": "Alice",
        "language": "en-US",
    }
    path = f"{CONSENTS}/{consent['id']}"
    assert http.get(path, headers=ALICE).json() == consent
    assert http.post(path, json={"name": "A."}, headers=ALICE).json() == consent | {"name": "A."}
    for method in ("GET", "POST", "DELETE"):
        answer = http.request(method, path, headers=BOB, json={"name": "B."} if method == "POST" else None)
        assert fault(answer, 404) == ("voice_consent_not_found", None)
    deleted = {"id": consent["id"], "object": "audio.voice_consent", "deleted": True}
    assert http.delete(path, headers=ALICE).json() == deleted
    assert fault(http.delete(path, headers=ALICE), 404) == ("voice_consent_not_found", None)


def test_the_language_of_a_consent_is_that_of_its_voice_and_the_voice_stays_without_it(http: httpx.Client) -> None:
    consent = post_consent(http, language="ja-JP").json()
    voice_id = make_pack(http, consent=consent["id"])
    assert own_voices(http, ALICE)[0]["language"] == "ja"
    assert http.delete(f"{CONSENTS}/{consent['id']}", headers=ALICE).status_code == 200
    assert speak(http, voice_id).status_code == 200


def test_consents_come_in_pages(http: httpx.Client) -> None:
    newest = [post_consent(http, name=str(n)).json() for n in range(3)][::-1]
    page = http.get(CONSENTS, params={"limit": 2}, headers=ALICE).json()
    assert page == {
        "object": "list",
        "data": newest[:2],
        "first_id": newest[0]["id"],
        "last_id": newest[1]["id"],
        "has_more": True,
    }
    rest = http.get(CONSENTS, params={"limit": 2, "after": page["last_id"]}, headers=ALICE).json()
    assert (rest["data"], rest["has_more"]) == (newest[2:], False)
    for limit in ("0", "101", "many"):
        assert fault(http.get(CONSENTS, params={"limit": limit}, headers=ALICE), 400) == ("invalid_value", "limit")
    assert fault(http.get(CONSENTS, params={"after": "cons_1"}, headers=ALICE), 400) == ("invalid_value", "after")


@pytest.mark.parametrize(
    ("fields", "fault_of"),
    [
        ({"name": ""}, ("empty_string", "name")),
        ({"language": "no language"}, ("invalid_value", "language")),
        ({"data": b"no recording"}, ("invalid_value", "recording")),
        ({"data": WAV + bytes(RECORDING_BYTES)}, ("invalid_value", "recording")),
    ],
)
def test_an_invalid_consent_is_refused(http: httpx.Client, fields: dict[str, Any], fault_of: tuple[str, str]) -> None:
    assert fault(post_consent(http, **fields), 400) == fault_of


def test_a_recording_is_needed(http: httpx.Client) -> None:
    answer = http.post(CONSENTS, files={"name": (None, "A"), "language": (None, "en")}, headers=ALICE)
    assert fault(answer, 400) == ("missing_required_parameter", "recording")


# The official client


def test_the_official_client_makes_uses_and_deletes_voices_and_consents(two: Harness, http: httpx.Client) -> None:
    audio = two.openai(api_key="sk-alice").audio
    consents = [audio.voice_consents.create(name=name, language="en-GB", recording=("me.wav", WAV)) for name in ("a", "b", "c")]
    assert [consent.id for consent in audio.voice_consents.list(limit=2)] == [consent.id for consent in consents[::-1]]
    assert audio.voice_consents.retrieve(consents[0].id) == consents[0]
    assert audio.voice_consents.update(consents[0].id, name="A").name == "A"
    sample: dict[str, Any] = {"name": "Mine", "audio_sample": ("pack.bin", PACK)}
    mine = audio.voices.create(**sample, consent=consents[0].id)
    assert (mine.object, mine.type, mine.name) == ("audio.voice", "audio_sample", "Mine")
    prompted: Any = audio.voices.create(type="prompt", name="Ours", prompt=BLEND)  # type: ignore[call-overload,unused-ignore]
    assert (prompted.type, prompted.prompt) == ("prompt", BLEND)
    blended = audio.voices.create(name="Ours", audio_sample=b"", consent="", extra_body={"blend": BLEND})
    for voice_id in (mine.id, prompted.id, blended.id):
        spoken = audio.speech.create(model="tts-1", voice={"id": voice_id}, input="Hello.", response_format="pcm")
        assert len(spoken.content) > 4000
        deleted: Any = audio.voices.delete(voice_id)  # type: ignore[attr-defined,unused-ignore]
        assert (deleted.id, deleted.deleted, deleted.object) == (voice_id, True, "audio.voice.deleted")
    with pytest.raises(openai.NotFoundError):
        audio.voices.delete(mine.id)  # type: ignore[attr-defined,unused-ignore]
    with pytest.raises(openai.BadRequestError, match="cannot make a voice from a recording"):
        audio.voices.create(name="Me", audio_sample=("me.wav", WAV), consent=consents[0].id)
    removed = audio.voice_consents.delete(consents[0].id)
    assert (removed.deleted, removed.object) == (True, "audio.voice_consent")


# WebSockets


def test_together_s_protocol_speaks_with_a_voice_that_is_named_in_the_url_or_later(two: Harness, http: httpx.Client) -> None:
    first = make_pack(http)
    done = "conversation.item.audio_output.done"
    path = f"/v1/audio/speech/websocket?model=kokoro&voice={first}"
    with connected(two.url, path, additional_headers=ALICE) as client:
        for voice_id in (first, make_pack(http)):
            client.send(type="tts_session.updated", session={"voice": voice_id})
            client.send(type="input_text_buffer.append", text="Hello there.")
            client.send(type="input_text_buffer.commit")
            assert hz_of(audio_of(client.until(done))) == hz(voice_id)
        assert http.delete(f"{VOICES}/{first}", headers=ALICE).status_code == 200
        client.send(type="tts_session.updated", session={"voice": first})
        (failed,) = client.until("conversation.item.tts.failed")
        assert "You have no voice with this id" in failed["error"]["message"]


def test_openai_s_protocol_speaks_with_a_voice_also_from_a_client_secret(two: Harness, http: httpx.Client) -> None:
    voice = {"id": make_pack(http)}
    preset = {"type": "realtime", "audio": {"output": {"voice": voice}}}
    secret = http.post("/v1/realtime/client_secrets", json={"session": preset}, headers=ALICE).json()["value"]
    for key in (ALICE, {"Authorization": f"Bearer {secret}"}):
        with connected(two.url, "/v1/realtime", additional_headers=key) as client:
            client.send(type="session.update", session=preset)
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello there."}]}
            client.send(type="response.create", response={"conversation": "none", "input": [item]})
            assert hz_of(audio_of(client.until("response.done"))) == hz(voice["id"])


# Several processes


@pytest.mark.timeout(600)  # Two workers load Kokoro at the lowest priority.
def test_all_workers_and_all_servers_read_a_pack_at_once(short_folder: Path, checkpoint: Path) -> None:
    data = Path(tempfile.mkdtemp(dir=short_folder))
    environ = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(checkpoint), "KOE_SLOTS": "1", "KOE_LOG_FORMAT": "json"}
    own_port = str(free_port())
    with (
        serving(data, **environ) as served,
        running(Process(WORKER, data / "worker.log", KOE_DATA=str(data), **environ)) as second,
        running(Process(API, data / "api.log", KOE_DATA=str(data), KOE_PORT=own_port, **environ)) as api,
    ):
        served.wait_ready(2)
        api.wait_said("api_listens")
        urls = served.url, f"http://127.0.0.1:{own_port}"
        sample = (checkpoint / "voices" / "af_heart.pt").read_bytes()
        with httpx.Client(base_url=urls[0], timeout=60) as http, httpx.Client(base_url=urls[1], timeout=60) as other:
            voice_id = make_pack(http, {}, data=sample)
            texts = (f"Number {n}." for n in itertools.count())

            def both_workers_have_spoken() -> bool:
                for server in (http, other):
                    text = next(texts)
                    spoken, hearts = (server.post(SPEECH, json=asked(text, voice=name)) for name in (voice_id, "af_heart"))
                    assert spoken.status_code == 200, spoken.text
                    assert spoken.headers["x-koe-engine"] == "kokoro"
                    assert len(spoken.content) == len(hearts.content)
                return all(events(process, "utterance_finished") for process in (served, second))

            wait_until(both_workers_have_spoken)
            assert other.delete(f"{VOICES}/{voice_id}").status_code == 200
            for server in (http, other):
                assert fault(server.post(SPEECH, json=asked("Number 0.", voice=voice_id)), 400) == ("invalid_value", "voice")
