"""Signing a webhook, and sending it to a real server on loopback."""

import base64
import hashlib
import hmac
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.harness import free_port
from tests.receivers import Receiver, open_receiver
from workers.jobs.webhook_delivery import deliver, sign

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
BODY = '{"type":"x","data":"é"}'.encode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as receiver:
        yield receiver


def send(url: str, *, private: bool = True) -> int | None:
    return deliver(url, secret=SECRET, message_id="msg_1", body=BODY, private=private)


@pytest.mark.parametrize(
    ("secret", "key"), [(SECRET, b"0123456789abcdef0123456789abcdef"), ("plain", b"plain"), ("whsec_YWI", b"ab")]
)
def test_a_signature_is_that_of_the_spec(secret: str, key: bytes) -> None:
    digest = hmac.digest(key, b"msg_1.1700000000." + BODY, hashlib.sha256)
    assert sign(secret, "msg_1", 1_700_000_000, BODY) == "v1," + base64.b64encode(digest).decode()


def test_the_example_of_the_spec_is_signed_as_there() -> None:
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_arrives_signed(receiver: Receiver) -> None:
    assert send(receiver.url) == 200
    ((path, headers, body),) = receiver.received
    assert (path, body) == ("/hook?a=1", BODY)
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.server_port}"
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-signature"] == sign(SECRET, "msg_1", int(headers["webhook-timestamp"]), BODY)


def test_a_name_is_looked_up_and_sent_as_the_host(receiver: Receiver) -> None:
    assert send(f"http://localhost:{receiver.server_port}/") == 200
    assert receiver.received[0][1]["host"] == f"localhost:{receiver.server_port}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_no_spelling_reaches_a_private_address(host: str, receiver: Receiver) -> None:
    assert send(f"http://{host}:{receiver.server_port}/", private=False) is None
    assert receiver.received == []


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked up only once, because a second look-up may return another address."""
    asked: list[str] = []

    def look_up(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        if host != "rebind.example":
            return real(host, *args, **kwargs)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", *args, **kwargs)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert send(f"http://rebind.example:{receiver.server_port}/") == 200
    assert receiver.received[0][1]["host"] == f"rebind.example:{receiver.server_port}"
    assert asked == ["rebind.example"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int, receiver: Receiver) -> None:
    receiver.answers = [(status, {"location": receiver.url})]
    assert send(receiver.url) == status
    assert len(receiver.received) == 1


def test_no_proxy_is_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    assert send(receiver.url) == 200


@contextmanager
def server_that(answers: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that calls `answers` with its first connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                answers(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(10)


def test_of_an_endless_answer_only_the_head_is_awaited() -> None:
    def pour(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with pytest.raises(OSError):
            while True:
                connection.sendall(bytes(65_536))

    with server_that(pour) as url:
        assert send(url) == 200


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.jobs.webhook_delivery.TRY_SECONDS", 0.3)
    gone = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
        while not gone.wait(0.02):
            connection.sendall(b"x")

    with server_that(drip) as url:
        assert send(url) is None
        gone.set()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 9999 X\r\n\r\n"])
def test_an_invalid_answer_gives_none(answer: bytes) -> None:
    def answer_so(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(answer)

    with server_that(answer_so) as url:
        assert send(url) is None


def test_an_unreachable_server_gives_none() -> None:
    assert send(f"http://127.0.0.1:{free_port()}/") is None
    assert send("http://no-such-name.invalid/") is None


def test_a_certificate_is_asked_for_by_name_and_judged(receiver: Receiver) -> None:
    """The server has no certificate: it sees the name that the client asks for, but gets no webhook."""
    names: list[str | None] = []

    def shake(connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        with pytest.raises(OSError):
            context.wrap_socket(connection, server_side=True)

    with server_that(shake) as url:
        assert send(url.replace("http://127.0.0.1", "https://localhost")) is None
    assert names == ["localhost"]


def test_a_name_server_that_does_not_answer_costs_no_more_than_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.jobs.webhook_delivery.TRY_SECONDS", 0.2)
    answered, asked = threading.Event(), threading.Event()

    def look_up(*args: Any, **kwargs: Any) -> list[Any]:
        asked.set()
        assert answered.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert send("http://nobody.example/") is None
    assert asked.is_set()
    answered.set()
