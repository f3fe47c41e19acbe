"""The work for a client stops when it leaves; a client that stays or comes back gets the whole audio."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from app.core.queue.broker import QueueName, rq_queue
from tests.end_to_end.conftest import ONE_AT_A_TIME
from tests.end_to_end.listeners import SPEECH, asked, listening, n_readers, post, wait_forgotten
from tests.engines import GatedEngine, text_of
from tests.harness import Harness, wait_until

HARNESS = ONE_AT_A_TIME
MANY = 20


def whole(text: str, n_segments: int) -> int:
    """Returns the number of bytes of the whole audio as pcm."""
    return round(len(text.replace(" Sentence", "Sentence")) * 0.06 * 24_000) * 2 + (n_segments - 1) * round(0.35 * 24_000) * 2


def n_spoken(gate: GatedEngine, subject: str) -> int:
    return sum(subject in segment.text for segment in gate.spoken)


def release_until(gate: GatedEngine, done: Future[Any]) -> None:
    """Releases one segment after another until the future is done."""

    def one_more() -> bool:
        gate.release(1)
        return done.done()

    wait_until(one_more)


@contextmanager
def asking(harness: Harness, body: dict[str, object]) -> Iterator[None]:
    """Sends a request, does not read the response, and disconnects at the end of the block."""
    address = urlsplit(harness.url)
    content = json.dumps(body).encode()
    head = (
        f"POST {SPEECH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head.encode() + content)
        yield


def test_a_client_that_leaves_half_way_frees_the_slot(gated: Harness, gate: GatedEngine) -> None:
    gate.release(1)

    with listening(gated, asked(text_of(MANY, "long walk"))):
        pass
    wait_forgotten(gated)
    with ThreadPoolExecutor(1) as clients:
        other = clients.submit(post, gated, asked("Another text."))
        release_until(gate, other)

    assert other.result().status_code == 200
    assert n_spoken(gate, "long walk") < 6


@pytest.mark.parametrize("format_name", ["mp3", "opus"])
def test_a_client_that_leaves_half_way_stops_the_encoder_too(gated: Harness, gate: GatedEngine, format_name: str) -> None:
    gate.release(1)

    with listening(gated, asked(text_of(MANY, f"walk in {format_name}"), format_name)):
        pass
    wait_forgotten(gated)
    with ThreadPoolExecutor(1) as clients:
        other = clients.submit(post, gated, asked(f"Another text in {format_name}.", format_name))
        release_until(gate, other)

    assert other.result().status_code == 200
    assert n_spoken(gate, "walk in") < 6


def test_one_of_two_leaving_does_not_cancel(gated: Harness, gate: GatedEngine) -> None:
    text = text_of(4, "pair of friends")
    gate.release(1)

    with listening(gated, asked(text)) as stays:
        with listening(gated, asked(text)):
            pass
        wait_until(lambda: n_readers(gated) == 1)
        gate.release(3)
        heard = stays.hear_all()

    assert len(heard) == pytest.approx(whole(text, 4), abs=48_000)
    assert n_spoken(gate, "pair of friends") == 4


def test_the_first_of_two_leaving_does_not_cancel(gated: Harness, gate: GatedEngine) -> None:
    text = text_of(4, "pair of strangers")
    gate.release(1)

    with ThreadPoolExecutor(1) as clients:
        with listening(gated, asked(text)) as leaves:
            assert leaves.heard
            stays = clients.submit(post, gated, asked(text))
            wait_until(lambda: n_readers(gated) == 2)
        wait_until(lambda: n_readers(gated) == 1)
        gate.release(3)

    assert len(stays.result().content) == pytest.approx(whole(text, 4), abs=48_000)
    assert n_spoken(gate, "pair of strangers") == 4


def test_a_client_that_leaves_while_queued_is_never_served(gated: Harness, gate: GatedEngine) -> None:
    with ThreadPoolExecutor(2) as clients, gated.redis() as redis:
        queue = rq_queue(redis, QueueName.INTERACTIVE)
        first = clients.submit(post, gated, asked("The first in the queue."))
        gate.wait_begun(1)
        with asking(gated, asked(text_of(3, "leaver"))):
            wait_until(lambda: queue.count == 1)
        wait_until(lambda: n_readers(gated) == 1)
        last = clients.submit(post, gated, asked("The last in the queue."))
        release_until(gate, last)

    assert first.result().status_code == last.result().status_code == 200
    assert n_spoken(gate, "leaver") == 0


def test_a_client_that_leaves_before_the_first_byte_frees_the_slot(gated: Harness, gate: GatedEngine) -> None:
    with asking(gated, asked(text_of(MANY, "short temper"))):
        gate.wait_begun(1)
    wait_forgotten(gated)
    with ThreadPoolExecutor(1) as clients:
        other = clients.submit(post, gated, asked("Somebody else."))
        release_until(gate, other)

    assert other.result().status_code == 200
    assert n_spoken(gate, "short temper") < 5


@pytest.mark.parametrize("format_name", ["pcm", "mp3"])
def test_asking_again_at_once_after_leaving_gives_the_whole(gated: Harness, gate: GatedEngine, format_name: str) -> None:
    body = asked(text_of(4, "change of mind"), format_name)
    gate.release(1)

    with listening(gated, body):
        pass
    with ThreadPoolExecutor(1) as clients:
        again = clients.submit(post, gated, body)
        release_until(gate, again)

    gate.release(10_000)
    untroubled = post(gated, body | {"speed": 1.0001})
    assert again.result().status_code == 200
    assert again.result().headers["x-koe-cache"] in ("miss", "join")
    assert len(again.result().content) == pytest.approx(len(untroubled.content), rel=0.01)


def test_a_crowd_that_leaves_together_frees_the_slot(gated: Harness, gate: GatedEngine) -> None:
    body = asked(text_of(MANY, "leaving crowd"))

    with ThreadPoolExecutor(1) as clients:
        with asking(gated, body), asking(gated, body), asking(gated, body):
            wait_until(lambda: n_readers(gated) == 3)
        wait_forgotten(gated)
        other = clients.submit(post, gated, asked("Whoever remains."))
        release_until(gate, other)

    assert other.result().status_code == 200
    assert n_spoken(gate, "leaving crowd") < 5


def test_no_reader_is_left_in_the_registry(gated: Harness, gate: GatedEngine) -> None:
    gate.release(10_000)

    post(gated, asked("Finished."))

    wait_until(lambda: n_readers(gated) == 0)
