"""The sockets of the API, and the server that accepts their connections and answers every accepted request before it ends.

`app.server.http_protocol` handles a connection.

Why the server does not open the sockets: `koe serve` opens them, and every API process that it starts inherits them. While no
API process runs, connections wait in the kernel's queue and are not refused; while a new process replaces an old one, both
accept from the same queue.

Why the server lingers: a request may already be on its way on an accepted connection, and closing that connection loses it. So
idle connections stay open for a moment, and every answer that begins then tells the client to close.
"""

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, Final

import msgspec
import structlog
import uvicorn
from litestar.types import ASGIApp
from typing_extensions import override

from app.core.errors import SettingsError
from app.core.host import descriptors
from app.core.request_limits import MESSAGE_BYTES, SPARE_FILES, Bounds
from app.core.settings import EVERY_ADDRESS, EVERY_IPV4
from app.server.http_protocol import HttpProtocol, Shared
from app.server.socket_protocol import SocketProtocol
from app.server.wyoming_server import WyomingServer

log: Final = structlog.get_logger()

BACKLOG: Final = 2048
"""Most connections that wait to be accepted. The kernel may allow fewer."""
_LINGER_SECONDS: Final = 2.0
_LINGER_CHECK_SECONDS: Final = 0.05
_CHECK_TICKS: Final = 10
"""Ticks of uvicorn (a tenth of a second each) between two checks for stages that have taken too long."""
_WARN_SECONDS: Final = 60.0
"""Shortest time between two warnings."""
_NOT_HERE: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""Errors for a kind of address that this machine lacks: `localhost` is often two addresses, and one is enough."""


class AddressTaken(RuntimeError):
    """Another process listens on the address; it may be free later."""


@contextmanager
def listening(host: str, port: int, names: str = "KOE_HOST and KOE_PORT") -> Iterator[list[socket.socket]]:
    """Yields sockets that listen on every address of `host`, all on the same port (a free one for 0). Closes them at the end of
    the block. Raises SettingsError when the address cannot be used, and AddressTaken while another process uses it. `names`:
    the settings that have the address.
    """
    with ExitStack() as opened:
        try:
            sockets = _listen(host, port, opened)
        except OSError as error:
            kind = AddressTaken if error.errno == errno.EADDRINUSE else SettingsError
            raise kind(
                f"Koe cannot listen on {host}:{port} ({_reason(error)}). Set {names} to an address that is free."
            ) from error
        yield sockets


@contextmanager
def adopted(numbers: Iterable[int]) -> Iterator[list[socket.socket]]:
    """Yields the listening sockets of inherited file descriptors, which child processes do not inherit again. Closes them at
    the end of the block.
    """
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket(fileno=number)) for number in numbers]
        for listener in sockets:
            listener.set_inheritable(False)
        yield sockets


def _reason(error: OSError) -> str:
    """Returns the system's message without the address that `create_server` adds, since the caller adds it too."""
    return os.strerror(error.errno) if error.errno is not None and error.errno in errno.errorcode else str(error.strerror)


def port_of(sockets: Sequence[socket.socket]) -> int:
    """Returns the port of all these sockets."""
    port: int = sockets[0].getsockname()[1]
    return port


