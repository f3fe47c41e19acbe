"""The sockets of the API and its server: every accepted request is answered."""

import errno
import os
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from app.core.errors import SettingsError
from app.core.host import descriptors
from app.core.request_limits import Bounds
from app.server import http_server
from app.server.http_server import Server, adopted, listening, port_of
from tests.harness import wait_until

REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answers `hello`; at `/watch` when the server begins to end; at `/begun` it sends the headers before that."""
    if scope["path"] == "/watch":
        await scope["state"]["leaving"].wait()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    if scope["path"] == "/begun":
        await scope["state"]["leaving"].wait()
    await send({"type": "http.response.body", "body": b"hello"})


@contextmanager
def serving() -> Iterator[tuple[Server, int]]:
    """Yields a server of `hello` and its port. The server ends after the block."""
    started = threading.Event()
    with listening("127.0.0.1", 0) as sockets:
        port = port_of(sockets)
        serving = Server(hello, Bounds(), started.set, lifespan="off")
        thread = threading.Thread(target=serving.run, args=(sockets,), daemon=True)
        thread.start()
        assert started.wait(30)
        yield serving, port
        serving.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def leave(serving: Server, port: int) -> None:
    """Tells the server to end, and returns when it accepts no more connections."""
    serving.should_exit = True
    wait_until(lambda: refuses(port))


def ask(connection: socket.socket, request: bytes = REQUEST) -> bytes:
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b"hello"):
        data = connection.recv(4096)
        if not data:
            break
        answer += data
    return answer


def test_a_late_request_on_an_accepted_connection_is_answered_and_is_its_last() -> None:
    with serving() as (leaving, port), socket.create_connection(("127.0.0.1", port)) as connection:
        wait_until(lambda: leaving.server_state.connections)
        leave(leaving, port)

        answer = ask(connection)

        assert answer.startswith(b"HTTP/1.1 200")
        assert b"\r\nconnection: close\r\n" in answer
        assert connection.recv(1) == b""


def test_the_next_request_on_a_kept_alive_connection_is_answered_too() -> None:
    with serving() as (leaving, port), socket.create_connection(("127.0.0.1", port)) as connection:
        assert b"connection: close" not in ask(connection)
        leave(leaving, port)

        assert b"\r\nconnection: close\r\n" in ask(connection)


def test_an_answer_that_had_begun_does_not_take_the_next_request_with_it() -> None:
    with (
        serving() as (leaving, port),
        socket.create_connection(("127.0.0.1", port)) as connection,
        ThreadPoolExecutor(1) as clients,
    ):
        begun = clients.submit(ask, connection, REQUEST.replace(b"/", b"/begun", 1))
        wait_until(lambda: leaving.server_state.tasks)
        leave(leaving, port)
        assert b"connection: close" not in begun.result(30)

        assert b"\r\nconnection: close\r\n" in ask(connection)


def test_a_connection_that_stays_silent_does_not_hold_the_end_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "_LINGER_SECONDS", 0.0)
    with serving() as (leaving, port), socket.create_connection(("127.0.0.1", port)) as connection:
        wait_until(lambda: leaving.server_state.connections)
        leave(leaving, port)

        assert connection.recv(1) == b""


def test_an_endless_answer_is_notified_when_the_server_stops() -> None:
    with (
        serving() as (leaving, port),
        socket.create_connection(("127.0.0.1", port)) as connection,
        ThreadPoolExecutor(1) as clients,
    ):
        answer = clients.submit(ask, connection, REQUEST.replace(b"/", b"/watch", 1))
        wait_until(lambda: leaving.server_state.tasks)
        assert not answer.done()
        leave(leaving, port)

        assert answer.result(30).endswith(b"hello")


def test_a_name_with_several_addresses_is_listened_on_at_each_with_one_port() -> None:
    addresses = {address[4][0] for address in socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)}

    with listening("localhost", 0) as sockets:
        assert {listener.getsockname()[0] for listener in sockets} <= addresses
        assert "127.0.0.1" in {listener.getsockname()[0] for listener in sockets}
        assert {listener.getsockname()[1] for listener in sockets} == {port_of(sockets)}
        socket.create_connection(("localhost", port_of(sockets))).close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_an_address_of_the_newer_kind_is_listened_on() -> None:
    with listening("::1", 0) as sockets:
        socket.create_connection(("::1", port_of(sockets))).close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_cannot_be_had_is_one_sentence_with_the_remedy(host: str) -> None:
    with pytest.raises(SettingsError, match=f"cannot listen on {host}:0 .*Set KOE_HOST"), listening(host, 0):
        pass


def test_sockets_are_closed_at_the_end_and_an_adopted_one_is_the_same_line_of_connections() -> None:
    with listening("127.0.0.1", 0) as (listener,):
        port = port_of([listener])
        with adopted([listener.dup().detach()]) as (other,):
            assert not other.get_inheritable()
            socket.create_connection(("127.0.0.1", port)).close()
            other.settimeout(0)
            wait_until(lambda: accepts(other))
        assert not refuses(port)
    assert refuses(port)


def accepts(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


HAS_IPV6 = pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")


@HAS_IPV6
@pytest.mark.parametrize("host", ["::", ""])
def test_every_address_is_of_both_families_on_one_socket(host: str) -> None:
    with listening(host, 0) as sockets:
        assert len(sockets) == 1
        for address in ("127.0.0.1", "::1"):
            socket.create_connection((address, port_of(sockets))).close()


def test_every_address_is_had_on_a_machine_of_the_older_family(monkeypatch: pytest.MonkeyPatch) -> None:
    create = socket.create_server

    def create_older(address: Any, *, family: Any, **options: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return create(address, family=family, **options)

    monkeypatch.setattr(socket, "create_server", create_older)
    with listening("::", 0) as sockets:
        socket.create_connection(("127.0.0.1", port_of(sockets))).close()


@contextmanager
def few_files(n_left: int) -> Iterator[None]:
    """Limits this process to `n_left` more open files in the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY) for _ in range(20)]
    numbers = [int(file.name) for file in Path("/proc/self/fd").iterdir()]
    highest = max(numbers)
    spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(highest - len(numbers) + 1)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + n_left + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in [*taken, *spare]:
            os.close(number)


