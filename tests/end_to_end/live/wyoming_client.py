"""A Wyoming client for tests: the package's own, with answers as lists."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from wyoming.audio import AudioChunk
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeVoice

HEART = SynthesizeVoice(name="af_heart")
_SECONDS = 30.0


class Client(AsyncTcpClient):
    """One connection."""

    async def send(self, *events: Any) -> None:
        """Sends events of the package, or bare ones."""
        for event in events:
            await self.write_event(event if isinstance(event, Event) else event.event())

    async def until(self, *kinds: str) -> list[Event]:
        """Returns all events up to the first one of these types. Fails if the server closes the connection before."""
        events: list[Event] = []
        while not events or events[-1].type not in kinds:
            event = await self.read_event()
            assert event is not None, types_of(events)
            events.append(event)
        return events


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    """Yields a client that is connected until the end of the block."""
    client = Client("127.0.0.1", port, read_timeout=_SECONDS)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


def audio_of(events: list[Event]) -> bytes:
    """Returns the audio of all events."""
    return b"".join(AudioChunk.from_event(event).audio for event in events if AudioChunk.is_type(event.type))


def types_of(events: list[Event]) -> list[str]:
    """Returns the types of the events without those of audio."""
    return [event.type for event in events if not AudioChunk.is_type(event.type)]


def error_of(events: list[Event]) -> Error:
    """Returns the first error."""
    return next(Error.from_event(event) for event in events if Error.is_type(event.type))


async def stream(client: Client, text: str, voice: SynthesizeVoice | None = HEART, n_chars: int = 3) -> None:
    """Sends a text in pieces, and then once more as a whole, as Home Assistant does."""
    await client.send(SynthesizeStart(voice=voice))
    await client.send(*(SynthesizeChunk(text[at : at + n_chars]) for at in range(0, len(text), n_chars)))
    await client.send(Synthesize(text, voice), SynthesizeStop())
