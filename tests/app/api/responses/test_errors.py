"""Every row of the table of errors, as a client gets it."""

from typing import Any

import pytest
from litestar import Litestar, Request, get, post
from litestar.exceptions import HTTPException, InternalServerException, ValidationException
from litestar.params import FromPath
from litestar.testing import TestClient
from structlog.testing import capture_logs

from app.api.middleware.headers import AnswerHeaders
from app.api.responses.errors import EXCEPTION_HANDLERS, envelope, fault_of, status_of
from app.core.errors import (
    Cancelled,
    DecimalAboveMaximum,
    DecimalBelowMinimum,
    EmptyString,
    EncoderFailed,
    EngineFailed,
    EngineUnavailable,
    IncorrectKey,
    InternalError,
    InvalidRequest,
    InvalidValue,
    KoeError,
    MissingKey,
    MissingModel,
    MissingParameter,
    NotSupported,
    NoWorker,
    QueueFull,
    RateLimited,
    RequestTooLarge,
    StringTooLong,
    TimedOut,
    UnknownModel,
    UnknownUrl,
    UnreadableBody,
    UnsupportedContentType,
    UnsupportedValue,
    WorkerLost,
    WorkersDied,
    WrongMethod,
    WrongType,
)
from app.core.rate_limits import RateLimit, RateLimitStatus

STANDING = RateLimitStatus(limit=RateLimit(60, 60), n_left=0, reset_seconds=59.2)
INVALID = "invalid_request_error"

TABLE: list[tuple[KoeError, int, str, str | None, str | None, str]] = [
    (MissingKey(), 401, INVALID, None, None, "You didn't provide an API key."),
    (IncorrectKey("sk-a***b"), 401, INVALID, None, "invalid_api_key", "Incorrect API key provided: sk-a***b."),
    (MissingModel(), 400, INVALID, None, None, "you must provide a model parameter"),
    (UnknownModel("X"), 404, INVALID, None, "model_not_found", "The model `X` does not exist or you do not have access to it."),
    (EngineUnavailable("Run `koe fetch`."), 503, "server_error", None, "engine_unavailable", "Run `koe fetch`."),
    (MissingParameter("input"), 400, INVALID, "input", "missing_required_parameter", "Missing required parameter: 'input'."),
    (WrongType("input", "a string", "an integer"), 400, INVALID, "input", "invalid_type", "Invalid type for 'input': expected"),
    (EmptyString("input"), 400, INVALID, "input", "empty_string", "Invalid 'input': empty string."),
    (StringTooLong("input", 1, 2), 400, INVALID, "input", "string_above_max_length", "Invalid 'input': string too long."),
    (InvalidValue("No.", param="voice"), 400, INVALID, "voice", "invalid_value", "No."),
    (UnsupportedValue("No.", param="response_format"), 400, INVALID, "response_format", "unsupported_value", "No."),
    (DecimalAboveMaximum("speed", 4, "5"), 400, INVALID, "speed", "decimal_above_max_value", "Invalid 'speed': decimal above"),
    (
        DecimalBelowMinimum("speed", 0.25, "0"),
        400,
        INVALID,
        "speed",
        "decimal_below_min_value",
        "Invalid 'speed': decimal below",
    ),
    (NotSupported("Not yet.", param="timestamps"), 400, INVALID, "timestamps", "not_supported", "Not yet."),
    (UnreadableBody("Why."), 400, INVALID, None, None, "We could not parse the JSON body of your request."),
    (
        UnsupportedContentType("text/plain"),
        400,
        INVALID,
        None,
        "unsupported_content_type",
        "Unsupported content type: 'text/plain'.",
    ),
    (RequestTooLarge(1048576), 413, INVALID, None, "request_too_large", "The request body is too large. The limit is 1048576"),
    (UnknownUrl("POST", "/v1/nope"), 404, INVALID, None, None, "Invalid URL (POST /v1/nope)"),
    (WrongMethod("GET", "/v1/a", ("POST",)), 405, INVALID, None, None, "Not allowed to GET on /v1/a."),
    (RateLimited.after(STANDING, retry_after_seconds=2), 429, "requests", None, "rate_limit_exceeded", "Rate limit reached"),
    (QueueFull.after(9, retry_after_seconds=2), 429, "requests", None, "queue_full", "The queue is full: 9 requests wait."),
    (NoWorker("Nobody."), 503, "server_error", None, "no_worker", "Nobody."),
    (WorkerLost("Gone."), 503, "server_error", None, "worker_lost", "Gone."),
    (WorkersDied(), 500, "server_error", None, "workers_died", "Every process that tried to speak this text died"),
    (TimedOut("Too long."), 504, "server_error", None, "timeout", "Too long."),
    (InternalError(), 500, "server_error", None, "internal_error", "The server had an error"),
    (EngineFailed(), 500, "server_error", None, "internal_error", "The server had an error"),
    (EncoderFailed(), 500, "server_error", None, "internal_error", "The server had an error"),
    (Cancelled("Nobody wants it."), 500, "server_error", None, "cancelled", "Nobody wants it."),
]
HEADERS = {401: {"www-authenticate": "Bearer"}, 405: {"allow": "POST"}}


@get("/raise/{row:int}")
async def raise_row(row: FromPath[int]) -> None:
    raise TABLE[row][0]


@get("/crash/{text:str}")
async def crash(text: FromPath[str]) -> None:
    try:
        int(text)
    except ValueError as error:
        raise RuntimeError(f"cannot say {text}") from error


