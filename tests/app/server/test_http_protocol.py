"""One connection: offers of other protocols, old clients, and input that is too large, too slow or not HTTP."""

import asyncio
import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from app.api.responses.errors import send_fault
from app.core.errors import KoeError
from app.core.request_limits import HEAD_BYTES, HEADERS, REQUESTS_AHEAD, Bounds
from app.server import http_protocol
from app.server.http_server import Server, listening, port_of
from tests.harness import wait_until

BODY = b'{"input": "as it was sent"}'
POST = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(BODY)
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
GET = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class App:
    """Answers `hello` in two pieces; at `/echo` the request's body. `/held` waits until `held` is set; `/halves` sends half."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(scope)
        try:
            if refusal := scope["state"].get("refusal"):
                await send_fault(scope, send, refusal)
            else:
                await self._answer(scope, receive, send)
        except KoeError as error:
            await send_fault(scope, send, error)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        whole = b"hello"
        if scope["path"] == "/echo":
            whole, more = b"", True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return
                whole, more = whole + message["body"], message["more_body"]
        if scope["path"] == "/held":
            await asyncio.to_thread(self.held.wait)
        headers = [(b"content-length", b"5")] if scope["path"] == "/counted" else []
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        half = len(whole) // 2
        await send({"type": "http.response.body", "body": whole[:half], "more_body": True})
        if scope["path"] != "/halves":
            await send({"type": "http.response.body", "body": whole[half:]})


@dataclass
class Served:
    port: int
    app: App
    server: Server

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def ask(self, sent: bytes) -> bytes:
        """Sends `sent`. Returns everything that comes back until the server closes."""
        with self.connect() as connection:
            connection.sendall(sent)
            return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(65_536):
        received += data
    return received


def read_answer(connection: socket.socket, end: bytes = b"0\r\n\r\n") -> bytes:
    received = b""
    while not received.endswith(end):
        data = connection.recv(65_536)
        assert data, received
        received += data
    return received


def body_of(answer: bytes) -> bytes:
    """Returns the body of an answer in chunks."""
    chunks = answer.partition(b"\r\n\r\n")[2]
    assert chunks.endswith(b"0\r\n\r\n"), answer
    return b"".join(re.findall(rb"[0-9a-f]+\r\n(.+?)\r\n", chunks, re.DOTALL))


def fault_of(answer: bytes) -> tuple[int, str]:
    """Returns status and code of a refusal, which is the last answer of its connection."""
    head, _, body = answer.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    assert b"\r\ncontent-type: application/json" in head
    return int(head[:3]), json.loads(body)["error"]["code"]


@contextmanager
def serving(bounds: Bounds | None = None) -> Iterator[Served]:
    started, app = threading.Event(), App()
    with listening("127.0.0.1", 0) as sockets:
        server = Server(app, bounds or Bounds(), started.set, lifespan="off", timeout_graceful_shutdown=1)
        thread = threading.Thread(target=server.run, args=(sockets,), daemon=True)
        thread.start()
        assert started.wait(30)
        try:
            yield Served(port_of(sockets), app, server)
        finally:
            app.held.set()
            server.should_exit = server.force_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server with very short time limits."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(http_protocol, "BODY_SECONDS", 0.2)
    with serving(Bounds(keep_alive_seconds=0.2)) as served:
        yield served


OFFERS = {
    "h2c": H2C,
    "h2c, its first header": b"Upgrade: h2c\r\nConnection: upgrade\r\n",
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
    "TLS": b"Connection: keep-alive, Upgrade\r\nUpgrade: TLS/1.0\r\n",
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("at_once", [True, False])
def test_an_offer_of_another_protocol_is_ignored_and_the_body_is_whole(served: Served, offer: bytes, at_once: bool) -> None:
    with served.connect() as connection:
        sent = POST + offer + b"\r\n" + BODY
        for piece in [sent] if at_once else [sent[i : i + 1] for i in range(len(sent))]:
            connection.sendall(piece)
        answer = read_answer(connection)

        assert answer.startswith(b"HTTP/1.1 200")
        assert body_of(answer) == BODY
        connection.sendall(GET)
        assert body_of(read_answer(connection)) == b"hello"


def test_an_offer_with_a_body_in_chunks_and_later_requests_loses_nothing(served: Served) -> None:
    chunked = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" + H2C + b"\r\n"
    last = POST + H2C.replace(b"Upgrade,", b"close, Upgrade,") + b"\r\n" + BODY
    answer = served.ask((chunked + b"5\r\nfirst\r\n7\r\n, whole\r\n0\r\n\r\n") * 2 + last)

    assert [body_of(one + b"0\r\n\r\n") for one in answer.split(b"0\r\n\r\n")[:-1]] == [b"first, whole"] * 2 + [BODY]


def test_the_application_sees_no_offer(served: Served) -> None:
    served.ask(POST + b"Connection: close, Upgrade\r\nUpgrade: h2c\r\nX-Other: kept\r\n\r\n" + BODY)

    headers = dict(served.app.asked[-1]["headers"])
    assert b"upgrade" not in headers
    assert headers[b"x-other"] == b"kept"


def test_a_client_of_http_1_0_gets_no_chunks_and_the_end_of_the_connection(served: Served) -> None:
    answer = served.ask(POST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + BODY)
    head, _, body = answer.partition(b"\r\n\r\n")

    assert b"transfer-encoding" not in head
    assert b"\r\nconnection: close" in head
    assert body == BODY


def test_a_client_of_http_1_0_gets_a_length_where_it_is_known(served: Served) -> None:
    answer = served.ask(b"GET /counted HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")

    assert b"content-length: 5" in answer
    wait_until(lambda: not served.server.server_state.connections)
    assert answer.endswith(b"\r\n\r\nhello")


def test_half_an_answer_is_not_taken_for_the_whole_by_a_client_of_http_1_0(served: Served) -> None:
    with pytest.raises(ConnectionResetError):
        served.ask(b"GET /halves HTTP/1.0\r\n\r\n")


def test_half_an_answer_in_chunks_has_no_last_chunk(served: Served) -> None:
    answer = served.ask(b"GET /halves HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert answer.endswith(b"\r\n2\r\nhe\r\n")


TOO_LARGE = {
    "a value": b"X: " + b"a" * (2 * HEAD_BYTES),
    "a name": b"X" * (2 * HEAD_BYTES),
    "many headers": b"a: b\r\n" * (HEADERS + 1) + b"\r\n",
    "many bytes": b"".join(b"h%d: %b\r\n" % (i, b"v" * 1000) for i in range(80)) + b"\r\n",
    "an offer": H2C + b"X: " + b"a" * (2 * HEAD_BYTES) + b"\r\n\r\n",
}


@pytest.mark.parametrize("headers", TOO_LARGE.values(), ids=TOO_LARGE)
def test_headers_that_are_too_large_are_refused_in_words(served: Served, headers: bytes) -> None:
    assert fault_of(served.ask(b"GET / HTTP/1.1\r\n" + headers)) == (431, "headers_too_large")


def test_a_path_that_is_too_large_is_refused(served: Served) -> None:
    assert fault_of(served.ask(b"GET /" + b"a" * (2 * HEAD_BYTES))) == (431, "headers_too_large")


def test_headers_within_the_limits_are_taken(served: Served) -> None:
    many = b"".join(b"h%d: %b\r\n" % (i, b"v" * 500) for i in range(HEADERS - 3))

    assert served.ask(b"GET / HTTP/1.1\r\nConnection: close\r\n" + many + b"\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "trailers", [b"a: b\r\n" * (HEADERS + 1) + b"\r\n", b"x: " + b"a" * (3 * HEAD_BYTES)], ids=["many", "a large one"]
)
def test_trailers_have_the_same_limits(served: Served, trailers: bytes) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert fault_of(served.ask(head + b"5\r\nhello\r\n0\r\n" + trailers)) == (431, "headers_too_large")


def test_trailers_are_no_headers(served: Served) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = served.ask(head + b"5\r\nhello\r\n0\r\nAuthorization: Bearer key\r\n\r\n")

    assert body_of(answer) == b"hello"
    assert b"authorization" not in dict(served.app.asked[-1]["headers"])


def test_the_memory_that_a_head_without_end_takes_is_bounded(served: Served) -> None:
    sent = 0
    with served.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        with suppress(ConnectionError):
            for _ in range(512):
                connection.sendall(b"a" * 65_536)
                sent += 65_536
        with suppress(ConnectionError):
            read_all(connection)

    assert served.app.asked[-1]["state"]["refusal"].code == "headers_too_large"
    assert sum(len(value) for _, value in served.app.asked[-1]["headers"]) <= HEAD_BYTES


NO_HTTP = {
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), "http://"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2"),
    "noise": (bytes(range(256)) * 100, ""),
    "a length and chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
    "two lengths": (POST + b"Content-Length: 6\r\n\r\n" + BODY, ""),
    "a proxy's method": (b"CONNECT koe:443 HTTP/1.1\r\nHost: koe\r\n\r\n", "proxy"),
    "another version": (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", ""),
    "a path that is not ASCII": (b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", ""),
    "a bad chunk": (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY, ""),
}


@pytest.mark.parametrize(("sent", "words"), NO_HTTP.values(), ids=NO_HTTP)
def test_data_that_is_no_http_is_answered_with_an_error_object(served: Served, sent: bytes, words: str) -> None:
    answer = served.ask(sent)

    assert fault_of(answer) == (400, "bad_http")
    assert words in answer.decode()


def test_bad_http_after_a_good_request_does_not_disturb_its_answer(served: Served) -> None:
    answer = served.ask(POST + b"\r\n" + BODY + b"\x00\x01 nonsense\r\n\r\n")

    first, _, rest = answer.partition(b"0\r\n\r\n")
    assert body_of(first + b"0\r\n\r\n") == BODY
    assert fault_of(rest) == (400, "bad_http")


def test_nothing_follows_the_last_answer_on_a_connection(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    capture = LogCapture()
    monkeypatch.setattr(http_protocol, "log", structlog.wrap_logger(None, [capture]))

    old = GET.replace(b"HTTP/1.1\r\n", b"HTTP/1.0\r\nConnection: keep-alive\r\n")
    answer = served.ask(old + b"\x00\x01 nonsense\r\n\r\n")

    wait_until(lambda: not served.server.server_state.connections)
    assert answer.endswith(b"\r\n\r\nhello")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert capture.entries == []


def test_requests_that_are_sent_ahead_are_answered_in_order_up_to_a_number() -> None:
    with serving() as served, served.connect() as connection:
        connection.sendall(GET.replace(b"/hello", b"/held"))
        wait_until(lambda: served.app.asked)
        connection.sendall(GET * (REQUESTS_AHEAD + 10))
        wait_until(lambda: [one._stage for one in served.server.server_state.connections] == [http_protocol.Stage.REFUSED])  # type: ignore[union-attr]
        served.app.held.set()
        answer = read_all(connection)

    assert answer.count(b"HTTP/1.1 200") == 1 + REQUESTS_AHEAD
    assert fault_of(answer) == (429, "too_many_requests_ahead")


def test_a_connection_that_says_nothing_is_closed(hasty: Served) -> None:
    assert hasty.ask(b"") == b""
    assert hasty.app.asked == []


def test_half_a_head_is_refused_after_its_time(hasty: Served) -> None:
    assert fault_of(hasty.ask(b"GET / HTTP/1.1\r\nHost: lo")) == (408, "request_timeout")


@pytest.mark.parametrize("sent", [POST + b"\r\n" + BODY[:5], POST + H2C + b"\r\n" + BODY[:5]], ids=["plain", "after an offer"])
def test_half_a_body_is_refused_after_its_time(hasty: Served, sent: bytes) -> None:
    assert fault_of(hasty.ask(sent)) == (408, "request_timeout")


def test_an_idle_connection_is_closed_after_the_time_that_is_set(hasty: Served) -> None:
    answer = hasty.ask(GET)

    assert body_of(answer) == b"hello"
    assert b"connection: close" not in answer


def test_an_answer_that_takes_longer_than_all_that_is_not_disturbed(hasty: Served) -> None:
    with hasty.connect() as connection:
        connection.sendall(GET.replace(b"/hello", b"/held") + b"GET / HT")
        wait_until(lambda: hasty.app.asked)
        held = next(iter(hasty.server.server_state.connections))
        wait_until(lambda: held._deadline > held.loop.time() + 0.1)  # type: ignore[union-attr]
        n_checks = count_checks(held)
        wait_until(lambda: n_checks() > 2)
        hasty.app.held.set()
        connection.sendall(b"TP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = read_all(connection)

    assert answer.count(b"HTTP/1.1 200") == 2


def count_checks(connection: Any) -> Any:
    """Returns a function that counts the server's checks of the connection from now on."""
    checked: list[float] = []
    check = connection.check

    def check_and_count(now: float) -> None:
        checked.append(now)
        check(now)

    connection.check = check_and_count
    return lambda: len(checked)


