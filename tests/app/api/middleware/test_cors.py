"""Pages of other origins: allowed ones may do everything that a client may; for all others nothing changes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, Response, get
from litestar.testing import TestClient
from openai import OpenAI

from app.api.middleware.cors import EXPOSED, CrossOrigin
from app.api.responses.errors import EXCEPTION_HANDLERS
from app.asgi import ROUTES, create_app
from app.core.errors import SettingsError
from app.core.settings import Settings, read_settings
from tests.harness import Harness, open_harness

ORIGIN = "http://localhost:3000"
KEY = "sk-koe-of-a-page-01"
SPEECH = "/v1/audio/speech"
ASKED = {"model": "gpt-4o-mini-tts", "input": "Hello from a page.", "voice": "alloy"}
OF_A_PAGE = {"origin": ORIGIN, "authorization": f"Bearer {KEY}"}


@get("/varied")
async def answer_varied() -> Response[str]:
    return Response("x", headers={"vary": "Accept"})


@get("/fault")
async def raise_fault() -> None:
    raise RuntimeError("unforeseen")


def small(*origins: str) -> Any:
    """A client of a small application that is open to these origins."""
    app = Litestar([answer_varied, raise_fault], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)
    return TestClient(CrossOrigin(app, origins))


@pytest.fixture(scope="module")
def harness(short_folder: Path) -> Iterator[Harness]:
    """A harness with a key, open to the pages of two origins."""
    data = Path(tempfile.mkdtemp(dir=short_folder))
    with open_harness(data, KOE_API_KEYS=KEY, KOE_CORS_ORIGINS=f"https://app.example.com, {ORIGIN}") as harness:
        yield harness


@pytest.fixture(scope="module")
def http(harness: Harness) -> Iterator[httpx.Client]:
    with harness.http() as client:
        yield client


def cors_headers(answer: httpx.Response) -> set[str]:
    return {name for name in answer.headers if name.startswith("access-control-")}


def check_open(answer: httpx.Response, status: int) -> None:
    """Checks that the page may read the answer and Koe's headers in it."""
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert set(answer.headers["access-control-expose-headers"].split(", ")) == set(EXPOSED)
    assert "Origin" in answer.headers["vary"]
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["x-request-id"]


def preflight(http: httpx.Client, path: str, method: str, headers: str = "", **more: str) -> httpx.Response:
    asked = {"origin": ORIGIN, "access-control-request-method": method} | more
    return http.options(path, headers=asked | ({"access-control-request-headers": headers} if headers else {}))


@pytest.mark.parametrize(
    ("method", "path"), sorted({(m, p) for route in ROUTES for m in route.http_methods for p in route.paths})
)
def test_a_preflight_is_answered_for_every_route_without_a_key(http: httpx.Client, method: str, path: str) -> None:
    answer = preflight(http, path.replace(":str", ""), method, "authorization,content-type")

    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert method in answer.headers["access-control-allow-methods"].split(", ")
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert answer.headers["x-request-id"]


def test_a_preflight_allows_every_header_that_the_openai_client_sends(http: httpx.Client, harness: Harness) -> None:
    client: OpenAI = harness.openai(api_key=KEY)
    sent = {name.lower() for name in client.default_headers} | {"x-stainless-retry-count", "x-stainless-read-timeout", "x-mine"}
    assert "x-stainless-lang" in sent

    answer = preflight(http, SPEECH, "POST", ",".join(sorted(sent)))

    assert set(answer.headers["access-control-allow-headers"].split(",")) == sent
    assert "Access-Control-Request-Headers" in answer.headers["vary"]


def test_a_preflight_from_the_internet_into_a_private_network_is_allowed_for_an_allowed_origin(http: httpx.Client) -> None:
    asked = {"access-control-request-private-network": "true"}
    answer, other = (preflight(http, SPEECH, "POST", **asked, **more) for more in ({}, {"origin": "https://evil.example"}))

    assert answer.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-private-network" not in preflight(http, SPEECH, "POST").headers
    assert not cors_headers(other)


