"""The speaker: a real `koe serve` with its own queue and worker, used over HTTP as by a client.

Why its data folder is new, with a link to the user's Kokoro files: the server finds the files in the usual way, and no response
comes from a cache.
"""

import base64
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import numpy as np

from app.core.settings import read_settings
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.word_times import TimedWord
from tests.ears.listener import Samples
from tests.end_to_end.processes import Served, is_alive, running

ENGINE: Final = "kokoro"
_READY_SECONDS: Final = 600
"""An idle machine needs 15. On a busy one the worker, with its low priority, needs minutes."""
_BUSY: Final = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
"""On a busy machine the worker's heartbeat may be late."""
_N_TRIES: Final = 10
_RETRY_SECONDS: Final = 3.0
_NOT_OURS: Final = ("KOE_API_KEYS", "KOE_API_KEYS_FILE", "KOE_RATE_LIMIT", "KOE_MAX_CONCURRENT", "KOE_REDIS_URL", "KOE_STORE")
"""Settings of the environment that are ignored: they would refuse the ears, or use resources of another server."""


class NoVoice(Exception):
    """Kokoro's files are not available. The message says why."""


class NoServer(Exception):
    """`koe serve` did not become ready, which is a bug in Koe. The message says how it ended."""


class Request(msgspec.Struct, frozen=True):
    """One request."""

    text: str
    voice: str
    language: str
    """BCP 47 tag of the text; the voice's own, except in tests with another."""
    speed: float = 1.0


class Answer(msgspec.Struct, frozen=True):
    """One response."""

    samples: Samples
    """(n,) float32 in [-1, 1], at 24 kHz."""
    words: tuple[TimedWord, ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE_HZ


class Speaker:
    """Client of the server at `url`. Thread-safe."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=600.0)

    def close(self) -> None:
        self._http.close()

    def say(self, request: Request) -> Answer:
        """Returns the whole response with its word times. Raises httpx.HTTPStatusError for a refusal."""
        events = read_events(self._post(request).text)
        audio = b"".join(base64.b64decode(event["audio"]) for event in events if event["type"] == "speech.audio.delta")
        words = [word for event in events if event["type"] == "speech.audio.words" for word in event["words"]]
        return Answer(from_pcm(audio), tuple(msgspec.convert(words, list[TimedWord])))

    def engine(self) -> str:
        """Name of the engine that speaks."""
        body = {"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": "pcm"}
        name: str = self._http.post("/v1/audio/speech", json=body).headers.get("x-koe-engine", "none")
        return name

    def _post(self, request: Request) -> httpx.Response:
        body = {
            **{"model": ENGINE, "input": request.text, "voice": request.voice, "language": request.language},
            **{"speed": request.speed, "response_format": "pcm", "stream_format": "sse", "timestamps": ["word"]},
        }
        for _ in range(_N_TRIES - 1):
            answer = self._http.post("/v1/audio/speech", json=body)
            if answer.status_code not in _BUSY:
                return answer.raise_for_status()
            time.sleep(_RETRY_SECONDS)
        return self._http.post("/v1/audio/speech", json=body).raise_for_status()


@contextmanager
def speaking() -> Iterator[Speaker]:
    """Yields a client of a new server. Raises NoVoice if its engine is not Kokoro, and NoServer."""
    with tempfile.TemporaryDirectory(prefix="koe-ears-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / ENGINE).symlink_to(read_settings(os.environ).fetched_model.absolute())
        with running(Served(data, **_settings())) as process:
            assert isinstance(process, Served)
            _wait_ready(process)
            yield from _client(process.url)


def _wait_ready(process: Served) -> None:
    """Asks twice a second: on a busy machine, more requests would delay the start. Raises NoServer."""
    for _ in range(2 * _READY_SECONDS):
        if process.ready().get("workers"):
            return
        if not is_alive(process.pid):
            raise NoServer(f"koe serve ended before it was ready. {process.said[-500:]}")
        time.sleep(0.5)
    raise NoServer(f"koe serve was not ready within {_READY_SECONDS} seconds.")


def _client(url: str) -> Iterator[Speaker]:
    speaker = Speaker(url)
    try:
        if speaker.engine() != ENGINE:
            raise NoVoice("Kokoro's files are not here, and `koe fetch` did not bring them.")
        yield speaker
    finally:
        speaker.close()


def _settings() -> dict[str, str]:
    """Returns the settings of the environment for the server. An empty value counts as unset."""
    return {name: "" for name in _NOT_OURS if name in os.environ} | {
        **{"KOE_ENGINE": os.environ.get("KOE_ENGINE", "auto"), "KOE_SLOTS": "0"},
        **{"KOE_MAX_WAIT": "600", "KOE_WORKER_TIMEOUT": "60"},
    }


def read_events(text: str) -> list[dict[str, Any]]:
    """Returns the JSON of each server-sent event without comments, which the server sends as keep-alive."""
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]


def from_pcm(data: bytes) -> Samples:
    """Converts s16le to float32 in [-1, 1]."""
    return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
