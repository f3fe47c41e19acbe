"""The sockets that the API listens on, and the server behind them, which answers everybody whom it has let in before it ends.

`app.server.http_protocol` is what happens on a connection.

Why sockets are made apart from the server: `koe serve` makes them, and every API process that it starts inherits them. While
there is none, connections wait in the kernel's line instead of being refused; while an old one leaves and a new one comes, both
take from the same line.

Why the server lingers: a request may be on its way on a connection that is already let in, and closing that connection loses
it. So an idle connection is heard for a moment longer, and each answer that begins then says that it is the last one.
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

from app.core.errors import SettingsError
from app.core.host import descriptors
from app.core.request_limits import SPARE_FILES, Bounds
from app.core.settings import EVERY_ADDRESS, EVERY_IPV4
from app.server.http_protocol import HttpProtocol, Shared

log: Final = structlog.get_logger()

BACKLOG: Final = 2048
"""Connections that wait while nobody takes them; the kernel may allow fewer."""
_LINGER_SECONDS: Final = 2.0
_LINGER_CHECK_SECONDS: Final = 0.05
_CHECK_TICKS: Final = 10
"""Of uvicorn's tenths of a second, between two looks at what has taken too long."""
_WARN_SECONDS: Final = 60.0
"""Between two lines of the log that say the same."""
_NOT_HERE: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""How an address of a kind that this machine lacks is refused: `localhost` is often two addresses, and one is enough."""


class AddressTaken(RuntimeError):
    """Another process listens there; the address may be free later."""


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Sockets that listen at every address of `host`, all on the same port, a free one for 0; closed at the end of the block.
    Raises SettingsError when the address cannot be had, and AddressTaken while another process has it.
    """
    with ExitStack() as opened:
        try:
            sockets = _listen(host, port, opened)
        except OSError as error:
            kind = AddressTaken if error.errno == errno.EADDRINUSE else SettingsError
            raise kind(
                f"Koe cannot listen on {host}:{port} ({_reason(error)}). Set KOE_HOST and KOE_PORT to an address that is free."
            ) from error
        yield sockets


@contextmanager
def adopted(numbers: Iterable[int]) -> Iterator[list[socket.socket]]:
    """The listening sockets behind inherited file descriptors, which go no further; closed at the end of the block."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket(fileno=number)) for number in numbers]
        for listener in sockets:
            listener.set_inheritable(False)
        yield sockets


def _reason(error: OSError) -> str:
    """The system's words; `create_server` adds the address to them, which stands in the sentence already."""
    return os.strerror(error.errno) if error.errno is not None and error.errno in errno.errorcode else str(error.strerror)


def port_of(sockets: Sequence[socket.socket]) -> int:
    """The port on which they all listen."""
    port: int = sockets[0].getsockname()[1]
    return port


def serve_app(
    app: ASGIApp, sockets: list[socket.socket], bounds: Bounds, on_listening: Callable[[], None] = lambda: None
) -> None:
    """Serves until SIGTERM or SIGINT; then takes no new connection, and returns when all answers are out. `on_listening` is
    called once the application has started and requests are taken.

    `scope["state"]["leaving"]` is an `asyncio.Event` that is set when the end begins: an answer that would go on for as long as
    something else does, such as server-sent events, ends then.
    """
    descriptors.raise_limit()
    with suppress(KeyboardInterrupt):
        Server(app, bounds, on_listening).run(sockets)


def _listen(host: str, port: int, opened: ExitStack) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    refused: OSError | None = None
    for family, address in _addresses(host, port):
        if address == EVERY_IPV4 and sockets and socket.has_dualstack_ipv6():
            continue  # One socket for `::` is enough for both families.
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
    """Each address of `host` once; for `::` and an empty one every address of this machine, of both families."""
    if host in (EVERY_ADDRESS, ""):
        return [(socket.AF_INET6, EVERY_ADDRESS), (socket.AF_INET, EVERY_IPV4)]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


class Server(uvicorn.Server):
    """Uvicorn's, that says when it listens, ends what takes too long, and lingers."""

    def __init__(self, app: ASGIApp, bounds: Bounds, on_listening: Callable[[], None], **options: Any) -> None:
        """`options` are uvicorn's, beside those that are set here."""
        self._shared = Shared()
        self._bounds = _within_files(bounds)
        protocol: Any = partial(HttpProtocol, bounds=self._bounds, shared=self._shared)
        fixed = {"ws": "none", "backlog": BACKLOG, "log_config": None, "access_log": False, "server_header": False}
        super().__init__(uvicorn.Config(app, http=protocol, **({"lifespan": "on"} | options | fixed)))
        self._on_listening = on_listening
        self._n_told = 0
        self._warned_at = -_WARN_SECONDS

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        self.lifespan.state["leaving"] = self._leaving = asyncio.Event()
        await super().startup(sockets)
        log.info("api_listens", addresses=[_show(listener) for listener in sockets or []])
        self._on_listening()

    async def on_tick(self, counter: int) -> bool:
        """See uvicorn.Server."""
        if counter % _CHECK_TICKS == 0:
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, HttpProtocol):
                    connection.check(now)
            self._warn(now)
        return await super().on_tick(counter)

    def _warn(self, now: float) -> None:
        """Says once a minute at most that there is no room for more connections, or that there are no files left for any."""
        if now - self._warned_at < _WARN_SECONDS:
            return
        if not descriptors.are_left():
            log.warning(
                "no_files_left",
                limit=descriptors.limit(),
                reason="The process has as many files open as it may, and new connections are closed. Raise its limit "
                "(ulimit -n, LimitNOFILE=, --ulimit nofile=).",
            )
        elif self._shared.n_refused + self._shared.n_closed > self._n_told:
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
        self._warned_at, self._n_told = now, self._shared.n_refused + self._shared.n_closed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        for server in self.servers:
            server.close()
        self._leaving.set()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await self._linger()
        await super().shutdown(sockets)

    async def _linger(self) -> None:
        """Ends when the last connection has. Who is answered from now on is told to close; the others may not know yet."""
        idle_since: dict[Any, float] = {}
        while True:
            # At first as well: a connection that was just let in is known to the server at the loop's next turn.
            await asyncio.sleep(_LINGER_CHECK_SECONDS)
            connections = list(self.server_state.connections)
            if not connections or self.force_exit:
                return
            now = time.monotonic()
            idle_since = {connection: idle_since.get(connection, now) for connection in connections if _is_idle(connection)}
            for connection, since in idle_since.items():
                if now - since >= _LINGER_SECONDS:
                    connection.shutdown()


def _is_idle(connection: Any) -> bool:
    """Whether no request is being answered on it."""
    return not isinstance(connection, HttpProtocol) or connection.is_idle


def _within_files(bounds: Bounds) -> Bounds:
    """As many connections as the process may have files open for."""
    n_most = max(1, int(descriptors.limit() * (1 - SPARE_FILES)))
    return msgspec.structs.replace(bounds, n_connections=min(bounds.n_connections, n_most))


def _show(listener: socket.socket) -> str:
    address = listener.getsockname()
    return f"[{address[0]}]:{address[1]}" if listener.family == socket.AF_INET6 else f"{address[0]}:{address[1]}"
