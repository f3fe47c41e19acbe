"""A client that asks for the beta form of the Realtime API: it is refused as OpenAI refuses it.

Why the session is opened for that: clients of that form look for an error event and for this code of the closed connection.
"""

import secrets
from typing import Final

from app.api.live.realtime.errors import RealtimeError, view_of
from app.api.live.socket import LiveSocket

HEADER, SUBPROTOCOL = "realtime=v1", "openai-beta.realtime-v1"
"""What such a client sends: the header `OpenAI-Beta`, or the name of a subprotocol from a browser."""

_CODE: Final = "beta_api_shape_disabled"
_REFUSED: Final = 4000
"""OpenAI's code of the closed connection."""


class BetaSession:
    """A session that is closed at once."""

    def __init__(self, socket: LiveSocket) -> None:
        self._socket = socket

    async def run(self) -> None:
        """Says what to change, and closes the connection."""
        error = RealtimeError(
            _CODE,
            "The beta form of the Realtime API is not supported: leave out the header 'OpenAI-Beta: realtime=v1', and use the "
            "fields and events of the present form.",
        )
        await self._socket.send({"type": "error", "event_id": f"event_{secrets.token_hex(12)}", "error": view_of(error)})
        await self._socket.close(_REFUSED, f"invalid_request_error.{_CODE}")
