"""Cartesia's protocol: `GET /tts/websocket`. Several contexts are spoken at the same time, each with its own text.

Why a context that says `max_buffer_delay_ms: 0` is spoken at once: its client has cut the text into sentences itself. Some
cut after "Dr." too: then the rest of the sentence is waited for.
"""

import asyncio
import base64
import secrets
import time
from array import array
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from app.api.live.socket import LiveSocket
from app.api.live.speaker import Speaker, Turn
from app.api.requests.fields import unsupported
from app.api.responses.errors import fault_of, status_of
from app.core.errors import InvalidRequest, KoeError, MissingParameter, UnsupportedValue, WrongType
from app.core.speech.word_times import with_characters
from app.delivery.live.speech import Audio, Event, Mark, Words

_FORMATS: Final = {"pcm_s16le": "pcm", "pcm_f32le": "pcm", "pcm_mulaw": "ulaw", "pcm_alaw": "alaw"}
"""Cartesia's encodings → formats of Koe. Floats are made of s16le."""
_FLOATS: Final = "pcm_f32le"
_SPEEDS: Final = {"slowest": 0.6, "slow": 0.8, "normal": 1.0, "fast": 1.2, "fastest": 1.5}
_OWN_MODELS: Final = "sonic"
"""Names of Cartesia's models begin with this: they stand for Kokoro."""
_FULL_SCALE: Final = 32_768
_MAX_CONTEXTS: Final = 64


class CartesiaSession:
    """One connection of a client."""

    def __init__(self, socket: LiveSocket, speaker: Speaker) -> None:
        self._socket, self._speaker = socket, speaker
        self._contexts: dict[str, _Context] = {}

    async def run(self) -> None:
        """Serves the client until it leaves."""
        try:
            while (message := await self._receive()) is not None:
                context_id = message.get("context_id")
                context_id = context_id if isinstance(context_id, str) and context_id else f"ctx_{secrets.token_hex(8)}"
                try:
                    await self._handle(context_id, message)
                except KoeError as error:
                    await self.fail(context_id, error)
        finally:
            for context in list(self._contexts.values()):
                await context.cancel()

    async def _receive(self) -> dict[str, Any] | None:
        while True:
            try:
                return await self._socket.receive()
            except InvalidRequest as error:
                await self.fail("", error)

    async def _handle(self, context_id: str, message: dict[str, Any]) -> None:
        context = self._contexts.get(context_id)
        if message.get("cancel"):
            if context is not None:
                del self._contexts[context_id]
                await context.cancel()
            return
        transcript = message.get("transcript", "")
        if not isinstance(transcript, str):
            raise WrongType("transcript", "a string", type(transcript).__name__)
        if context is None:
            if len(self._contexts) >= _MAX_CONTEXTS:
                raise InvalidRequest(f"At most {_MAX_CONTEXTS} contexts are spoken at a time.")
            context = self._contexts[context_id] = _Context(context_id, message, self._speaker, self)
        context.add(transcript, message)

    async def send(self, kind: str, context_id: str, *, is_done: bool = False, status: int = 206, **more: Any) -> None:
        """Sends a message about a context."""
        await self._socket.send({"type": kind, "context_id": context_id, "done": is_done, "status_code": status, **more})

    async def fail(self, context_id: str, error: KoeError) -> None:
        """Tells that a context failed. The other contexts go on."""
        self.forget(context_id)
        status, kind = status_of(error)
        code = error.code or kind
        await self.send("error", context_id, is_done=True, status=status, title=code, message=error.message, error_code=code)

    def forget(self, context_id: str) -> None:
        """Forgets a context that has ended."""
        self._contexts.pop(context_id, None)


