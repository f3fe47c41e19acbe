"""Opens a session for a client that may have one; refuses every other with the answer that HTTP would give.

Why the origin is checked: browsers let any page open a WebSocket to any server, without CORS. On a server with keys the page
has none. On a server without keys only pages of its own and of the origins in `KOE_CORS_ORIGINS` may speak.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from litestar import WebSocket

from app.access.keyring import Keyring
from app.access.limiter import Limiter
from app.api.facts import note
from app.api.live.socket import LiveSocket
from app.api.live.speaker import Speaker
from app.api.middleware.auth import check
from app.api.requests.reader import RequestReader
from app.api.responses.errors import fault_of, send_fault
from app.core.errors import KoeError, WrongOrigin
from app.core.origins import ANY
from app.delivery.delivery import Delivery

_MAX_SHOWN_CHARS: Final = 100


class Session(Protocol):
    """One connection of a client in one protocol."""

    async def run(self) -> None:
        """Serves the client until it leaves."""
        ...


async def serve(
    socket: WebSocket[Any, Any, Any],
    make: Callable[[LiveSocket, Speaker], Session],
    key: str | None,
    *,
    reader: RequestReader,
    delivery: Delivery,
    limiter: Limiter,
    subprotocol: str | None = None,
) -> None:
    """Serves a client in the protocol that `make` begins. `key`: what the client presents as its key; None for nothing.

    An error of `make`, of the key or of the origin is the answer to the request, and no session is opened.
    """
    live = LiveSocket(socket)
    try:
        keyring: Keyring = socket.app.state.keyring
        _check_origin(socket.headers, socket.app.state.origins, keyring)
        found = check(keyring, f"Bearer {key}" if key else None)
        note(socket.scope, key=found.name or None)
        request_id = socket.scope["state"]["request_id"]
        speaker = Speaker(reader=reader, delivery=delivery, limiter=limiter, key=found, request_id=request_id)
        session = make(live, speaker)
    except KoeError as error:
        await send_fault(socket.scope, socket.send, error)
        return
    await live.accept(subprotocol)
    try:
        await session.run()
    except Exception as error:  # noqa: BLE001 - last resort of the API: the session is logged, and closed as a fault of Koe
        await live.close(1011, fault_of(error).message)
    else:
        await live.close()


def bearer(headers: Mapping[str, str]) -> str | None:
    """The key in the header `Authorization`, which every client of HTTP can send."""
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def _check_origin(headers: Mapping[str, str], allowed: frozenset[str], keyring: Keyring) -> None:
    origin = headers.get("origin")
    if origin is None or not keyring.is_open or ANY in allowed or origin.lower() in allowed:
        return
    if urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        raise WrongOrigin(origin[:_MAX_SHOWN_CHARS])