def serve_app(
    app: ASGIApp,
    sockets: list[socket.socket],
    bounds: Bounds,
    on_listening: Callable[[], None] = lambda: None,
    wyoming: WyomingServer | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT; then accepts no new connection, and returns when all answers are complete. Calls
    `on_listening` when the application has started and requests are accepted.

    `scope["state"]["leaving"]` is an `asyncio.Event` that is set when the server begins to end: an answer without an end of its
    own, such as server-sent events, ends then.
    """
    descriptors.raise_limit()
    with suppress(KeyboardInterrupt):
        Server(app, bounds, on_listening, wyoming).run(sockets)


def _listen(host: str, port: int, opened: ExitStack) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    refused: OSError | None = None
    for family, address in _addresses(host, port):
        if address == EVERY_IPV4 and sockets and socket.has_dualstack_ipv6():
            continue  # One socket for `::` serves both families.
        is_dual = address == EVERY_ADDRESS and socket.has_dualstack_ipv6()
        try:
            listener = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise
            refused = error
        else:
            sockets.append(opened.enter_context(listener))
            port = port_of(sockets)
    if not sockets:
        raise refused or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    return sockets


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    """Returns each address of `host` once; for `::` and an empty host every address of this machine, IPv4 and IPv6."""
    if host in (EVERY_ADDRESS, ""):
        return [(socket.AF_INET6, EVERY_ADDRESS), (socket.AF_INET, EVERY_IPV4)]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


class Server(uvicorn.Server):
    """Uvicorn's server, which also reports that it listens, ends slow requests, and lingers."""

    def __init__(
        self,
        app: ASGIApp,
        bounds: Bounds,
        on_listening: Callable[[], None],
        wyoming: WyomingServer | None = None,
        **options: Any,
    ) -> None:
        """`wyoming` serves in the same process. `options` are passed to uvicorn, except the ones that are fixed here."""
        self._shared = Shared()
        self._bounds = _within_files(bounds)
        protocol: Any = partial(HttpProtocol, bounds=self._bounds, shared=self._shared)
        fixed = {
            "ws": SocketProtocol,
            "ws_max_size": MESSAGE_BYTES,
            "backlog": BACKLOG,
            "log_config": None,
            "access_log": False,
            "server_header": False,
        }
        super().__init__(uvicorn.Config(app, http=protocol, **({"lifespan": "on"} | options | fixed)))
        self._on_listening = on_listening
        self._wyoming = wyoming
        self._n_reported = 0
        self._warned_at = -_WARN_SECONDS

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state["leaving"] = self._leaving = asyncio.Event()
        await super().startup(sockets)
        log.info("api_listens", addresses=[_show(listener) for listener in sockets or []])
        if self._wyoming is not None and self.started:
            await self._wyoming.start(n_most_http=self._bounds.n_connections)
            log.info("wyoming_listens", addresses=[_show(listener) for listener in self._wyoming.sockets])
        self._on_listening()

    @override
    async def on_tick(self, counter: int) -> bool:
        if counter % _CHECK_TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, HttpProtocol):
                    connection.check(now)
            if self._wyoming is not None:
                self._wyoming.check(now)
            self._warn(now)
        return await super().on_tick(counter)

    def _warn(self, now: float) -> None:
        """Logs, at most once a minute, that connections are at their limit, or that no more files can be opened."""
        if now - self._warned_at < _WARN_SECONDS:
            return
        if not descriptors.are_left():
            log.warning(
                "no_files_left",
                limit=descriptors.limit(),
                reason="The process has as many files open as it may, and new connections are closed. Raise its limit "
                "(ulimit -n, LimitNOFILE=, --ulimit nofile=).",
            )
        elif self._shared.n_refused + self._shared.n_closed > self._n_reported:
            log.warning(
                "connections_full",
                limit=self._bounds.n_connections,
                n_closed=self._shared.n_closed,
                n_refused=self._shared.n_refused,
                reason="There were more connections than KOE_MAX_CONNECTIONS, or three quarters of the files that may be open. "
                "Idle ones were closed for new ones (n_closed since the start), or new ones refused (n_refused).",
            )
        else:
            return
        self._warned_at, self._n_reported = now, self._shared.n_refused + self._shared.n_closed

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        if self._wyoming is not None:
            self._wyoming.leave()
        self._leaving.set()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await self._linger()
        if self._wyoming is not None:
            await self._wyoming.stop()
        await super().shutdown(sockets)

    async def _linger(self) -> None:
        """Waits until the last connection has closed. Answers from now on tell the client to close. Connections without such an
        answer are closed when they have been idle for a moment.
        """
        idle_since: dict[Any, float] = {}
        while True:
            # Waits before the first check too: the server learns of a just accepted connection in the loop's next iteration.
            await asyncio.sleep(_LINGER_CHECK_SECONDS)
            connections = list(self.server_state.connections)
            if self.force_exit or not (connections or self._has_wyoming_clients()):
                return
            now = time.monotonic()
            idle_since = {connection: idle_since.get(connection, now) for connection in connections if _is_idle(connection)}
            for connection, since in idle_since.items():
                if now - since >= _LINGER_SECONDS:
                    connection.shutdown()

    def _has_wyoming_clients(self) -> bool:
        """Whether Wyoming clients are connected, after those have been closed that have taken too long."""
        if self._wyoming is None:
            return False
        self._wyoming.check(asyncio.get_running_loop().time())
        return not self._wyoming.is_empty


def _is_idle(connection: Any) -> bool:
    """Whether the connection has no request to answer. A WebSocket ends by itself when the server leaves."""
    return connection.is_idle if isinstance(connection, HttpProtocol) else not isinstance(connection, SocketProtocol)


def _within_files(bounds: Bounds) -> Bounds:
    """Limits the connections to the files that the process may open."""
    n_most = max(1, int(descriptors.limit() * (1 - SPARE_FILES)))
    return msgspec.structs.replace(bounds, n_connections=min(bounds.n_connections, n_most))


def _show(listener: socket.socket) -> str:
    address = listener.getsockname()
    return f"[{address[0]}]:{address[1]}" if listener.family == socket.AF_INET6 else f"{address[0]}:{address[1]}"
