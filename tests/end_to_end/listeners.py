"""Clients for tests that watch a response while it is being spoken."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from app.core.speech.voices import load_catalogue
from app.core.storage import keys
from tests.audio import decode, pitch_hz
from tests.harness import Harness, wait_until
from workers.engines.tone import frequency_hz

SPEECH = "/v1/audio/speech"


def asked(text: str, format_name: str = "pcm", voice: str = "af_heart", **more: Any) -> dict[str, Any]:
    """Returns the body of a request."""
    return {"model": "tts-1", "input": text, "voice": voice, "response_format": format_name} | more


def post(harness: Harness, body: dict[str, Any]) -> httpx.Response:
    """Returns the whole response."""
    with harness.http() as http:
        return http.post(SPEECH, json=body)


class Listener:
    """A client that has received the first chunk."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._chunks = answer.iter_raw()
        self.heard = next(self._chunks)

    def hear_all(self) -> bytes:
        """Reads the response to its end and returns the whole audio. Raises httpx.RemoteProtocolError if it is broken off."""
        for chunk in self._chunks:
            self.heard += chunk
        return self.heard


@contextmanager
def listening(harness: Harness, body: dict[str, Any]) -> Iterator[Listener]:
    """Yields a client that has received the first chunk. It disconnects at the end of the block."""
    with harness.http() as http, http.stream("POST", SPEECH, json=body) as answer:
        assert answer.status_code == 200, answer.read()
        listener = Listener(answer)  # a name: the answer is closed as soon as nobody holds the listener
        yield listener


def n_readers(harness: Harness) -> int:
    """Returns the number of readers of all utterances together, as the registry counts them."""
    with harness.redis() as redis:
        records = [redis.hgetall(key) for key in redis.keys(keys.utterance("*"))]
    return sum(int(n) for record in records for name, n in record.items() if name.startswith(b"readers:"))


def wait_forgotten(harness: Harness) -> None:
    """Returns when no utterance is queued or being spoken."""

    def states() -> set[bytes]:
        with harness.redis() as redis:
            return {redis.hget(key, "state") for key in redis.keys(keys.utterance("*"))}

    wait_until(lambda: states() <= {b"finished", None})


def speaks_as(audio: bytes, format_name: str, voice: str) -> bool:
    """Whether the tone engine spoke this audio with this voice."""
    blend, _ = load_catalogue().parse(voice)
    samples = decode(audio, format_name)[2400:16_800]
    return abs(pitch_hz(samples) - frequency_hz(blend)) < 2.5
