"""One WebSocket of a client: JSON comes in, JSON goes out."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from app.core.errors import InvalidRequest

NORMAL: Final = 1000
"""The code of a connection that has done its work."""

_LEFT: Final = (WebSocketDisconnect, OSError)
"""What Litestar and uvicorn raise when the client has left."""


async def _do_nothing(_: str) -> None:
    """Does nothing."""


class LiveSocket:
    """A WebSocket on which both sides send JSON objects. Several tasks may send."""

    def __init__(self, socket: WebSocket[Any, Any, Any]) -> None:
        self._socket = socket
        self.before_message: Callable[[str], Awaitable[None]] = _do_nothing
        """Called with each message of the client before it is received."""

    async def accept(self, subprotocol: str | None = None) -> None:
        """Accepts the connection."""
        await self._socket.accept(subprotocol)

    async def receive(self) -> dict[str, Any] | None:
        """Returns the next object of the client; None when it has left. Raises InvalidRequest for anything else."""
        try:
            data = await self._socket.receive_data(mode="text")
        except _LEFT:
            return None
        await self.before_message(data)
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            raise InvalidRequest("A message must be a JSON object.") from error

    async def send(self, event: dict[str, Any]) -> None:
        """Sends an object, in the client's time. Does nothing if the client has left: `receive` says so."""
        with suppress(*_LEFT):
            await self._socket.send_data(msgspec.json.encode(event), mode="text")

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Closes the connection."""
        with suppress(*_LEFT, RuntimeError):
            await self._socket.close(code, reason)
