"""Who is answered at all: not what the server has refused already, nor a request for another host.

Why the host is looked at: a web page can have its own name resolved to this machine, and then its scripts may ask a server here
whatever they like. What they cannot do is say another name than theirs in `Host`. So a server that listens on a loopback
address, and asks nobody for a key, answers to names alone that no page has.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from app.api.responses.errors import send_fault
from app.core.errors import KoeError, WrongHost

ANY: Final = "*"
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]*?)\.?(?::\d*)?")
_MAX_SHOWN_CHARS: Final = 100


class Entrance:
    """`app`, for those who are answered. `names` are the hosts that it is called by, beside loopback addresses."""

    def __init__(self, app: ASGIApp, *, names: Iterable[str], asks_host: Callable[[], bool]) -> None:
        """`asks_host`: whether the host matters now, on a connection to a loopback address."""
        self._app = app
        self._names = frozenset(name.lower().rstrip(".") for name in names)
        self._asks_host = asks_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request and its answer, as ASGI wants it."""
        refusal = self._refusal(scope) if scope["type"] == ScopeType.HTTP else None
        if refusal is not None:
            await send_fault(scope, send, refusal)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: HTTPScope) -> KoeError | None:
        refusal: KoeError | None = scope.get("state", {}).get("refusal")
        if refusal is not None or ANY in self._names or not _is_loopback_connection(scope) or not self._asks_host():
            return refusal
        hosts = (value.decode("latin-1") for name, value in scope["headers"] if name == b"host")
        wrong = next((host for host in hosts if not self._is_known(host)), None)
        return None if wrong is None else WrongHost(wrong[:_MAX_SHOWN_CHARS])

    def _is_known(self, host: str) -> bool:
        match = _HOST.fullmatch(host.strip().lower())
        if match is None:
            return False
        name = match[1]
        return name == "localhost" or name.endswith(".localhost") or name in self._names or _is_loopback(name.strip("[]"))


def _is_loopback_connection(scope: HTTPScope) -> bool:
    server = scope.get("server")
    return server is not None and _is_loopback(server[0])


@lru_cache(maxsize=256)
def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