@pytest.mark.parametrize(
    ("format_name", "media_type"), [("mp3", "audio/mpeg"), ("pcm", "audio/pcm"), ("sse", "text/event-stream")]
)
def test_a_page_of_an_allowed_origin_may_request_speech(http: httpx.Client, format_name: str, media_type: str) -> None:
    how = {"stream_format": "sse"} if format_name == "sse" else {"response_format": format_name}
    answer = http.post(SPEECH, json=ASKED | how, headers=OF_A_PAGE)

    check_open(answer, 200)
    assert answer.headers["content-type"].startswith(media_type)
    assert answer.headers["x-koe-engine"] == "tone"
    assert answer.content


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/audio/voices", b"", 200),
        ("POST", SPEECH, b"{}", 400),
        ("POST", SPEECH, b"x" * (1024**2 + 1), 413),
        ("GET", SPEECH, b"", 405),
        ("GET", "/v1/nope", b"", 404),
        ("GET", "/v1/models/nope", b"", 404),
    ],
)
def test_a_page_may_read_every_answer(http: httpx.Client, method: str, path: str, body: bytes, status: int) -> None:
    headers = OF_A_PAGE | {"content-type": "application/json"}
    check_open(http.request(method, path, content=body, headers=headers), status)


def test_a_page_may_read_that_its_key_is_wrong(http: httpx.Client) -> None:
    check_open(http.get("/v1/models", headers={"origin": ORIGIN}), 401)


def test_a_page_may_read_that_something_unforeseen_happened() -> None:
    with small(ORIGIN) as client:
        answer = client.get("/fault", headers={"origin": ORIGIN})

    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin", [None, "null", "http://localhost", "http://localhost:3001", "https://localhost:3000", "http://app.example.com"]
)
def test_others_are_answered_as_before(http: httpx.Client, origin: str | None) -> None:
    headers = {"origin": origin} if origin else {}

    answer = http.get("/v1/audio/voices", headers=headers)
    asked_first = http.options(SPEECH, headers=headers | {"access-control-request-method": "POST"})

    assert answer.status_code == 200
    assert asked_first.headers["allow"]
    assert cors_headers(answer) == cors_headers(asked_first) == set()
    assert answer.headers["vary"] == "Origin"  # a cache must not give this answer to a page


def test_options_without_a_question_is_no_preflight(http: httpx.Client) -> None:
    answer = http.options(SPEECH, headers={"origin": ORIGIN})

    assert "POST" in answer.headers["allow"]
    assert "access-control-allow-methods" not in answer.headers


def test_a_star_is_every_origin() -> None:
    with small("*") as client:
        answer = client.get("/varied", headers={"origin": "https://any.example"})
        asked_first = preflight(client, "/varied", "GET", "authorization")
        plain = client.get("/varied")

    assert answer.headers["access-control-allow-origin"] == asked_first.headers["access-control-allow-origin"] == "*"
    assert asked_first.headers["access-control-allow-headers"] == "authorization"
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept"
    assert not cors_headers(plain)


def test_an_earlier_vary_header_of_an_answer_stays() -> None:
    with small(ORIGIN) as client:
        assert client.get("/varied").headers.get_list("vary") == ["Accept", "Origin"]


def test_an_origin_may_be_written_in_capitals() -> None:
    with small("HTTP://LocalHost:3000") as client:
        assert client.get("/varied", headers={"origin": ORIGIN}).headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin", ["localhost:3000", "http://localhost:3000/", "https://app.example.com/page", "*.example.com"]
)
def test_an_origin_that_never_comes_is_refused_at_the_start(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"KOE_CORS_ORIGINS.*is not an origin"):
        create_app(read_settings({"KOE_CORS_ORIGINS": origin}), "redis://127.0.0.1")


def test_without_the_setting_there_is_none_of_it() -> None:
    client: TestClient[Any] = TestClient(create_app(Settings(), "redis://127.0.0.1:1"))
    answer = client.get("/healthz", headers={"origin": ORIGIN})

    assert not cors_headers(answer)
    assert "vary" not in answer.headers
