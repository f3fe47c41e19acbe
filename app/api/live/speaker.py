"""What every session needs to speak: the client's key and its limits, the reader of requests, and the delivery of audio."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, contextmanager, suppress
from typing import Any, Final

from app.access.keyring import Key
from app.access.limiter import Limiter
from app.api.requests.reader import RequestReader
from app.api.requests.speech import SpeechRequest
from app.core.errors import StringTooLong, Unavailable
from app.delivery.delivery import Delivery
from app.delivery.listener import Listener
from app.delivery.live.speech import Event, LiveSpeech, Sound

_ANY_TEXT: Final = "."


class Speaker:
    """Speaks for one client."""

    def __init__(
        self,
        *,
        reader: RequestReader,
        delivery: Delivery,
        limiter: Limiter,
        key: Key,
        request_id: str,
        count_text: Callable[[str], None],
    ) -> None:
        """`count_text` is called with the outcome of each text: `spoken`, `cancelled` or `failed`."""
        self.count_text = count_text
        self._reader, self.delivery, self.limiter = reader, delivery, limiter
        self.reader = reader
        """It knows the voices of the key that were named last."""
        self.key, self.request_id = key, request_id
        self._n_turns = 0
        self.is_idle = asyncio.Event()
        """Set while nothing is spoken."""
        self.is_idle.set()

    async def learn_voices(self, said: Any) -> None:
        """Learns which voices the key has now, if a message of the client names one of them. Without Redis nothing is learned:
        the text that follows then fails in its place.
        """
        with suppress(Unavailable):
            knowing = await self._reader.knowing(self.key.owner, said)
            if knowing is not self._reader:
                self.reader = knowing

    async def reader_of(self, fields: Mapping[str, Any]) -> RequestReader:
        """The reader that knows the voices that the fields of a request name, as they are now. Raises Unavailable."""
        return await self._reader.knowing(self.key.owner, fields.get("voice"), fields.get("input"))

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Within the block something is spoken."""
        self._n_turns += 1
        self.is_idle.clear()
        try:
            yield
        finally:
            self._n_turns -= 1
            if not self._n_turns:
                self.is_idle.set()

    def check(self, fields: dict[str, Any]) -> SpeechRequest:
        """The request in `fields`, as those of `POST /v1/audio/speech`, for a text that is not known yet.

        Raises the InvalidRequest of the first invalid field.
        """
        return self.reader.read_speech({**fields, "input": _ANY_TEXT})

    def begin(self, fields: dict[str, Any], *, wants_words: bool = False, after: "Turn | None" = None) -> "Turn":
        """Begins a text, after another that may still be heard. Raises as `check` does."""
        return Turn(self, fields, self.check(fields), wants_words=wants_words, after=after)


class Turn:
    """One text that arrives and is spoken: it counts as one request of the key."""

    def __init__(
        self,
        speaker: Speaker,
        fields: dict[str, Any],
        asked: SpeechRequest,
        *,
        wants_words: bool,
        after: "Turn | None",
    ) -> None:
        self._speaker, self._fields, self._wants_words = speaker, fields, wants_words
        self._has_text = False
        self.request = asked
        self.sound = Sound(asked.format.name, asked.sample_rate_hz, asked.speed)
        before = after.speech if after else None
        self.speech: LiveSpeech = LiveSpeech(self._open, self.sound, language=asked.language, after=before)
        self._n_most = asked.model.max_input_chars(speaker.reader.max_input_chars)

    def add(self, text: str) -> None:
        """Adds text. Raises StringTooLong if more of it waits than one request may have."""
        n_waiting = self.speech.n_waiting + len(text)
        if n_waiting > self._n_most:
            raise StringTooLong("text", self._n_most, n_waiting)
        self._has_text |= bool(text.strip())
        self.speech.add(text)

    async def run(self, on_event: Callable[[Event], Awaitable[None]]) -> None:
        """Gives the events to `on_event` until the text has ended and is spoken. A cancelled call ends the speech.

        Raises RateLimited, or the error of the part that failed.
        """
        outcome = "failed"
        try:
            await self._speak(on_event)
            outcome = "spoken"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            if self._has_text:
                self._speaker.count_text(outcome)

    async def _speak(self, on_event: Callable[[Event], Awaitable[None]]) -> None:
        limiter = self._speaker.limiter
        async with AsyncExitStack() as stack:
            stack.enter_context(self._speaker.speaking())
            permit = await limiter.admit(self._speaker.key, stays_open=True)
            stack.push_async_callback(limiter.close, permit)
            events = await stack.enter_async_context(aclosing(aiter(self.speech)))
            async for event in events:
                await on_event(event)

    async def _open(self, text: str, heard_seconds: float) -> Listener:
        speaker = self._speaker
        fields = {**self._fields, "input": text}
        reader = await speaker.reader_of(fields)
        utterance = await reader.to_utterance(reader.read_speech(fields), speaker.key.owner)
        return await speaker.delivery.open(
            utterance,
            request_id=speaker.request_id,
            owner=speaker.key.owner,
            heard_seconds=heard_seconds,
            wants_words=self._wants_words,
        )
