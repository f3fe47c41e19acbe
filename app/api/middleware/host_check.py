"""Answers requests that the HTTP server has refused, and refuses requests for another host.

Why the host is checked: a web page can make its own host name resolve to this machine, and its scripts may then call a server
here. They cannot choose the name in `Host`. So a server on a loopback address without keys answers only to names that no web
page can have.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from litestar.types import ASGIApp, Receive, Scope, Send

from app.api.facts import is_request
from app.api.responses.errors import send_fault
from app.core.errors import KoeError, WrongHost

ANY: Final = "*"
_HOST: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]*?)\.?(?::\d*)?")
_MAX_SHOWN_CHARS: Final = 100


class HostCheck:
    """`app` for requests that pass the check. `names`: the accepted hosts, in addition to loopback addresses."""

    def __init__(self, app: ASGIApp, *, names: Iterable[str], asks_host: Callable[[], bool]) -> None:
        """`asks_host` tells whether the host is checked now. Only connections to a loopback address are checked."""
        self._app = app
        self._names = frozenset(name.lower().rstrip(".") for name in names)
        self._asks_host = asks_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        refusal = self._refusal(scope) if is_request(scope) else None
        if refusal is not None:
            await send_fault(scope, send, refusal)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> KoeError | None:
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


def _is_loopback_connection(scope: Scope) -> bool:
    server = scope.get("server")
    return server is not None and _is_loopback(server[0])


@lru_cache(maxsize=256)
def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