class _Context:
    """One text and its audio."""

    def __init__(self, context_id: str, message: Mapping[str, Any], speaker: Speaker, session: CartesiaSession) -> None:
        """`message` is the first of the context, which has the voice and the form of the audio."""
        self._id, self._session = context_id, session
        self._encoding = _encoding_of(message)
        self._wants_characters = bool(message.get("add_character_timestamps"))
        wants_words = self._wants_characters or bool(message.get("add_timestamps"))
        self._turn: Turn = speaker.begin(_fields_of(message), wants_words=wants_words)
        self._is_instant = message.get("max_buffer_delay_ms") == 0
        self._n_flushes = 0
        self._asked_at = time.monotonic()
        self._task = asyncio.create_task(self._run(), name="context")

    def add(self, transcript: str, message: Mapping[str, Any]) -> None:
        """Adds text, and does what the message says besides."""
        self._turn.add(transcript)
        self._asked_at = time.monotonic()
        if message.get("flush"):
            self._n_flushes += 1
            self._turn.speech.flush(self._n_flushes)
        elif self._is_instant:
            self._turn.speech.release()
        if not message.get("continue"):
            self._turn.speech.end()

    async def cancel(self) -> None:
        """Ends the context at once."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        try:
            await self._turn.run(self._on_event)
        except Exception as error:  # noqa: BLE001 - border of a task: the client gets the error
            await self._session.fail(self._id, fault_of(error))
        else:
            self._session.forget(self._id)
            await self._session.send("done", self._id, is_done=True, status=200)

    async def _on_event(self, event: Event) -> None:
        if isinstance(event, Audio):
            data = _to_floats(event.data) if self._encoding == _FLOATS else event.data
            step_ms = round(1000 * (time.monotonic() - self._asked_at), 3)
            await self._session.send("chunk", self._id, data=base64.b64encode(data).decode(), step_time=step_ms)
        elif isinstance(event, Words):
            times: dict[str, Any] = {
                "word_timestamps": _times("words", [(word.word, word.start, word.end) for word in event.words])
            }
            if self._wants_characters:
                found = [one for word in event.words for one in with_characters(word).characters]
                times["character_timestamps"] = _times("characters", [(one.character, one.start, one.end) for one in found])
            await self._session.send("timestamps", self._id, **times)
        elif isinstance(event, Mark):
            await self._session.send("flush_done", self._id, flush_id=event.name, flush_done=True)


def _times(name: str, items: Iterable[tuple[str, float, float]]) -> dict[str, list[Any]]:
    """Texts with their first and last seconds, in Cartesia's form: three lists."""
    texts, starts, ends = zip(*items, strict=True)
    return {name: list(texts), "start": [round(at, 3) for at in starts], "end": [round(at, 3) for at in ends]}


class _Voice(msgspec.Struct):
    id: str


def _fields_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the fields of a request to `POST /v1/audio/speech`. Raises InvalidRequest."""
    form = _form_of(message)
    if message.get("pronunciation_dict_id"):
        raise UnsupportedValue(
            "There are no dictionaries with an id: give 'pronunciations', an object with the phonemes of each word, or put the "
            "words into your lexicon.",
            param="pronunciation_dict_id",
        )
    model = message.get("model_id")
    fields = {
        "model": "kokoro" if isinstance(model, str) and model.startswith(_OWN_MODELS) else model,
        "voice": _voice_of(message),
        "response_format": _FORMATS[_encoding_of(message)],
        "sample_rate": form.get("sample_rate"),
        "language": message.get("language"),
        "speed": _speed_of(message),
        "pronunciations": message.get("pronunciations"),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _form_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    form = message.get("output_format")
    if not isinstance(form, dict):
        raise MissingParameter("output_format")
    return form


def _encoding_of(message: Mapping[str, Any]) -> str:
    form = _form_of(message)
    if form.get("container", "raw") != "raw":
        raise UnsupportedValue(unsupported(str(form["container"]), ("raw",)), param="output_format.container")
    encoding = form.get("encoding", "pcm_s16le")
    if encoding not in _FORMATS:
        raise UnsupportedValue(unsupported(str(encoding), tuple(_FORMATS)), param="output_format.encoding")
    return str(encoding)


def _voice_of(message: Mapping[str, Any]) -> str:
    try:
        return msgspec.convert(message.get("voice"), _Voice).id
    except msgspec.ValidationError:
        raise MissingParameter("voice.id") from None


def _speed_of(message: Mapping[str, Any]) -> Any:
    """The speed as a number: `generation_config.speed`, or the older word `speed`; None without one."""
    config = message.get("generation_config")
    asked = config.get("speed") if isinstance(config, dict) else message.get("speed")
    if isinstance(asked, str):
        if asked not in _SPEEDS:
            raise UnsupportedValue(unsupported(asked, tuple(_SPEEDS)), param="speed")
        return _SPEEDS[asked]
    return asked


def _to_floats(data: bytes) -> bytes:
    """Converts s16le to f32le in [-1, 1)."""
    return array("f", (sample / _FULL_SCALE for sample in array("h", data))).tobytes()
