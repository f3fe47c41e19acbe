"""One Realtime session: it carries out the client's events, one after the other, while its responses are spoken."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from app.api.live.realtime.conversation import Conversation, Item, text_in_instructions, unheard_item
from app.api.live.realtime.errors import RealtimeError, invalid_event, view_of
from app.api.live.realtime.response import Response
from app.api.live.realtime.settings import (
    SESSION_SECONDS,
    check_modalities,
    check_response,
    fields_of,
    new_session,
    updated,
    with_response,
)
from app.api.live.socket import LiveSocket
from app.api.live.speaker import Speaker
from app.core.errors import InvalidRequest, KoeError

_MAX_RESPONSES: Final = 16
"""Most responses of a session at a time."""
_MAX_METADATA, _MAX_NAME_CHARS, _MAX_VALUE_CHARS = 16, 64, 512
_EXPIRED: Final = 1001

_Event = dict[str, Any]


class RealtimeSession:
    """One connection of a client."""

    def __init__(
        self, socket: LiveSocket, speaker: Speaker, model: str | None = None, preset: Mapping[str, Any] | None = None
    ) -> None:
        """`model`: the one in the URL. `preset`: what the client secret sets. Raises the InvalidRequest of the first invalid
        setting.
        """
        self._socket, self._speaker = socket, speaker
        self._session = new_session(model, preset)
        speaker.check(fields_of(self._session))
        self._conversation = Conversation()
        self._responses: dict[str, tuple[Response, asyncio.Task[None]]] = {}
        self._active: Response | None = None
        """The response of the conversation that is being spoken."""
        self._has_audio = False
        self._has_input = False
        """Whether audio of the client came that was not committed."""
        self._handlers: dict[str, Callable[[_Event], Awaitable[None]]] = {
            "session.update": self._update,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.truncate": self._truncate_item,
            "input_audio_buffer.append": self._hear_nothing,
            "input_audio_buffer.clear": self._clear_input,
            "input_audio_buffer.commit": self._commit_input,
            "output_audio_buffer.clear": self._clear_output,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    async def run(self) -> None:
        """Serves the client until it leaves, or until the session is as old as one may be."""
        await self._send("session.created", session=self._session)
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                await self._serve()
        except TimeoutError:
            expired = RealtimeError("session_expired", "Your session hit the maximum duration of 60 minutes.")
            await self._fail(expired, None)
            await self._socket.close(_EXPIRED, "session_expired")
        finally:
            await self._abandon()

    async def _serve(self) -> None:
        while True:
            try:
                event = await self._socket.receive()
            except InvalidRequest as error:
                await self._fail(invalid_event(error.message), None)
                continue
            if event is None:
                return
            event_id = event.get("event_id")
            try:
                await self._handle(event)
            except KoeError as error:
                await self._fail(error, event_id if isinstance(event_id, str) else None)

    async def _handle(self, event: _Event) -> None:
        handler = self._handlers.get(str(event.get("type")))
        if handler is None:
            names = "', '".join(self._handlers)
            raise invalid_event(f"Invalid value: '{event.get('type')}'. Supported values are: '{names}'.", param="type")
        await handler(event)

    # The session

    async def _update(self, event: _Event) -> None:
        session = updated(self._session, event.get("session"))
        before, after = (one["audio"]["output"]["voice"] for one in (self._session, session))
        if self._has_audio and before != after:
            raise RealtimeError(
                "cannot_update_voice",
                "Cannot update a conversation's voice if assistant audio is present.",
                param="session.audio.output.voice",
            )
        self._speaker.check(fields_of(session))
        self._session = session
        await self._send("session.updated", session=session)

    # Items

    async def _create_item(self, event: _Event) -> None:
        await self._send_added(*self._conversation.add(event.get("item"), event.get("previous_item_id")))

    async def _send_added(self, item: Item, previous_id: str | None) -> None:
        await self._send("conversation.item.added", item=item, previous_item_id=previous_id)
        await self._send("conversation.item.done", item=item, previous_item_id=previous_id)

    async def _retrieve_item(self, event: _Event) -> None:
        item = self._conversation.get(event.get("item_id"), "retrieve")
        await self._send("conversation.item.retrieved", item=item)

    async def _delete_item(self, event: _Event) -> None:
        item_id = str(event.get("item_id"))
        self._conversation.remove(item_id)
        await self._send("conversation.item.deleted", item_id=item_id)

    async def _truncate_item(self, event: _Event) -> None:
        item = self._conversation.get(event.get("item_id"), "truncate")
        if self._active is not None and self._active.item_id == item["id"]:
            self._active.cancel()  # A client that has a server detect turns sends nothing else when it is interrupted.
        place = {name: event.get(name) for name in ("item_id", "content_index", "audio_end_ms")}
        await self._send("conversation.item.truncated", **place)

    # Audio of the client, which nobody hears

    async def _hear_nothing(self, event: _Event) -> None:
        """A microphone is not an error: many clients send one all the time."""
        self._has_input |= bool(event.get("audio"))

    async def _clear_input(self, event: _Event) -> None:
        self._has_input = False
        await self._send("input_audio_buffer.cleared")

    async def _commit_input(self, event: _Event) -> None:
        if not self._has_input:
            raise RealtimeError("input_audio_buffer_commit_empty", "Error committing input audio buffer: the buffer is empty.")
        self._has_input = False
        item, previous_id = self._conversation.add(unheard_item())
        await self._send("input_audio_buffer.committed", item_id=item["id"], previous_item_id=previous_id)
        await self._send_added(item, previous_id)

    async def _clear_output(self, event: _Event) -> None:
        if self._active is not None:
            self._active.cancel()

    # Responses

    async def _create_response(self, event: _Event) -> None:
        asked = event.get("response") or {}
        if not isinstance(asked, dict):
            raise invalid_event("Invalid type: 'response' is an object.", param="response")
        check_response(asked)
        is_own = asked.get("conversation", "auto") == "none"
        if not is_own and self._active is not None:
            raise RealtimeError(
                "conversation_already_has_active_response",
                f"Conversation already has an active response in progress: {self._active.id}. Wait until the response is "
                "finished before creating a new one.",
            )
        if len(self._responses) >= _MAX_RESPONSES:
            raise RealtimeError("too_many_responses", f"A session speaks at most {_MAX_RESPONSES} responses at a time.")
        _check_metadata(asked.get("metadata"))
        settings = with_response(self._session, asked)
        check_modalities(settings["output_modalities"], "response.output_modalities")
        response = Response(
            self._text_for(asked),
            settings,
            self._speaker,
            self._send,
            metadata=asked.get("metadata"),
            conversation_id=None if is_own else self._conversation.id,
            on_item=(lambda item: None) if is_own else self._conversation.append,
        )
        if not is_own:
            self._active = response
        self._responses[response.id] = response, asyncio.create_task(self._run(response), name="response")

    def _text_for(self, asked: dict[str, Any]) -> str:
        given = asked.get("input")
        if isinstance(given, list):
            return self._conversation.text_of_input(given)
        return self._conversation.take_unread() or text_in_instructions(asked.get("instructions"))

    async def _run(self, response: Response) -> None:
        try:
            await response.run()
        finally:
            self._has_audio |= response.has_audio and response.conversation_id is not None
            del self._responses[response.id]
            if self._active is response:
                self._active = None

    async def _cancel_response(self, event: _Event) -> None:
        response_id = event.get("response_id")
        found = self._active if response_id is None else self._responses.get(str(response_id), (None,))[0]
        if found is None:
            raise RealtimeError("response_cancel_not_active", "Cancellation failed: no active response found")
        found.cancel()

    async def _abandon(self) -> None:
        tasks = [task for _, task in self._responses.values()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    async def _fail(self, error: KoeError, event_id: str | None) -> None:
        await self._send("error", error=view_of(error, event_id))

    async def _send(self, kind: str, **more: Any) -> None:
        await self._socket.send({"type": kind, "event_id": f"event_{secrets.token_hex(12)}", **more})


def _check_metadata(metadata: Any) -> None:
    if metadata is None:
        return
    is_valid = isinstance(metadata, dict) and len(metadata) <= _MAX_METADATA
    if not is_valid or any(
        len(name) > _MAX_NAME_CHARS or not isinstance(value, str) or len(value) > _MAX_VALUE_CHARS
        for name, value in metadata.items()
    ):
        raise invalid_event(
            f"Invalid metadata: at most {_MAX_METADATA} names of at most {_MAX_NAME_CHARS} characters, with strings of at most "
            f"{_MAX_VALUE_CHARS}.",
            param="response.metadata",
        )
