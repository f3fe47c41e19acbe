"""The connections of Wyoming clients: how many there are, how long they wait, and how they end."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.api.live.wyoming import session
from app.asgi import create_app
from app.core.settings import read_settings
from app.server import wyoming_server
from app.server.http_server import Server, listening, port_of
from app.server.wyoming_server import WyomingServer, open_wyoming_server
from tests.harness import wait_until

SETTINGS = {"KOE_WYOMING": "tcp://127.0.0.1:0"}
PING = b'{"type": "ping"}\n'
START = b'{"type": "synthesize-start"}\n'
HALF = PING[:9]


class Served:
    """The API with a Wyoming server, in a thread; its Redis is unreachable."""

    def __init__(self, port: int, server: Server, wyoming: WyomingServer) -> None:
        self.port, self.server, self.wyoming = port, server, wyoming

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


@contextmanager
def serving(**environ: str) -> Iterator[Served]:
    settings = read_settings(SETTINGS | environ)
    started = threading.Event()
    app = create_app(settings, "redis://127.0.0.1:1")
    with listening("127.0.0.1", 0) as sockets, listening("127.0.0.1", 0) as wyoming_sockets:
        wyoming = open_wyoming_server(app.wyoming, wyoming_sockets)
        assert wyoming is not None
        server = Server(app, settings.bounds, started.set, wyoming, lifespan="off")
        thread = threading.Thread(target=server.run, args=(sockets,), daemon=True)
        thread.start()
        assert started.wait(30)
        try:
            yield Served(port_of(wyoming_sockets), server, wyoming)
        finally:
            server.should_exit = server.force_exit = True
            thread.join(30)
            assert not thread.is_alive()


def read_event(connection: socket.socket) -> tuple[str, dict[str, str]]:
    """Returns the type and the data of the next event; empty ones at the end of the connection."""
    # Not buffered: the next call must find what follows.
    with connection.makefile("rb", buffering=0) as file:
        line = file.readline()
        if not line:
            return "", {}
        head = json.loads(line)
        data = b""
        while len(data) < head.get("data_length", 0):
            data += file.read(head["data_length"] - len(data)) or b""
        return head["type"], json.loads(data or b"{}")


def ping(connection: socket.socket) -> None:
    """Returns when the server has answered."""
    connection.sendall(PING)
    assert read_event(connection)[0] == "pong"


def ending_of(connection: socket.socket) -> list[str]:
    """Returns the codes of the errors that come until the server closes the connection."""
    codes = []
    while (event := read_event(connection))[0]:
        codes += [event[1]["code"]] if event[0] == "error" else []
    return codes


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server with very short time limits."""
    for name in ("HEAD_SECONDS", "WYOMING_EVENT_SECONDS", "WYOMING_TEXT_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(session, name, 0.1)
    with serving(KOE_KEEP_ALIVE="1") as served:
        yield served


@pytest.mark.parametrize(
    ("sent", "codes"),
    [
        (b"", []),
        (PING, []),
        (HALF, ["request_timeout"]),
        (b'{"type": "ping", "data_length": 9}\n{', ["request_timeout"]),
        (START, ["no_worker", "request_timeout"]),
        (b'{"type": "synthesize-stop"}\n', ["invalid_request_error"]),
    ],
    ids=["nothing", "a request", "half a line", "half of its data", "a text that never comes", "a mistake"],
)
def test_a_client_that_takes_too_long_is_disconnected(hasty: Served, sent: bytes, codes: list[str]) -> None:
    with hasty.connect() as connection:
        connection.sendall(sent)

        assert ending_of(connection) == codes


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + PING, b"x" * 200_000, b"\x16\x03\x01\n"])
def test_what_is_no_event_is_told_and_ends_the_connection_at_once(sent: bytes) -> None:
    with serving() as served, served.connect() as connection:
        connection.sendall(sent)
        kind, data = read_event(connection)

        assert (kind, data["code"]) == ("error", "invalid_request_error")
        wait_until(lambda: served.wyoming.is_empty)
        with served.connect() as other:
            ping(other)


@pytest.mark.parametrize("sent", [b'{"type": "synthesize-stop"}\n', b'{"type": "synthesize", "data": {"text": "a"}}\n', PING])
def test_a_client_that_reads_no_answers_is_not_read_any_more_either(sent: bytes) -> None:
    with serving() as served, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(2)
        connection.connect(("127.0.0.1", served.port))

        with pytest.raises(TimeoutError):
            while True:
                connection.sendall(sent * 1000)


def test_a_connection_too_many_closes_the_one_that_has_been_idle_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wyoming_server, "WYOMING_CONNECTIONS", 2)
    with serving() as served, served.connect() as busy, served.connect() as idle:
        busy.sendall(START)
        assert [read_event(busy)[0] for _ in range(2)] == ["error", "synthesize-stopped"]
        ping(idle)
        with served.connect() as third:
            ping(third)
            assert ending_of(idle) == []
            ping(third)
        ping(busy)


def test_a_connection_too_many_is_refused_when_none_is_idle() -> None:
    with serving(KOE_MAX_CONNECTIONS="4") as served, served.connect() as busy:
        busy.sendall(START)
        assert [read_event(busy)[0] for _ in range(2)] == ["error", "synthesize-stopped"]
        with served.connect() as second:
            assert ending_of(second) == ["too_many_connections"]
        ping(busy)


def test_a_server_that_ends_accepts_nobody_and_lets_each_client_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LINGER_SECONDS", 0.1)
    with serving() as served, served.connect() as busy, served.connect() as idle:
        busy.sendall(START)
        assert [read_event(busy)[0] for _ in range(2)] == ["error", "synthesize-stopped"]
        ping(idle)

        served.server.should_exit = True

        assert ending_of(idle) == []
        with pytest.raises(ConnectionRefusedError):
            served.connect()
        ping(busy)
        busy.sendall(b'{"type": "synthesize-stop"}\n')
        assert ending_of(busy) == []
        wait_until(lambda: served.wyoming.is_empty)


def test_a_server_that_must_end_at_once_waits_for_nobody() -> None:
    with serving() as served, served.connect() as busy:
        busy.sendall(START)
        assert [read_event(busy)[0] for _ in range(2)] == ["error", "synthesize-stopped"]
        served.server.should_exit = served.server.force_exit = True

        assert ending_of(busy) == []
