"""Bytes that no client library sends: garbage, wrong lengths, half a request. The server answers or hangs up, and survives."""

import json
import socket
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.harness import Harness

BODY = json.dumps({"model": "tts-1", "input": "Hello.", "voice": "alloy", "response_format": "pcm"}).encode()
HEAD = b"POST /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


def exchange(harness: Harness, sent: bytes, *, hang_up: bool = True) -> bytes:
    """Sends the bytes. Returns what comes until the server closes; `hang_up` says at once that nothing more is sent."""
    address = urlsplit(harness.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        with suppress(OSError):
            connection.sendall(sent)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
        received = b""
        with suppress(ConnectionResetError):
            while data := connection.recv(65_536):
                received += data
        return received


def status_of(answer: bytes) -> int | None:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


GARBAGE = {
    "nothing": b"",
    "noise": bytes(range(256)) * 100,
    "a greeting of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "no version": b"POST /v1/audio/speech\r\n\r\n",
    "half a line": b"POST /v1/aud",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:20],
    "more length than body": HEAD + b"Content-Length: 999999\r\n\r\n" + BODY,
    "less length than body": HEAD + b"Connection: close\r\nContent-Length: 20\r\n\r\n" + BODY,
    "a length that is none": HEAD + b"Content-Length: many\r\n\r\n" + BODY,
    "a length below zero": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "a length beyond all": HEAD + b"Content-Length: 99999999999999999999999999\r\n\r\n" + BODY,
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + BODY,
    "a bad chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY,
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + BODY[:10],
    "a head without end": HEAD + b"X: " + b"a" * 200_000,
    "a header that is not ASCII": HEAD + b"X-Request-Id: \xff\xfe\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "a path that is not ASCII": b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path with NUL": b"GET /%00/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "an upgrade": b"GET /v1/audio/speech HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "CONNECT": b"CONNECT koe:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE)
def test_garbage_never_gives_a_500_and_the_server_lives(harness: Harness, sent: bytes) -> None:
    answer = exchange(harness, sent)

    assert (status_of(answer) or 400) < 500
    with harness.http() as http:
        assert http.get("/healthz").status_code == 200


def test_a_length_that_says_too_much_is_refused_before_the_body_comes(harness: Harness) -> None:
    answer = exchange(harness, HEAD + b"Connection: close\r\nContent-Length: 1048577\r\n\r\n", hang_up=False)

    assert status_of(answer) == 413
    assert b"request_too_large" in answer


def test_two_requests_on_one_connection_are_answered_in_order(harness: Harness) -> None:
    first = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

    answer = exchange(harness, first + last, hang_up=False)

    assert status_of(answer) == 200
    assert answer.count(b"HTTP/1.1 200") == 2
    assert answer.endswith(b'{"status":"ok"}')


def test_the_answer_is_chunked_and_ends_well(harness: Harness) -> None:
    answer = exchange(harness, HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY, hang_up=False)
    head, _, body = answer.partition(b"\r\n\r\n")

    assert b"transfer-encoding: chunked" in head.lower()
    assert b"content-length" not in head.lower()
    assert body.endswith(b"0\r\n\r\n")


def test_after_all_that_the_server_still_speaks(harness: Harness) -> None:
    assert harness.openai().audio.speech.create(model="tts-1", voice="alloy", input="Still here.").content
