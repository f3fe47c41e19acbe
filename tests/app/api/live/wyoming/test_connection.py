"""One connection of a Wyoming client: events are read within limits, and nothing that a client sends costs more."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from wyoming.audio import AudioChunk
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.tts import Synthesize, SynthesizeVoice

from app.api.live.wyoming import connection as module
from app.api.live.wyoming.connection import ClientLeft, Connection
from app.core.errors import InvalidRequest, RequestTooLarge
from app.core.request_limits import BODY_BYTES, WYOMING_LINE_BYTES

pytestmark = pytest.mark.anyio


class Ends:
    """Both ends of a connection."""

    def __init__(self, server: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.n_begun = 0

    async def receive(self) -> Event | None:
        def begin() -> None:
            self.n_begun += 1

        return await self.server.receive(begin)


@asynccontextmanager
async def connected() -> AsyncIterator[Ends]:
    """Yields both ends of a connection on loopback."""
    accepted: asyncio.Queue[Connection] = asyncio.Queue()
    listener = await asyncio.start_server(
        lambda reader, writer: accepted.put_nowait(Connection(reader, writer)), "127.0.0.1", 0, limit=WYOMING_LINE_BYTES
    )
    async with listener:
        reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
        server = await accepted.get()
        try:
            yield Ends(server, reader, writer)
        finally:
            writer.close()
            await server.close()


async def test_events_of_the_package_are_read_one_after_the_other() -> None:
    first = Synthesize("Grüße, 世界", SynthesizeVoice(name="af_heart")).event()
    second = AudioChunk(24_000, 2, 1, bytes(100_000)).event()
    async with connected() as ends:
        for event in (first, second, first):
            await async_write_event(event, ends.writer)

        assert await ends.receive() == first
        received = await ends.receive()
        assert received is not None
        assert (received.type, received.data["rate"]) == ("audio-chunk", 24_000)
        assert await ends.receive() == first
        assert ends.n_begun == 3


async def test_data_may_stand_on_the_first_line_and_after_it() -> None:
    more = b'{"voice": {"name": "af_heart"}}'
    async with connected() as ends:
        ends.writer.write(b'{"type": "synthesize", "data": {"text": "Hi."}, "data_length": %d}\n%b' % (len(more), more))

        assert await ends.receive() == Event("synthesize", {"text": "Hi.", "voice": {"name": "af_heart"}})


async def test_events_are_sent_as_the_package_reads_them() -> None:
    sent = [Event("pong", {"text": "Grüße"}), Event("synthesize-stopped"), AudioChunk(24_000, 2, 1, b"\x01\x02").event()]
    async with connected() as ends:
        await ends.server.send(*sent)

        assert [await async_read_event(ends.reader) for _ in sent] == sent


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\n",
        b"[]\n",
        b"{}\n",
        b'{"type": 5}\n',
        b'{"type": "describe", "data": []}\n',
        b'{"type": "describe", "data_length": -1}\n',
        b'{"type": "describe", "payload_length": 1e99}\n',
        b'{"type": "describe", "data_length": 2}\n[]',
        b'{"type": "describe", "data_length": 2}\n{{',
        b'{"type": "describe", "data": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}\n",
        b'{"type": "\xff"}\n',
        b"{" * (4 * WYOMING_LINE_BYTES),
        json.dumps({"type": "synthesize", "data": {"text": "x" * 3 * WYOMING_LINE_BYTES}}).encode() + b"\n",
    ],
    ids=lambda sent: repr(sent[:30]),
)
async def test_what_is_no_event_is_refused(sent: bytes) -> None:
    async with connected() as ends:
        ends.writer.write(sent)

        with pytest.raises(InvalidRequest):
            await ends.receive()


@pytest.mark.parametrize("field", ["data_length", "payload_length"])
async def test_an_event_that_announces_too_much_is_refused_before_it_comes(field: str) -> None:
    async with connected() as ends:
        ends.writer.write(b'{"type": "synthesize", "%b": %d}\n' % (field.encode(), BODY_BYTES + 1))

        with pytest.raises(RequestTooLarge):
            await ends.receive()


@pytest.mark.parametrize(
    "sent", [b"", b"{", b'{"type": "describe", "data_length": 9}\n{', b'{"type": "describe", "payload_length": 9}\nx']
)
async def test_a_client_that_leaves_in_the_middle_of_an_event_has_left(sent: bytes) -> None:
    async with connected() as ends:
        ends.writer.write(sent)
        ends.writer.close()

        assert await ends.receive() is None


async def test_a_client_that_takes_nothing_is_taken_for_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WYOMING_SEND_SECONDS", 0.05)
    async with connected() as ends:
        with pytest.raises(ClientLeft):
            while True:
                await ends.server.send(AudioChunk(24_000, 2, 1, bytes(1_000_000)).event())


async def test_nothing_is_sent_to_a_client_that_has_left() -> None:
    async with connected() as ends:
        ends.writer.close()
        assert await ends.receive() is None
        with pytest.raises(ClientLeft):
            while True:
                await ends.server.send(Event("pong"))