def test_more_connections_than_there_may_be_get_503_until_some_leave() -> None:
    with serving(Bounds(n_connections=2)) as served:
        kept = [busy(served) for _ in range(2)]
        wait_until(lambda: len(served.app.asked) == 2)

        answer = served.ask(POST + b"\r\n" + BODY)
        assert fault_of(answer) == (503, "too_many_connections")
        assert b"\r\nretry-after: " in answer

        for connection in kept:
            connection.close()
        wait_until(lambda: not served.server.server_state.connections)
        assert served.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")


def test_many_more_connections_than_that_are_closed_at_once() -> None:
    with serving(Bounds(n_connections=1)) as served:
        kept = [busy(served)]
        wait_until(lambda: served.app.asked)
        kept += [served.connect() for _ in range(30)]
        wait_until(lambda: served.server._shared.n_refused >= 20)
        assert len(served.server.server_state.connections) <= 10
        for connection in kept:
            connection.close()


def busy(served: Served) -> socket.socket:
    """Returns a connection that waits for an answer."""
    connection = served.connect()
    connection.sendall(GET.replace(b"/hello", b"/held"))
    return connection


def test_idle_connections_are_closed_for_new_ones_the_longest_idle_first() -> None:
    with serving(Bounds(n_connections=3)) as served, busy(served) as answered, served.connect() as silent:
        wait_until(lambda: len(served.server.server_state.connections) == 2)
        with served.connect() as kept:
            kept.sendall(GET)
            read_answer(kept)

            with served.connect() as new:
                new.sendall(GET)
                assert body_of(read_answer(new)) == b"hello"
                assert silent.recv(1) == b""
                kept.sendall(GET)
                assert body_of(read_answer(kept)) == b"hello"

        served.app.held.set()
        assert body_of(read_answer(answered)) == b"hello"
        assert (served.server._shared.n_closed, served.server._shared.n_refused) == (1, 0)


def test_clients_that_say_nothing_keep_nobody_out() -> None:
    with serving(Bounds(n_connections=5)) as served:
        silent = [served.connect() for _ in range(50)]
        assert served.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")).startswith(b"HTTP/1.1 200")
        wait_until(lambda: len(served.server.server_state.connections) <= 5)
        for connection in silent:
            connection.close()
        assert not served.server._shared.n_refused


def test_a_client_that_resets_leaves_nothing_in_the_log(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    for sent in (GET[:10], POST + b"\r\n" + BODY[:3], GET.replace(b"/hello", b"/held"), GET, GET * 20):
        connection = served.connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(sent)
        connection.close()
    served.app.held.set()
    wait_until(lambda: not served.server.server_state.connections)

    assert [record for record in caplog.records if record.name != "httpx"] == []
