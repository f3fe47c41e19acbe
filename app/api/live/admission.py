"""Opens a session for a client that may have one; refuses every other with the answer that HTTP would give.

Why the origin is checked: browsers let any page open a WebSocket to any server, without CORS. On a server with keys the page
has none. On a server without keys only pages of its own and of the origins in `KOE_CORS_ORIGINS` may speak.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from litestar import WebSocket

from app.access.client_secrets import PREFIX, ClientSecrets
from app.access.keyring import Key, Keyring
from app.access.limiter import Limiter
from app.api.facts import note
from app.api.live.realtime.client_secret import voice_in
from app.api.live.socket import LiveSocket
from app.api.live.speaker import Speaker
from app.api.measures import Metrics
from app.api.middleware.auth import check, mask
from app.api.requests.reader import RequestReader
from app.api.responses.errors import fault_of, send_fault
from app.core.errors import IncorrectKey, KoeError, WrongOrigin
from app.core.origins import ANY
from app.delivery.delivery import Delivery

_MAX_SHOWN_CHARS: Final = 100
_FAULT, _RESTART = 1011, 1012
"""Codes of a closed connection."""


Preset = dict[str, Any] | None
"""What a client secret sets in its session."""


class Session(Protocol):
    """One connection of a client in one protocol."""

    async def run(self) -> None:
        """Serves the client until it leaves."""
        ...


async def serve(
    socket: WebSocket[Any, Any, Any],
    make: Callable[[LiveSocket, Speaker, Preset], Session],
    key: str | None,
    *,
    protocol: str,
    reader: RequestReader,
    delivery: Delivery,
    limiter: Limiter,
    subprotocol: str | None = None,
    client_secrets: ClientSecrets | None = None,
) -> None:
    """Serves a client in the protocol that `make` begins. `key`: what the client presents as its key; None for nothing. With
    `client_secrets` it may be one of these, which sets the session. `protocol`: its name in the metrics.

    An error of `make`, of the key or of the origin is the answer to the request, and no session is opened.
    """
    live = LiveSocket(socket)
    metrics: Metrics = socket.app.state.metrics
    try:
        keyring: Keyring = socket.app.state.keyring
        _check_origin(socket.headers, socket.app.state.origins, keyring)
        found, preset = await _find_key(key, keyring, client_secrets)
        note(socket.scope, key=found.name or None)
        request_id = socket.scope["state"]["request_id"]
        count_text = partial(metrics.count_live_text, protocol)
        speaker = Speaker(
            reader=reader, delivery=delivery, limiter=limiter, key=found, request_id=request_id, count_text=count_text
        )
        live.before_message = speaker.learn_voices
        await speaker.learn_voices(unquote(socket.url.query))
        await speaker.learn_voices(voice_in(preset))
        session = make(live, speaker, preset)
    except KoeError as error:
        await send_fault(socket.scope, socket.send, error)
        return
    await live.accept(subprotocol)
    leaving = asyncio.create_task(_leave(live, speaker, socket.scope["state"]["leaving"]), name="leave")
    try:
        with metrics.live_session(protocol):
            await session.run()
    except Exception as error:  # noqa: BLE001 - last resort of the API: the session is logged, and closed as a fault of Koe
        await live.close(_FAULT, fault_of(error).message)
    else:
        await live.close()
    finally:
        leaving.cancel()


async def _leave(live: LiveSocket, speaker: Speaker, leaving: asyncio.Event) -> None:
    """Closes the connection when the server leaves and nothing is spoken. Clients then connect again, to another process."""
    await leaving.wait()
    await speaker.is_idle.wait()
    await live.close(_RESTART, "The server restarts. Please connect again.")


async def _find_key(key: str | None, keyring: Keyring, client_secrets: ClientSecrets | None) -> tuple[Key, Preset]:
    if key and key.startswith(PREFIX) and client_secrets is not None:
        found = await client_secrets.find(key, keyring)
        if found is None:
            raise IncorrectKey(mask(key))
        return found
    return check(keyring, f"Bearer {key}" if key else None), None


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
