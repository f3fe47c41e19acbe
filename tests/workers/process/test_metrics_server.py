"""A worker's own port for its metrics: two workers, a port that another program has, and what is served there."""

import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
from structlog.testing import capture_logs

from tests.harness import free_port, wait_until
from workers.process import metrics_server
from workers.process.metrics_server import MetricsServer

LOOPBACK = "127.0.0.1"


def text_at(port: int | None) -> str:
    return httpx.get(f"http://{LOOPBACK}:{port}/metrics").text


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MetricsServer]]:
    monkeypatch.setattr(metrics_server, "_AGAIN_SECONDS", 0.05)
    servers: list[MetricsServer] = []

    def start(port: int | None, text: bytes = b"koe_slots 1\n") -> MetricsServer:
        servers.append(MetricsServer(LOOPBACK, port, lambda: text))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_it_serves_what_it_reads_at_each_scrape_on_loopback(opened: Callable[..., MetricsServer]) -> None:
    server = opened(0)
    wait_until(lambda: server.port is not None)

    answer = httpx.get(f"http://{LOOPBACK}:{server.port}/metrics?x=1")

    assert (answer.text, answer.headers["content-type"]) == ("koe_slots 1\n", "text/plain; version=0.0.4; charset=utf-8")
    assert httpx.get(f"http://{LOOPBACK}:{server.port}/").status_code == 404
    assert httpx.post(f"http://{LOOPBACK}:{server.port}/metrics").status_code == 501


def test_without_a_port_it_listens_nowhere(opened: Callable[..., MetricsServer]) -> None:
    assert opened(None).port is None


def test_a_port_that_is_taken_is_an_error_with_a_remedy_and_is_used_when_it_is_free(
    opened: Callable[..., MetricsServer],
) -> None:
    port = free_port()
    with capture_logs() as logs:
        with socket.create_server((LOOPBACK, port)):
            server = opened(port)
            wait_until(lambda: any(line["event"] == "metrics_port_taken" for line in logs))
            assert server.port is None
        wait_until(lambda: server.port == port)

    line = next(line for line in logs if line["event"] == "metrics_port_taken")
    assert (line["port"], line["log_level"]) == (port, "error")
    assert "KOE_METRICS_PORT" in line["remedy"]
    assert text_at(port) == "koe_slots 1\n"


def test_the_successor_of_a_worker_gets_its_port(opened: Callable[..., MetricsServer]) -> None:
    port = free_port()
    old = opened(port, b"old")
    wait_until(lambda: old.port == port)
    new = opened(port, b"new")

    old.stop()

    wait_until(lambda: new.port == port)
    assert text_at(port) == "new"


def test_a_connection_that_sends_nothing_does_not_keep_it_from_others(opened: Callable[..., MetricsServer]) -> None:
    server = opened(0)
    wait_until(lambda: server.port is not None)

    with socket.create_connection((LOOPBACK, server.port or 0)):
        assert text_at(server.port) == "koe_slots 1\n"
