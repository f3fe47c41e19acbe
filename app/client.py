"""A running server, as any client asks it: what `koe say`, `koe phonemize`, `koe voices` and `koe jobs` stand on."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from app.core.formats import FORMATS

_PLAYERS: Final = (
    ["ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "-f", "wav", "-i", "-"],
    ["play", "-q", "-t", "wav", "-"],
    ["aplay", "-q", "-"],
    ["paplay"],
)
"""Programs that play a WAV stream from standard input, the most willing first."""


_PASSING: Final = {429, 502, 503, 504}
"""Statuses of what may work later."""


class ServerError(Exception):
    """The server answered with an error, or did not answer; the message is for the user."""


class Away(ServerError):
    """The server did not answer, broke off, or said that it cannot now: the same may work later. `status`: of its answer, if
    there was one.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Seconds(msgspec.Struct, frozen=True):
    """How long a request took."""

    first: float
    """Until the first audio."""
    total: float


class Server:
    """A running server, by its address."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url.rstrip("/").removesuffix("/v1")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """The answer to a request: its JSON, or None where it has no body. `options` are httpx'. Raises ServerError."""
        with self._understood(), self._connect() as http:
            answer = http.request(method, path, **options)
            _check(answer)
            return answer.json() if answer.content else None

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """The answer to a request, its body still to be read. `options` are httpx'. Raises ServerError, also when the body
        breaks off.
        """
        with self._understood(), self._connect() as http, http.stream(method, path, **options) as answer:
            if answer.is_error:
                answer.read()
                _check(answer)
            yield answer

    def voices(self) -> list[dict[str, Any]]:
        """All voices. Raises ServerError."""
        voices: list[dict[str, Any]] = self.ask("GET", "/v1/audio/voices")["voices"]
        return voices

    def phonemes(self, asked: dict[str, Any]) -> list[str]:
        """The phonemes of a text, segment by segment. Raises ServerError."""
        return [segment["phonemes"] for segment in self.ask("POST", "/v1/audio/phonemize", json=asked)["segments"]]

    @contextmanager
    def speech(self, asked: dict[str, Any]) -> Iterator[Iterator[bytes]]:
        """The chunks of an answer, as they come. Raises ServerError, also when the stream breaks off."""
        with self.stream("POST", "/v1/audio/speech", json=asked) as answer:
            yield answer.iter_raw()

    def _connect(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, headers=self._headers, timeout=httpx.Timeout(10.0, read=120.0))

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except httpx.ConnectError as error:
            raise Away(f"No server answers at {self._url}. `koe serve` starts one; --url names another.") from error
        except httpx.RemoteProtocolError as error:
            raise Away("The server broke off before the end. Its log says why.") from error
        except (httpx.TimeoutException, httpx.NetworkError) as error:
            raise Away(f"{self._url} does not answer ({type(error).__name__}).") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(f"{self._url} could not be asked: {error}.") from error


def format_of(path: Path) -> str:
    """The format that a file's ending names. Raises ServerError for an ending that names none."""
    name = path.suffix.removeprefix(".").lower()
    if name not in FORMATS:
        raise ServerError(f"{path.name}: the ending names no format. Use one of {', '.join(FORMATS)}, or give --format.")
    return name


def save(server: Server, asked: dict[str, Any], path: Path) -> Seconds:
    """Writes the audio to `path`, whole or not at all. Raises ServerError, also when the file cannot be written."""
    part = path.with_name(f".{path.name}.part")
    started = time.monotonic()
    first = 0.0
    try:
        with server.speech(asked) as chunks, part.open("wb") as file:
            for chunk in chunks:
                first = first or time.monotonic() - started
                file.write(chunk)
        part.replace(path)
    except OSError as error:
        raise ServerError(f"{path} cannot be written ({error.strerror}).") from error
    finally:
        part.unlink(missing_ok=True)
    return Seconds(first, time.monotonic() - started)


def play(server: Server, asked: dict[str, Any]) -> None:
    """Plays the audio while it comes. Raises ServerError when nothing here can play."""
    command = next((command for command in _PLAYERS if shutil.which(command[0])), None)
    if command is None:
        raise ServerError("Nothing here plays audio (ffplay, sox, aplay, paplay): write a file with -o speech.mp3.")
    with server.speech(asked | {"response_format": "wav"}) as chunks:
        player = subprocess.Popen(command, stdin=subprocess.PIPE)
        with player:
            assert player.stdin is not None
            for chunk in chunks:
                player.stdin.write(chunk)


def _check(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    try:
        message = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = answer.text[:200]
    text = f"{answer.status_code}: {message}"
    raise Away(text, status=answer.status_code) if answer.status_code in _PASSING else ServerError(text)
