"""Pages of other origins may use the API from a browser, where `KOE_CORS_ORIGINS` lets them: preflights, and our headers shown.

Why not Litestar's own: it refuses where it should only say nothing, takes any OPTIONS for a preflight, tells every origin what
one may do, and replaces a `Vary` that an answer has already. This one leaves the answers to all others as they are.

Why nothing is said of credentials: a key is sent in a header that the page sets, never by the browser of its own accord.
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
"""Headers of answers that a page may read, beside those that it may anyway."""

METHODS: Final = "GET, HEAD, POST, DELETE"
MAX_AGE_SECONDS: Final = 7200
"""How long a browser need not ask again; Chromium remembers for no longer."""

_EXPOSE: Final = ", ".join(EXPOSED).encode()
_VARY: Final = (b"vary", b"Origin")
_VARY_PREFLIGHT: Final = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")


class CrossOrigin:
    """`app`, with CORS for these origins; `*` is every one.

    With a list of them each answer says that it depends on the origin, as caches must know.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._is_open = ANY in origins
        self._origins = {origin.lower().encode() for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request and its answer, as ASGI wants it."""
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
        """What the answer says of who may read it; None when it says nothing."""
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
    """Yes, to any method of ours with any headers: `*` would not stand for Authorization, so they are named as they were."""
    answered = [
        _VARY_PREFLIGHT,
        (b"access-control-allow-origin", allowed),
        (b"access-control-allow-methods", METHODS.encode()),
        (b"access-control-max-age", str(MAX_AGE_SECONDS).encode()),
    ]
    if headers := asked.get(b"access-control-request-headers"):
        answered.append((b"access-control-allow-headers", headers))
    if asked.get(b"access-control-request-private-network") == b"true":
        # Asked of a page from the internet, where this server is in a private network or on the same machine.
        answered.append((b"access-control-allow-private-network", b"true"))
    await send({"type": "http.response.start", "status": 204, "headers": answered})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
