"""Hosts: a server on a loopback address without keys answers to names that no web page has; all others to any."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from app.api.middleware.host_check import HostCheck
from app.asgi import create_app
from app.core.settings import Settings
from tests.harness import Harness, open_harness


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def ask(*hosts: str, server: str = "127.0.0.1", names: tuple[str, ...] = (), asks_host: bool = True) -> int:
    """The status that a request with these `Host` headers gets on a connection to that address."""
    statuses = []

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    async def receive() -> Any:
        raise AssertionError

    headers = [(b"host", host.encode("latin-1")) for host in hosts]
    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": headers, "server": (server, 8000), "state": {}}
    await HostCheck(hello, names=names, asks_host=lambda: asks_host)(scope, receive, send)
    return int(statuses[0])


OWN = [
    "localhost",
    "localhost:8000",
    "LOCALHOST:1",
    "localhost.",
    "koe.localhost:8000",
    "127.0.0.1",
    "127.1.2.3:80",
    "[::1]:8000",
]
FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "notlocalhost",
    "10.0.0.1",
    "0.0.0.0:8000",
    "[::2]",
    "::1",
    "evil.example@localhost",
    "localhost:80@evil.example",
    "localhost:8000:80",
    "localhost evil.example",
    "",
    "\xe9.example",
]


@pytest.mark.anyio
@pytest.mark.parametrize("host", OWN)
async def test_names_of_this_machine_alone_are_answered(host: str) -> None:
    assert await ask(host) == 200
    assert await ask(host, server="::1") == 200


@pytest.mark.anyio
@pytest.mark.parametrize("host", FOREIGN)
async def test_other_names_are_refused(host: str) -> None:
    assert await ask(host) == 421
    assert await ask(host, server="::1") == 421


@pytest.mark.anyio
async def test_of_several_hosts_each_must_be_known() -> None:
    assert await ask("localhost", "evil.example") == 421
    assert await ask("evil.example", "localhost") == 421


@pytest.mark.anyio
async def test_a_client_that_names_no_host_is_no_browser() -> None:
    assert await ask() == 200


@pytest.mark.anyio
async def test_names_that_the_operator_adds_are_answered_too() -> None:
    assert await ask("Host.Docker.Internal:8000", names=("host.docker.internal",)) == 200
    assert await ask("other.internal", names=("host.docker.internal",)) == 421
    assert await ask("evil.example", names=("*",)) == 200


@pytest.mark.anyio
async def test_elsewhere_than_on_a_loopback_address_and_with_keys_any_name_will_do() -> None:
    assert await ask("evil.example", server="192.168.0.2") == 200
    assert await ask("evil.example", asks_host=False) == 200


@contextmanager
def asking(harness: Harness) -> Iterator[httpx.Client]:
    with harness.http(headers={"host": "evil.example:8000", "origin": "http://evil.example:8000"}) as http:
        yield http


PATHS = [
    "/",
    "/healthz",
    "/readyz",
    "/metrics",
    "/schema",
    "/schema/openapi.json",
    "/v1/models",
    "/v1/audio/speech/jobs",
    "/nope",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_page_that_has_its_name_resolved_to_this_machine_reaches_nothing(harness: Harness, path: str) -> None:
    with asking(harness) as http:
        answer, head = http.get(path), http.head(path)

    assert (answer.status_code, head.status_code) == (421, 421)
    assert answer.json()["error"]["code"] == "host_not_allowed"
    assert "KOE_ALLOWED_HOSTS" in answer.json()["error"]["message"]
    assert answer.headers["x-request-id"].startswith("req_")


def test_it_makes_and_deletes_nothing_either(harness: Harness) -> None:
    with asking(harness) as http:
        body = {"model": "tts-1", "input": "Hello.", "voice": "alloy"}
        answers = [
            http.post("/v1/audio/speech", json=body),
            http.post("/v1/audio/speech/jobs", json=body),
            http.delete("/v1/audio/speech/jobs/job_1"),
            http.options("/v1/audio/speech"),
        ]

    assert [answer.status_code for answer in answers] == [421] * 4


@pytest.mark.parametrize("environ", [{"KOE_API_KEYS": "sk-one"}, {"KOE_ALLOWED_HOSTS": "tts.test, evil.example"}])
def test_a_key_or_the_setting_lets_other_names_in(data: Path, environ: dict[str, str]) -> None:
    with open_harness(data, {}, **environ) as harness, asking(harness) as http:
        assert http.get("/healthz").status_code == 200


def test_an_application_without_a_server_answers_to_any_name() -> None:
    with TestClient(create_app(Settings(), "redis://127.0.0.1:1")) as http:
        assert http.get("/healthz").status_code == 200
