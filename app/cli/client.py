"""An HTTP client of a running server, for `koe say`, `koe phonemize`, `koe voices`, `koe jobs` and `koe mcp`."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from app.cli.light_httpx import httpx
from app.core.host import remedies
from app.core.speech.formats import FORMATS, Format

_PLAYERS: Final = (
    ["ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "-f", "wav", "-i", "-"],
    ["play", "-q", "-t", "wav", "-"],
    ["aplay", "-q", "-"],
    ["paplay"],
)
"""Programs that play a WAV stream from standard input, in the order in which they are tried."""


_SPEECH: Final = "/v1/audio/speech"

_PASSING: Final = {429, 502, 503, 504}
"""Statuses after which a retry may succeed."""


class ServerError(Exception):
    """The server answered with an error, or did not answer; the message is for the user."""


class Away(ServerError):
    """The server did not answer, broke off, or is temporarily unavailable: a retry may succeed. `status`: the status of its
    answer, if it answered.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Seconds(msgspec.Struct, frozen=True):
    """Duration of a request."""

    first: float
    """Seconds until the first audio."""
    total: float


class Server:
    """A running server at a URL."""

    def __init__(self, url: str, key: str | None) -> None:
        url = url if "://" in url else f"http://{url}"
        self._url = url.rstrip("/").removesuffix("/v1")
        self._headers = _authorization(key) if key and key.strip() else {}

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Sends a request. Returns the JSON of the answer, or None when it has no body. `options` are passed to httpx. Raises
        ServerError.
        """
        with self._understood(), self._connect() as http:
            answer = http.request(method, path, **options)
            _check(answer)
            return _json_of(answer) if answer.content else None

    def ask_for(self, name: str, method: str, path: str, **options: Any) -> list[dict[str, Any]]:
        """Sends a request. Returns the list called `name` in the answer's JSON. Raises ServerError."""
        answer = self.ask(method, path, **options)
        found = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise ServerError(f"{self._url} is not a Koe server: its answer has no {name!r}.")
        return found

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """Sends a request. Yields the answer before its body is read. `options` are passed to httpx. Raises ServerError, also
        when the body breaks off.
        """
        with self._understood(), self._connect() as http, http.stream(method, path, **options) as answer:
            if not answer.is_success:
                answer.read()
                _check(answer)
            yield answer

    def voices(self) -> list[dict[str, Any]]:
        """Returns all voices. Raises ServerError."""
        return self.ask_for("voices", "GET", "/v1/audio/voices")

    def phonemes(self, asked: dict[str, Any]) -> list[str]:
        """Returns the phonemes of a text, segment by segment. Raises ServerError."""
        return [segment["phonemes"] for segment in self.ask_for("segments", "POST", "/v1/audio/phonemize", json=asked)]

    @contextmanager
    def speech(self, asked: dict[str, Any]) -> Iterator[Iterator[bytes]]:
        """Yields an iterator over the chunks, as they arrive. Raises ServerError, also when the stream breaks off."""
        with self.stream("POST", _SPEECH, json=asked) as answer:
            yield answer.iter_raw()

    @asynccontextmanager
    async def speech_async(self, asked: dict[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """As `speech`, for asyncio: a cancelled call closes the connection, and the server stops speaking."""
        with self._understood():
            async with httpx.AsyncClient(**self._options()) as http, http.stream("POST", _SPEECH, json=asked) as answer:
                if not answer.is_success:
                    await answer.aread()
                    _check(answer)
                yield answer.aiter_raw()

    def _connect(self) -> httpx.Client:
        return httpx.Client(**self._options())

    def _options(self) -> dict[str, Any]:
        return {"base_url": self._url, "headers": self._headers, "timeout": httpx.Timeout(10.0, read=120.0)}

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except UnicodeError as error:
            raise ServerError(f"{self._url} is not a valid URL.") from error
        except httpx.ConnectError as error:
            raise Away(f"No server answers at {self._url}. {remedies.koe('serve')} starts one; --url names another.") from error
        except httpx.RemoteProtocolError as error:
            raise Away("The server broke off before the end. Its log says why.") from error
        except (httpx.TimeoutException, httpx.NetworkError) as error:
            raise Away(f"{self._url} does not answer ({type(error).__name__}).") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(f"The request to {self._url} failed: {str(error).rstrip('.')}.") from error


def format_of(path: Path, formats: Mapping[str, Format] = FORMATS, *, remedy: str = "give --format") -> str:
    """Returns the one of `formats` for a file's extension. Raises ServerError for an unknown extension, with this remedy."""
    name = path.suffix.removeprefix(".").lower()
    if name not in formats:
        raise ServerError(f"{path}: no format has this extension. Use one of {', '.join(formats)}, or {remedy}.")
    return name


def check_writable(path: Path) -> None:
    """Raises ServerError when the file cannot be written, before a request is made for it."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ServerError(f"{path} cannot be written: the folder {folder} does not exist.")
    if not os.access(folder, os.W_OK):
        raise ServerError(f"{path} cannot be written: its folder is not writable.")


def save(server: Server, asked: dict[str, Any], path: Path) -> Seconds:
    """Writes the audio to `path`, completely or not at all. Returns how long it took. Raises ServerError, also when the file
    cannot be written.
    """
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
    """Plays the audio while it arrives. Raises ServerError when this machine has no player."""
    command = next((command for command in _PLAYERS if shutil.which(command[0])), None)
    if command is None:
        raise ServerError("This machine has no audio player (ffplay, sox, aplay, paplay): write a file with -o speech.mp3.")
    with server.speech(asked | {"response_format": "wav"}) as chunks:
        player = subprocess.Popen(command, stdin=subprocess.PIPE)
        try:
            _feed(player, chunks)
        finally:
            status = player.wait()
    if status:
        how = f"with status {status}" if status > 0 else f"by {signal.Signals(-status).name}"
        raise ServerError(f"{command[0]}, which played the audio, ended {how}. Write a file instead with -o speech.mp3.")


def _feed(player: "subprocess.Popen[bytes]", chunks: Iterator[bytes]) -> None:
    """Passes the audio to the player until one of them ends."""
    assert player.stdin is not None
    with suppress(BrokenPipeError), player.stdin:
        for chunk in chunks:
            player.stdin.write(chunk)


def _authorization(key: str) -> dict[str, str]:
    """Returns the Authorization header. Raises ServerError for a key that no header can contain; its message does not show the
    key.
    """
    if not (key.strip().isascii() and key.strip().isprintable()):
        raise ServerError("The API key has characters that no key can have: copy it again (--key or OPENAI_API_KEY).")
    return {"Authorization": f"Bearer {key.strip()}"}


def _json_of(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise ServerError(f"{answer.url.copy_with(path='/')} is not a Koe server: its answer is not JSON.") from None


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    try:
        message = answer.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = answer.text[:200]
    text = f"{answer.status_code}: {message}"
    raise Away(text, status=answer.status_code) if answer.status_code in _PASSING else ServerError(text)
