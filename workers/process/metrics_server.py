"""`KOE_METRICS_PORT`: a worker serves its own metrics, for a Prometheus that scrapes every process.

Why a taken port does not end the worker: speech is worth more than its metrics, which the API shows too. While `koe serve`
renews a worker, the old one still has the port; the new one gets it when the old one begins to end.
"""

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, generate_latest

from app.core.metrics.families import VITALS, Families
from app.core.queue.fleet import Registration

log: Final = structlog.get_logger()

_MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_AGAIN_SECONDS: Final = 2.0
"""Interval at which a port that is taken is tried again."""
_REMEDY: Final = "Give each `koe worker` of a machine its own KOE_METRICS_PORT, or 0 for a free one."
_POLL_SECONDS: Final = 0.25
"""Longest time until a server notices that it must stop."""
_REQUEST_SECONDS: Final = 5.0
"""Longest time that a connection may take for its request."""


def show_worker(registry: CollectorRegistry, registration: Registration) -> bytes:
    """The metrics of one worker in Prometheus' text format."""
    families = Families(VITALS)
    families.add_workers([registration])
    return generate_latest(registry) + generate_latest(families)


class MetricsServer:
    """Serves `GET /metrics` from `start` to `stop`, in threads of its own. Without a port it does nothing."""

    def __init__(self, host: str, port: int | None, read: Callable[[], bytes]) -> None:
        """`port`: 0 takes a free one. `read` returns the text."""
        self._host = host
        self._port = port
        self._handler = _handler_of(read)
        self.port: int | None = None
        """The port that it listens on; None before it does."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics port", daemon=True)

    def start(self) -> None:
        """Begins to listen, at once or when the port becomes free."""
        if self._port is not None:
            self._thread.start()

    def stop(self) -> None:
        """Closes the port."""
        self._stopping.set()
        if self._port is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                server = _open(self._host, self._port or 0, self._handler)
            except OSError as error:
                log.error("metrics_port_taken", port=self._port, reason=error.strerror, remedy=_REMEDY)
                self._stopping.wait(_AGAIN_SECONDS)
            else:
                with server:
                    self._serve(server)

    def _serve(self, server: ThreadingHTTPServer) -> None:
        log.info("metrics_served", host=self._host, port=server.server_port)
        self.port = server.server_port
        while not self._stopping.is_set():
            server.handle_request()


def _open(host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> ThreadingHTTPServer:
    """Listens on the first address of the host. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    kind = type("MetricsHttp", (ThreadingHTTPServer,), {"address_family": family, "timeout": _POLL_SECONDS})
    server: ThreadingHTTPServer = kind(address[:2], handler)
    return server


def _handler_of(read: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    """Returns a handler that answers `GET /metrics` and nothing else, and logs nothing."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            text = read()
            self.send_response(200)
            self.send_header("content-type", _MEDIA_TYPE)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
