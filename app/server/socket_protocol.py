"""WebSockets on one connection: uvicorn's protocol on the websockets library."""

from typing import Any

from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection that a client has asked to be a WebSocket."""

    @override
    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            # A request that is refused with an answer of HTTP is complete. Uvicorn would log it as a fault.
            self.handshake_complete = True
