"""One connection of a Wyoming client: events come in within limits, and events go out in the client's time.

Why not the package's own reader: it reads as much as a client announces, waits for it without end, and takes a line that is no
event for the end of the connection.

Why a connection ends at the first line that is no event: the rest cannot be told apart any more, and a web page that makes a
browser send its request here must not get as far as the second line.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated, Any, Final

import msgspec
from wyoming.event import Event
from wyoming.version import __version__

from app.core.errors import InvalidRequest, RequestTooLarge
from app.core.request_limits import BODY_BYTES, LINGER_SECONDS, WYOMING_LINE_BYTES, WYOMING_SEND_SECONDS

_PIECE_BYTES: Final = 65_536
_ABOVE_ZERO: Final = msgspec.Meta(ge=0)


class ClientLeft(Exception):
    """The client has closed the connection, or takes nothing any more."""


class _Line(msgspec.Struct):
    """The first line of an event."""

    type: str
    data: dict[str, Any] | None = None
    data_length: Annotated[int, _ABOVE_ZERO] | None = None
    payload_length: Annotated[int, _ABOVE_ZERO] | None = None


class Connection:
    """Both directions of a connection. One task receives; several may send."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def receive(self, on_begun: Callable[[], None]) -> Event | None:
        """Returns the next event, without its payload; None when the client has left. Calls `on_begun` at its first byte.

        Raises InvalidRequest for what is no event, or too large. The connection cannot be read any more then.
        """
        try:
            first = await self._reader.read(1)
            if not first:
                return None
            on_begun()
            return await self._read(first)
        except (asyncio.IncompleteReadError, OSError):
            return None

    async def _read(self, first: bytes) -> Event:
        try:
            line = msgspec.json.decode(first + await self._reader.readuntil(b"\n"), type=_Line)
        except asyncio.LimitOverrunError:
            raise InvalidRequest(f"The first line of an event has more than {WYOMING_LINE_BYTES} bytes.") from None
        except _UNREADABLE:
            raise InvalidRequest('A line is no event of Wyoming, such as {"type": "describe"}.') from None
        if max(line.data_length or 0, line.payload_length or 0) > BODY_BYTES:
            raise RequestTooLarge(BODY_BYTES)
        data = await self._read_data(line)
        await self._discard(line.payload_length or 0)
        return Event(line.type, data)

    async def _read_data(self, line: _Line) -> dict[str, Any]:
        """Returns the data on the first line and the data after it."""
        data = line.data or {}
        if line.data_length:
            try:
                data |= msgspec.json.decode(await self._reader.readexactly(line.data_length), type=dict[str, Any])
            except _UNREADABLE:
                raise InvalidRequest("The data of an event must be a JSON object.") from None
        return data

    async def _discard(self, n_bytes: int) -> None:
        """Reads a payload: no event of a client of speech has one that is needed."""
        while n_bytes:
            n_bytes -= len(await self._reader.readexactly(min(n_bytes, _PIECE_BYTES)))

    async def send(self, *events: Event) -> None:
        """Sends events, and returns when the client has taken most of them. Raises ClientLeft."""
        self.write(events)
        await self.drain()

    async def drain(self) -> None:
        """Returns when the client has taken most of what was sent, so that no more waits here. Raises ClientLeft."""
        try:
            async with asyncio.timeout(WYOMING_SEND_SECONDS):
                await self._writer.drain()
        except OSError as error:
            self._writer.transport.abort()
            raise ClientLeft from error

    def write(self, events: Iterable[Event]) -> None:
        """Sends events without waiting."""
        if not self._writer.is_closing():
            self._writer.write(b"".join(map(_encode, events)))

    def begin_close(self) -> None:
        """Closes the connection when the client has taken what was sent, or a moment later. `receive` then returns None."""
        self._writer.close()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._writer.transport.abort)

    async def close(self) -> None:
        """Closes the connection, and returns when it is closed. A cancelled call breaks it off."""
        self.begin_close()
        try:
            with suppress(OSError):
                await self._writer.wait_closed()
        except asyncio.CancelledError:
            self._writer.transport.abort()
            raise


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _encode(event: Event) -> bytes:
    data = msgspec.json.encode(event.data) if event.data else b""
    line: dict[str, Any] = {"type": event.type, "version": __version__}
    if data:
        line["data_length"] = len(data)
    if event.payload:
        line["payload_length"] = len(event.payload)
    return msgspec.json.encode(line) + b"\n" + data + (event.payload or b"")
