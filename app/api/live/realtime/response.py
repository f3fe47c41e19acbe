"""One response: a text is read, and its audio and its transcript are sent in the order of OpenAI's events."""

import asyncio
import base64
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from app.api.live.realtime.conversation import Item, new_item_id
from app.api.live.realtime.errors import RealtimeError
from app.api.live.realtime.settings import fields_of
from app.api.live.speaker import Speaker, Turn
from app.api.responses.errors import fault_of, status_of
from app.core.errors import KoeError
from app.delivery.live.speech import Audio, Event, Words

Send = Callable[..., Awaitable[None]]
"""Sends an event of this type with these fields."""

_CHARS_OF_TOKEN: Final = 4
_AUDIO_TOKENS_PER_SECOND: Final = 20
"""OpenAI counts a token of audio for each 50 ms that it speaks."""


class Response:
    """Reads one text."""

    def __init__(
        self,
        text: str,
        settings: Mapping[str, Any],
        speaker: Speaker,
        send: Send,
        *,
        metadata: Any = None,
        conversation_id: str | None = None,
        on_item: Callable[[Item], str | None] = lambda item: None,
    ) -> None:
        """`settings`: the session as this response sees it. `on_item` adds the response's item to the conversation, if it
        belongs to one, and returns the id of the item before it. Raises the InvalidRequest of the first invalid setting.
        """
        self.id = f"resp_{secrets.token_hex(12)}"
        self.conversation_id = conversation_id
        self._text, self._settings, self._send, self._on_item = text, settings, send, on_item
        self._metadata = metadata
        self._is_audio = settings["output_modalities"] == ["audio"]
        self._turn: Turn = speaker.begin(fields_of(settings), wants_words=True)
        self._item: Item = {
            "id": new_item_id(),
            "object": "realtime.item",
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        self._ids = {"response_id": self.id, "item_id": self._item["id"], "output_index": 0, "content_index": 0}
        self._n_told = 0
        self._n_audio_bytes = 0
        self._speaking: asyncio.Task[None] | None = None
        self._is_cancelled = False

    @property
    def item_id(self) -> str:
        """Id of the item that it speaks."""
        return str(self._item["id"])

    @property
    def has_audio(self) -> bool:
        """Whether audio was sent."""
        return self._n_audio_bytes > 0

    def cancel(self) -> None:
        """Ends the response at once, as the client wants it."""
        self._is_cancelled = True
        if self._speaking is not None:
            self._speaking.cancel()

    async def run(self) -> None:
        """Sends all events of the response, from `response.created` to `response.done`."""
        await self._send("response.created", response=self._view("in_progress"))
        if not self._text.strip():
            nothing = RealtimeError("nothing_to_read", "There is no text to read: give it as the input of the response.")
            await self._finish("failed", nothing)
            return
        await self._begin()
        status, error = await self._speak()
        if status == "completed":
            await self._tell(len(self._text))
        await self._end("completed" if status == "completed" else "incomplete")
        await self._finish(status, error)

    async def _speak(self) -> tuple[str, KoeError | None]:
        """Speaks the text. Returns the status of the response, and the error if it has failed."""
        if not self._is_audio:
            return "completed", None
        try:
            self._turn.add(self._text)
            self._turn.speech.end()
            self._speaking = asyncio.create_task(self._turn.run(self._on_event), name="response")
            if self._is_cancelled:
                self._speaking.cancel()
            await self._speaking
        except asyncio.CancelledError:
            if not self._is_cancelled:
                raise
            return "cancelled", None
        except Exception as error:  # noqa: BLE001 - border of a task: the client gets the error
            return "failed", fault_of(error)
        return "completed", None

    async def _begin(self) -> None:
        place = {"response_id": self.id, "output_index": 0}
        await self._send("response.output_item.added", **place, item=dict(self._item))
        previous_id = self._on_item(self._item)
        if self.conversation_id is not None:
            await self._send("conversation.item.added", item=dict(self._item), previous_item_id=previous_id)
        part = {"type": "audio", "transcript": ""} if self._is_audio else {"type": "text", "text": ""}
        await self._send("response.content_part.added", **self._ids, part=part)

    async def _on_event(self, event: Event) -> None:
        if isinstance(event, Audio):
            self._n_audio_bytes += len(event.data)
            await self._send("response.output_audio.delta", **self._ids, delta=base64.b64encode(event.data).decode())
        elif isinstance(event, Words):
            for word in event.words:
                found = self._text.find(word.word, self._n_told)
                if found >= 0:
                    await self._tell(found + len(word.word))

    async def _tell(self, end: int) -> None:
        """Sends the transcript up to a place in the text."""
        delta, self._n_told = self._text[self._n_told : end], end
        if delta:
            kind = "response.output_audio_transcript.delta" if self._is_audio else "response.output_text.delta"
            await self._send(kind, **self._ids, delta=delta)

    async def _end(self, status: str) -> None:
        said = self._text[: self._n_told]
        if self._is_audio:
            await self._send("response.output_audio.done", **self._ids)
            await self._send("response.output_audio_transcript.done", **self._ids, transcript=said)
        else:
            await self._send("response.output_text.done", **self._ids, text=said)
        part = {"type": "audio", "transcript": said} if self._is_audio else {"type": "text", "text": said}
        await self._send("response.content_part.done", **self._ids, part=part)
        self._item["status"] = status
        self._item["content"] = [{**part, "type": f"output_{part['type']}"}]
        if self.conversation_id is not None:
            await self._send("conversation.item.done", item=dict(self._item), previous_item_id=None)
        await self._send("response.output_item.done", response_id=self.id, output_index=0, item=dict(self._item))

    async def _finish(self, status: str, error: KoeError | None) -> None:
        details: dict[str, Any] | None = None
        if status == "cancelled":
            details = {"type": "cancelled", "reason": "client_cancelled"}
        elif error is not None:
            _, kind = status_of(error)
            details = {"type": "failed", "error": {"type": kind, "code": error.code, "message": error.message}}
        output = [dict(self._item)] if self._item["content"] else []
        view = self._view(status) | {"status_details": details, "output": output, "usage": self._usage()}
        await self._send("response.done", response=view)

    def _view(self, status: str) -> dict[str, Any]:
        output = self._settings["audio"]["output"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": None,
            "output": [],
            "conversation_id": self.conversation_id,
            "output_modalities": self._settings["output_modalities"],
            "max_output_tokens": self._settings["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "metadata": self._metadata,
            "usage": None,
        }

    def _usage(self) -> dict[str, Any]:
        """The numbers of tokens. They are estimates: text and audio have no tokens here."""
        n_text = -(-len(self._text) // _CHARS_OF_TOKEN)
        n_told = -(-self._n_told // _CHARS_OF_TOKEN)
        n_audio = round(self._turn.sound.seconds(self._n_audio_bytes) * _AUDIO_TOKENS_PER_SECOND)
        cached = {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0}
        return {
            "total_tokens": n_text + n_told + n_audio,
            "input_tokens": n_text,
            "output_tokens": n_told + n_audio,
            "input_token_details": {
                "text_tokens": n_text,
                "audio_tokens": 0,
                "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": cached,
            },
            "output_token_details": {"text_tokens": n_told, "audio_tokens": n_audio},
        }
