"""The headers of every answer."""

import re
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.testing import TestClient
from structlog.contextvars import get_contextvars

from app.api.middleware.headers import AnswerHeaders
from app.api.responses.errors import EXCEPTION_HANDLERS

seen: dict[str, Any] = {}


@get("/")
async def answer_with_id(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return {"state": request.scope["state"]["request_id"], "log": get_contextvars()["request_id"]}


async def note_start() -> None:
    seen["started"] = True


@pytest.fixture
def client() -> Any:
    app = Litestar([answer_with_id], on_startup=[note_start], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None)
    with TestClient(AnswerHeaders(app)) as client:
        yield client


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 200), ("GET", "/nope", 404), ("PUT", "/", 405)])
def test_every_answer_has_them(client: Any, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert re.fullmatch(r"req_[0-9a-f]{32}", answer.headers["x-request-id"])
    assert answer.headers["openai-processing-ms"].isdecimal()
    assert answer.headers["openai-version"] == "2020-10-01"


def test_each_request_has_an_id_of_its_own(client: Any) -> None:
    assert client.get("/").headers["x-request-id"] != client.get("/").headers["x-request-id"]


@pytest.mark.parametrize("given", ["a", "my.request:7_of-8", "x" * 128])
def test_a_request_id_of_the_client_is_returned(client: Any, given: str) -> None:
    assert client.get("/", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", " ", "x" * 129, "a b", "a\tb", "é", '"', "<script>", "a,b"])
def test_an_id_that_is_not_sane_is_replaced(client: Any, given: str) -> None:
    answer = client.get("/", headers={"x-request-id": given.encode()})
    assert re.fullmatch(r"req_[0-9a-f]{32}", answer.headers["x-request-id"])


def test_the_id_is_known_to_the_handlers_and_to_the_log(client: Any) -> None:
    answer = client.get("/", headers={"x-request-id": "mine"})
    assert answer.json() == {"state": "mine", "log": "mine"}
    assert "request_id" not in get_contextvars()


def test_the_application_is_started_through_them(client: Any) -> None:
    assert seen["started"]
