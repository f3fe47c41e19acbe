"""The path under which a proxy serves the API: `KOE_ROOT_PATH`, or the proxy's `X-Forwarded-Prefix`.

Why both: some proxies cannot send the header. Only `Location` and the description use the path; links between the pages are
relative. A proxy may leave the path in the URL or remove it.

Why the setting excludes the header: where a proxy passes a client's header on, `/v1/metrics` below `/v1` is `/metrics`, and a
proxy that routes only `/v1` would let everybody read it.
"""

from typing import Final

from litestar.types import ASGIApp, Receive, Scope, Send

from app.api.facts import is_request
from app.core.url_path import is_path

_HEADER: Final = b"x-forwarded-prefix"
_STATE: Final = "prefix"


class Prefixed:
    """`app` under `root_path` (`/` is none); if that is empty, under the path that the proxy names."""

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if is_request(scope) and (prefix := self._prefix(scope)):
            scope.setdefault("state", {})[_STATE] = prefix
            if scope["path"] == prefix or scope["path"].startswith(f"{prefix}/"):
                scope["path"] = scope["path"].removeprefix(prefix) or "/"
                scope["raw_path"] = scope["raw_path"].removeprefix(prefix.encode()) or b"/"
        await self._app(scope, receive, send)

    def _prefix(self, scope: Scope) -> str:
        if self._root_path:
            return self._root_path.rstrip("/")
        forwarded = next((value.decode("latin-1").rstrip("/") for name, value in scope["headers"] if name == _HEADER), "")
        return forwarded if is_path(forwarded) else ""


def prefix_of(scope: Scope) -> str:
    """The prefix for paths in the answer to this request; usually empty."""
    prefix: str = scope.get("state", {}).get(_STATE, "")
    return prefix
