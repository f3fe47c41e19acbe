"""The one map from errors to HTTP: status, `type`, the body that OpenAI's clients read, and headers.

Why one function answers every exception: each exception of Koe, of Litestar's router or of a bug is first translated into the
tree of `app.core.errors` (`fault_of`), so a failure has one text and one status.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ExceptionHandlersMap, Scope, Send

from app.api.facts import note_fault
from app.api.responses.rate_limit_headers import rate_headers
from app.core.errors import (
    Busy,
    HeadTooLarge,
    InternalError,
    InvalidRequest,
    JobNotReady,
    KoeError,
    LexiconReadOnly,
    RateLimited,
    RequestTooLarge,
    TimedOut,
    TooSlow,
    Unauthenticated,
    Unavailable,
    UnknownDocument,
    UnknownJob,
    UnknownModel,
    UnknownUrl,
    UnknownVoice,
    UnknownVoiceConsent,
    UnknownWord,
    UnsatisfiableRange,
    WrongHost,
    WrongMethod,
    WrongOrigin,
)
from app.core.logs import describe

STATUSES: Final[dict[type[KoeError], tuple[int, str]]] = {
    KoeError: (500, "server_error"),
    InvalidRequest: (400, "invalid_request_error"),
    LexiconReadOnly: (403, "invalid_request_error"),
    UnknownDocument: (404, "invalid_request_error"),
    UnknownJob: (404, "invalid_request_error"),
    UnknownModel: (404, "invalid_request_error"),
    UnknownUrl: (404, "invalid_request_error"),
    UnknownVoice: (404, "invalid_request_error"),
    UnknownVoiceConsent: (404, "invalid_request_error"),
    UnknownWord: (404, "invalid_request_error"),
    WrongMethod: (405, "invalid_request_error"),
    TooSlow: (408, "invalid_request_error"),
    JobNotReady: (409, "invalid_request_error"),
    RequestTooLarge: (413, "invalid_request_error"),
    UnsatisfiableRange: (416, "invalid_request_error"),
    WrongHost: (421, "invalid_request_error"),
    WrongOrigin: (403, "invalid_request_error"),
    HeadTooLarge: (431, "invalid_request_error"),
    Unauthenticated: (401, "invalid_request_error"),
    Busy: (429, "requests"),
    Unavailable: (503, "server_error"),
    TimedOut: (504, "server_error"),
    InternalError: (500, "server_error"),
}
"""Status and `type` of each class. A class that is missing here has the values of its nearest listed ancestor."""

_TOO_LARGE: Final = 413
_SERVER_FAULT: Final = 500
_MAX_SHOWN_CHARS: Final = 200
_HUNG_UP: Final = "client disconnected prematurely"
"""Litestar's text for a client that disconnects while its body is read: it has no class for that."""

_log = structlog.get_logger(__name__)


def status_of(error: KoeError) -> tuple[int, str]:
    """The HTTP status, and the `type` in the body."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def envelope(error: KoeError) -> dict[str, dict[str, str | None]]:
    """The body of the answer; all four keys are always there."""
    _, kind = status_of(error)
    return {"error": {"message": error.message, "type": kind, "param": error.param, "code": error.code}}


def to_response(error: KoeError) -> Response[dict[str, Any]]:
    """The whole answer."""
    status, _ = status_of(error)
    return Response(envelope(error), status_code=status, media_type=MediaType.JSON, headers=_headers(error))


def fault_of(exception: Exception, scope: Scope | None = None) -> KoeError:
    """Any exception as a KoeError. An unexpected one is logged with its type and place, and becomes an InternalError.

    `scope` is the scope of the request; without it the error cannot name an unknown URL or a wrong method.
    """
    if isinstance(exception, KoeError):
        return exception
    if isinstance(exception, HTTPException):
        return _fault_of_litestar(exception, scope)
    return _unforeseen(exception)


def answer_error(request: Request[Any, Any, Any], exception: Exception) -> Response[dict[str, Any]]:
    """The answer to a request that raised; Litestar calls it before the answer has begun."""
    fault = fault_of(exception, request.scope)
    note_fault(request.scope, fault)
    return to_response(fault)


async def send_fault(scope: Scope, send: Send, fault: KoeError) -> None:
    """Sends the answer for `fault` to a request that does not reach the application."""
    note_fault(scope, fault)
    status, _ = status_of(fault)
    body = msgspec.json.encode(envelope(fault))
    headers = {"content-type": "application/json", "content-length": str(len(body)), **_headers(fault)}
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    # A request for a WebSocket is answered as plain HTTP.
    prefix = "" if scope["type"] == ScopeType.HTTP else "websocket."
    await send(cast("Any", {"type": f"{prefix}http.response.start", "status": status, "headers": encoded}))
    await send(cast("Any", {"type": f"{prefix}http.response.body", "body": body, "more_body": False}))


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {Exception: answer_error}


def _fault_of_litestar(exception: HTTPException, scope: Scope | None) -> KoeError:
    method, path = _place(scope)
    if isinstance(exception, NotFoundException):
        return UnknownUrl(method, path)
    if isinstance(exception, MethodNotAllowedException):
        return WrongMethod(method, path, _allowed(exception))
    if exception.status_code == _TOO_LARGE:
        return RequestTooLarge(_body_limit_bytes(scope))
    if exception.detail == _HUNG_UP:
        return InvalidRequest("The client went away before its request was read.")
    if exception.status_code >= _SERVER_FAULT:
        return _unforeseen(exception)
    return InvalidRequest(exception.detail)


def _unforeseen(exception: Exception) -> KoeError:
    _log.error("unforeseen_error", **describe(exception))
    return InternalError()


def _place(scope: Scope | None) -> tuple[str, str]:
    if scope is None or scope["type"] != ScopeType.HTTP:
        return "", ""
    path = scope["path"]
    return scope["method"], path if len(path) <= _MAX_SHOWN_CHARS else f"{path[:_MAX_SHOWN_CHARS]}…"


def _allowed(exception: HTTPException) -> tuple[str, ...]:
    methods = (exception.headers or {}).get("allow", "").split(",")
    return tuple(with_head(method.strip() for method in methods if method.strip()))


def with_head(methods: Iterable[str]) -> list[str]:
    """All methods of a path, sorted, with HEAD where GET is."""
    named = set(methods)
    return sorted(named | {"HEAD"} if "GET" in named else named)


def _body_limit_bytes(scope: Scope | None) -> int:
    route_handler = scope.get("route_handler") if scope is not None else None
    return (route_handler.resolve_request_max_body_size() or 0) if isinstance(route_handler, HTTPRouteHandler) else 0


def _headers(error: KoeError) -> dict[str, str]:
    if error.is_final:
        return {"x-should-retry": "false"}
    if isinstance(error, Busy | Unavailable):
        rate_limit_status = error.rate_limit_status if isinstance(error, RateLimited) else None
        return {"Retry-After": str(error.retry_after_seconds), **rate_headers(rate_limit_status)}
    if isinstance(error, WrongMethod):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, UnsatisfiableRange):
        return {"Content-Range": f"bytes */{error.n_bytes}"}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}
