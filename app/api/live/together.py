"""Together's protocol: `GET /v1/audio/speech/websocket`. Text is appended and committed; audio comes as s16le at 24 kHz.

Why `done` comes only when no committed text is left: a client such as Pipecat's commits each sentence, and takes the first
`done` for the end of its turn. A commit without new text is no turn.
"""

import asyncio
import base64
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from app.api.live.socket import LiveSocket
from app.api.live.speaker import Speaker, Turn
from app.api.responses.errors import envelope, fault_of
from app.core.errors import InvalidRequest, KoeError, UnsupportedValue, WrongType
from app.delivery.live.speech import Audio, Event, Mark

_FIELDS: Final = ("model", "voice", "language")
_FORMAT: Final = {"response_format": "pcm"}


class TogetherSession:
    """One connection of a client."""

    def __init__(self, socket: LiveSocket, speaker: Speaker, query: Mapping[str, str]) -> None:
        """`query`: the parameters of the URL. Raises the InvalidRequest of the first invalid one."""
        self._socket, self._speaker = socket, speaker
        self._fields: dict[str, Any] = {name: query[name] for name in _FIELDS if query.get(name)} | _FORMAT
        speaker.check(self._fields)
        self._turn: _Turn | None = None

    async def run(self) -> None:
        """Serves the client until it leaves."""
        session = {
            "id": _id("session"),
            "object": "realtime.tts.session",
            "modalities": ["text", "audio"],
            "model": self._fields["model"],
            "voice": self._fields["voice"],
        }
        await self._send("session.created", session=session)
        try:
            while (event := await self._receive()) is not None:
                try:
                    await self._handle(event)
                except KoeError as error:
                    await self._fail(error)
        finally:
            await self._cancel()

    async def _receive(self) -> dict[str, Any] | None:
        while True:
            try:
                return await self._socket.receive()
            except InvalidRequest as error:
                await self._fail(error)

    async def _handle(self, event: Mapping[str, Any]) -> None:
        kind = event.get("type")
        if kind == "input_text_buffer.append":
            await self._append(event.get("text"))
        elif kind == "input_text_buffer.commit":
            if self._turn is not None:
                self._turn.commit()
        elif kind == "input_text_buffer.clear":
            await self._cancel()
        elif kind == "tts_session.updated":
            self._update(event.get("session"))
        else:
            raise InvalidRequest(f"There is no event {kind!r}.")

    async def _append(self, text: Any) -> None:
        if not isinstance(text, str):
            raise WrongType("text", "a string", type(text).__name__)
        if self._turn is None or self._turn.is_over:
            before = self._turn.turn if self._turn else None
            self._turn = _Turn(self._speaker.begin(self._fields, after=before), self)
        self._turn.append(text)
        await self._send("conversation.item.input_text.received", text=text)

    def _update(self, session: Any) -> None:
        if not isinstance(session, dict):
            return
        changes = {name: session[name] for name in _FIELDS if session.get(name)} | _pronunciations_in(session)
        self._speaker.check(self._fields | changes)
        self._fields |= changes

    async def _cancel(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            await turn.cancel()

    async def send_audio(self, item_id: str, data: bytes) -> None:
        """Sends audio of an item."""
        await self._send("conversation.item.audio_output.delta", item_id=item_id, delta=base64.b64encode(data).decode())

    async def send_done(self, item_id: str) -> None:
        """Tells that an item is spoken."""
        await self._send("conversation.item.audio_output.done", item_id=item_id)

    async def fail(self, item_id: str, error: KoeError) -> None:
        """Tells that an item failed. The session goes on."""
        await self._send("conversation.item.tts.failed", item_id=item_id, **envelope(error))

    async def _fail(self, error: KoeError) -> None:
        await self.fail(_id("item"), error)

    async def _send(self, kind: str, **more: Any) -> None:
        await self._socket.send({"type": kind, "event_id": _id("event"), **more})


class _Turn:
    """The text from one `done` to the next."""

    def __init__(self, turn: Turn, session: TogetherSession) -> None:
        self.turn, self._session = turn, session
        self._id = _id("item")
        self._n_commits = 0
        self._is_new = False
        self.is_over = False
        self._task = asyncio.create_task(self._run(), name="turn")

    def append(self, text: str) -> None:
        self.turn.add(text)
        self._is_new = True

    def commit(self) -> None:
        """Lets the text be spoken that was appended; nothing if there is none."""
        if self._is_new:
            self._is_new = False
            self._n_commits += 1
            self.turn.speech.flush(self._n_commits)

    async def cancel(self) -> None:
        self.is_over = True
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _run(self) -> None:
        try:
            await self.turn.run(self._on_event)
        except Exception as error:  # noqa: BLE001 - border of a task: the client gets the error
            self.is_over = True
            await self._session.fail(self._id, fault_of(error))
        else:
            await self._session.send_done(self._id)

    async def _on_event(self, event: Event) -> None:
        if isinstance(event, Audio):
            await self._session.send_audio(self._id, event.data)
        elif isinstance(event, Mark) and event.name == self._n_commits and not self._is_new:
            self.is_over = True
            self.turn.speech.end()


def _pronunciations_in(session: Mapping[str, Any]) -> dict[str, Any]:
    """The phonemes of words that a session sets. Raises UnsupportedValue for words in the place of words."""
    extra = session.get("extra_params")
    if not isinstance(extra, dict):
        return {}
    if extra.get("pronunciation_dict"):
        raise UnsupportedValue(
            "Words cannot be replaced by words: give 'pronunciations' instead, an object with the phonemes of each word.",
            param="session.extra_params.pronunciation_dict",
        )
    return {name: value for name, value in extra.items() if name == "pronunciations"}


def _id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(12)}"
