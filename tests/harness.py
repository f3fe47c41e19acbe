"""A harness for tests: a real Valkey, a real worker pool and a real API on loopback, in this process.

Why in this process: a test can hand the pool an engine that fails or waits on command. `tests/end_to_end/test_serve.py` starts
the real processes.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from openai import AsyncOpenAI, OpenAI

from app.asgi import create_app
from app.core.settings import Settings, read_settings
from app.core.storage.connections import connect
from app.core.storage.embedded_server import EmbeddedServer
from app.server.http_server import Server, listening, port_of
from app.server.wyoming_server import open_wyoming_server
from workers.engines.base import Engine
from workers.engines.registry import Loaded
from workers.engines.tone import ToneEngine
from workers.process.pool import Pool


def wait_until(holds: Callable[[], Any], seconds: float = 30.0) -> None:
    """Returns as soon as the condition holds; fails if it does not hold within `seconds`. Tests wait in this way only."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "the condition did not hold in time"
        time.sleep(0.01)


def free_port() -> int:
    """Returns a port on loopback that no process uses now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class _ServerWithoutLinger(Server):
    """A server that stops without waiting for idle connections."""

    async def _linger(self) -> None:
        pass


class Api:
    """The API on a free port, in a thread."""

    def __init__(self, settings: Settings, redis_url: str) -> None:
        self._started = threading.Event()
        options: dict[str, Any] = {"host": "127.0.0.1", "port": 0, "timeout_graceful_shutdown": 1}
        app = create_app(settings, redis_url)
        self._open = ExitStack()
        address = settings.wyoming_address
        sockets = self._open.enter_context(listening(*address)) if address else []
        self.wyoming_port = port_of(sockets) if sockets else 0
        wyoming = open_wyoming_server(app.wyoming, sockets)
        self._server = _ServerWithoutLinger(app, settings.bounds, self._started.set, wyoming, **options)
        self._thread = threading.Thread(target=self._server.run, name="api", daemon=True)

    def start(self) -> str:
        """Starts the API. Returns its address when it listens."""
        self._thread.start()
        assert self._started.wait(30)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """Stops the API and breaks off the requests that remain."""
        self._server.should_exit = True
        self._thread.join()
        self._open.close()


@dataclass
class Harness:
    """A running harness and its addresses."""

    url: str
    redis_url: str
    settings: Settings
    server: EmbeddedServer
    pool: Pool | None
    wyoming_port: int = 0
    """0 without the setting KOE_WYOMING."""
    clients: list[OpenAI] = field(default_factory=list)

    def http(self, **options: Any) -> httpx.Client:
        """A plain HTTP client."""
        return httpx.Client(base_url=self.url, timeout=60, **options)

    def openai(self, **options: Any) -> OpenAI:
        """The official client, without its retries, so that a test sees the first answer."""
        as_usual: dict[str, Any] = {"api_key": "none", "max_retries": 0}
        self.clients.append(OpenAI(base_url=f"{self.url}/v1", **(as_usual | options)))
        return self.clients[-1]

    def async_openai(self, **options: Any) -> AsyncOpenAI:
        """The official client for asyncio, without its retries."""
        as_usual: dict[str, Any] = {"api_key": "none", "max_retries": 0}
        return AsyncOpenAI(base_url=f"{self.url}/v1", **(as_usual | options))

    def redis(self) -> Any:
        """A connection to its Valkey."""
        return connect(self.redis_url)


@contextmanager
def open_harness(
    data: Path, engines: Mapping[str, Engine] | None = None, /, *, missing: str | None = None, **environ: str
) -> Iterator[Harness]:
    """Opens a harness with these engines (by default `tone`) and these `KOE_` settings, and ends it with the context. Without
    any engine it has no worker.

    Segments are not cached for other texts unless a setting says so: each test of a shared harness must reach its own engine.
    """
    settings = read_settings({"KOE_DATA": str(data), "KOE_THREADS": "2", "KOE_SEGMENT_BYTES": "0", **environ})
    server = EmbeddedServer(settings.data)
    server.start()
    engines = {"tone": ToneEngine()} if engines is None else dict(engines)
    workers = Pool(settings, server.url, Loaded(engines, missing)) if engines else None
    api = Api(settings, server.url)
    try:
        if workers is not None:
            workers.warm_up()
            workers.start()
        harness = Harness(api.start(), server.url, settings, server, workers, api.wyoming_port)
        yield harness
        for client in harness.clients:
            client.close()
    finally:
        api.stop()
        if not server.is_running():
            server.start()
        if workers is not None:
            workers.stop()
        server.stop()
