"""CORS: web pages of the origins in `KOE_CORS_ORIGINS` may use the API from a browser.

Why not Litestar's CORS: it refuses origins that it should ignore, takes every OPTIONS for a preflight, gives its headers to
every origin, and replaces an existing `Vary`. This one leaves answers to other origins unchanged.

Why no `Access-Control-Allow-Credentials`: the page itself sets the header with the key; the browser sends none by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.core.origins import ANY

EXPOSED: Final = (
    "x-request-id",
    "openai-processing-ms",
    "openai-version",
    "x-koe-engine",
    "x-koe-cache",
    "retry-after",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "accept-ranges",
    "content-disposition",
    "content-range",
    "etag",
    "location",
)
"""Headers of answers that a page may read, in addition to the headers that browsers always show."""

METHODS: Final = "GET, HEAD, POST, PUT, DELETE"
MAX_AGE_SECONDS: Final = 7200
"""A browser may cache a preflight for this long, the longest that Chromium accepts."""

_EXPOSE: Final = ", ".join(EXPOSED).encode()
_VARY: Final = (b"vary", b"Origin")
_VARY_PREFLIGHT: Final = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")


class CrossOrigin:
    """`app` with CORS for these origins; `*` is every origin.

    With a list of origins, each answer has `Vary: Origin`, for caches.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._is_open = ANY in origins
        self._origins = {origin.lower().encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        allowed = self._allowed(headers.get(b"origin"))
        if allowed and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await _answer_preflight(send, allowed, headers)
            return
        added = self._added(allowed)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _allowed(self, origin: bytes | None) -> bytes | None:
        """The value of `Access-Control-Allow-Origin`; None for no header."""
        if origin is None:
            return None
        if self._is_open:
            return ANY.encode()
        return origin if origin in self._origins else None

    def _added(self, allowed: bytes | None) -> list[tuple[bytes, bytes]]:
        vary = [] if self._is_open else [_VARY]
        if allowed is None:
            return vary
        return [*vary, (b"access-control-allow-origin", allowed), (b"access-control-expose-headers", _EXPOSE)]


async def _answer_preflight(send: Send, allowed: bytes, asked: Mapping[bytes, bytes]) -> None:
    """Allows all methods of the API and the requested headers. The headers are listed, because `*` does not include
    Authorization.
    """
    answered = [
        _VARY_PREFLIGHT,
        (b"access-control-allow-origin", allowed),
        (b"access-control-allow-methods", METHODS.encode()),
        (b"access-control-max-age", str(MAX_AGE_SECONDS).encode()),
    ]
    if headers := asked.get(b"access-control-request-headers"):
        answered.append((b"access-control-allow-headers", headers))
    if asked.get(b"access-control-request-private-network") == b"true":
        # Browsers ask this for a page from the internet when this server is in a private network or on the same machine.
        answered.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": answered})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