def test_there_may_be_as_many_connections_as_files_allow_and_a_rest() -> None:
    with few_files(100):
        n_files = descriptors.limit()
        assert http_server._within_files(Bounds()).n_connections == int(n_files * 0.75)
        assert http_server._within_files(Bounds(n_connections=7)).n_connections == 7


def test_a_process_without_files_says_so_once_and_answers_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_server, "log", structlog.get_logger())
    monkeypatch.setattr(http_server, "_CHECK_TICKS", 1)
    with capture_logs() as captured, serving() as (serving_now, port):
        clients: list[socket.socket] = []
        with few_files(10):
            with suppress(OSError):
                while len(clients) < 30:
                    clients.append(socket.create_connection(("127.0.0.1", port)))
            wait_until(lambda: any(line["event"] == "no_files_left" for line in captured))
            ticks = count_ticks(serving_now)
            wait_until(lambda: ticks() > 5)
        for client in clients:
            client.close()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            assert ask(connection).startswith(b"HTTP/1.1 200")

    warnings = [line for line in captured if line["event"] == "no_files_left"]
    assert len(warnings) == 1
    assert warnings[0]["log_level"] == "warning"
    assert "LimitNOFILE" in warnings[0]["reason"]


def count_ticks(serving: Server) -> Callable[[], int]:
    """Returns a function that counts the server's ticks from now on."""
    ticks: list[int] = []
    on_tick = serving.on_tick

    async def tick(counter: int) -> bool:
        ticks.append(counter)
        return await on_tick(counter)

    serving.on_tick = tick  # type: ignore[method-assign]
    return lambda: len(ticks)