@get("/litestar/{status:int}")
async def raise_litestar(status: FromPath[int]) -> None:
    raise HTTPException("as Litestar says", status_code=status)


@post("/body", status_code=200)
async def measure(request: Request[Any, Any, Any]) -> int:
    return len(await request.body())


@pytest.fixture(scope="module")
def client() -> Any:
    routes = [raise_row, crash, raise_litestar, measure]
    app = Litestar(routes, exception_handlers=EXCEPTION_HANDLERS, request_max_body_size=1000, openapi_config=None)
    with TestClient(AnswerHeaders(app), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("row", range(len(TABLE)), ids=[type(row[0]).__name__ for row in TABLE])
def test_each_row_of_the_table_is_answered_as_it_says(client: Any, row: int) -> None:
    _, status, kind, param, code, begins = TABLE[row]
    answer = client.get(f"/raise/{row}")
    fault = answer.json()["error"]
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    assert set(fault) == {"message", "type", "param", "code"}
    assert (fault["type"], fault["param"], fault["code"]) == (kind, param, code)
    assert fault["message"].startswith(begins)
    assert HEADERS.get(status, {}).items() <= answer.headers.items()
    assert ("retry-after" in answer.headers) == (status in (429, 503) and code != "engine_unavailable")
    assert answer.headers.get("x-should-retry") == ("false" if code in ("engine_unavailable", "workers_died") else None)
    assert answer.headers["x-request-id"]


def test_every_class_of_error_has_a_status() -> None:
    def classes(root: type[KoeError]) -> list[type[KoeError]]:
        return [root, *(kind for child in root.__subclasses__() for kind in classes(child))]

    for kind in classes(KoeError):
        status, _ = status_of(kind.__new__(kind))
        assert (status < 500) == issubclass(kind, InvalidRequest | MissingKey | IncorrectKey) or status in (401, 429)


def test_a_wait_is_given_in_whole_seconds(client: Any) -> None:
    row = next(i for i, entry in enumerate(TABLE) if isinstance(entry[0], QueueFull))
    assert client.get(f"/raise/{row}").headers["retry-after"] == "2"


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/nope"), ("GET", "/v1/"), ("DELETE", "/"), ("GET", "/v1/日本")])
def test_an_unknown_url_is_reported_with_its_method(client: Any, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "message": f"Invalid URL ({method} {path})",
        "type": INVALID,
        "param": None,
        "code": None,
    }


def test_a_head_of_nothing_is_a_404(client: Any) -> None:
    assert client.head("/v1/nope").status_code == 404


def test_a_very_long_url_is_not_sent_back_whole(client: Any) -> None:
    assert len(client.get("/" + "a" * 5000).json()["error"]["message"]) < 300


def test_the_answer_to_a_wrong_method_names_the_allowed_ones(client: Any) -> None:
    answer = client.get("/body")
    assert answer.status_code == 405
    assert answer.json()["error"]["message"].startswith("Not allowed to GET on /body. ")
    assert "POST" in answer.headers["allow"].split(", ")


def test_the_error_for_a_body_that_is_too_large_names_the_limit(client: Any) -> None:
    answer = client.post("/body", content=b"a" * 1001)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"
    assert "1000 bytes" in answer.json()["error"]["message"]
    assert client.post("/body", content=b"a" * 1000).json() == 1000


def test_a_body_that_does_not_say_its_length_is_measured_all_the_same(client: Any) -> None:
    assert client.post("/body", content=(b"a" * 100 for _ in range(20))).status_code == 413


def test_an_unforeseen_error_is_a_500_that_reveals_nothing(client: Any) -> None:
    with capture_logs() as logs:
        answer = client.get("/crash/my-secret-text")
    assert answer.status_code == 500
    assert answer.json() == envelope(InternalError())
    (entry,) = [entry for entry in logs if entry["event"] == "unforeseen_error"]
    assert (entry["error"], entry["cause"], entry["log_level"]) == ("RuntimeError", "ValueError", "error")
    assert any("crash" in frame for frame in entry["frames"])
    assert "my-secret-text" not in repr(entry)


@pytest.mark.parametrize("status", [400, 403, 409, 415, 422])
def test_any_other_refusal_of_litestars_is_an_invalid_request(client: Any, status: int) -> None:
    answer = client.get(f"/litestar/{status}")
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == INVALID
    assert answer.json()["error"]["message"] == "as Litestar says"


def test_a_failure_of_litestars_is_as_unforeseen_as_any(client: Any) -> None:
    answer = client.get("/litestar/500")
    assert answer.json() == envelope(InternalError())


def test_a_path_that_does_not_fit_its_type_is_unknown(client: Any) -> None:
    assert client.get("/raise/one").json()["error"]["message"] == "Invalid URL (GET /raise/one)"


def test_any_exception_is_one_of_ours() -> None:
    ours = NoWorker("Nobody.")
    assert fault_of(ours) is ours
    assert type(fault_of(KeyError("x"))) is InternalError
    assert type(fault_of(ValidationException("not so"))) is InvalidRequest


def test_a_client_that_hangs_up_while_it_sends_is_no_fault_of_the_server() -> None:
    with capture_logs() as logs:
        fault = fault_of(InternalServerException("client disconnected prematurely"))
    assert isinstance(fault, InvalidRequest)
    assert logs == []
