"""Every way speech can fail, as one tree; no HTTP here, `app.api.responses.errors` maps the classes to statuses.

Why classes: a reader of the code, a test and the other side of the queue must all recognise a failure without reading its
sentence. An error crosses Redis as `{code, message, param}` (`to_wire`) and becomes the same class again (`from_wire`); a class
without a code of its own arrives as the nearest ancestor that has one.
"""

import math
from typing import ClassVar, Final, Self

from app.core.rate_limits import Standing


class Misconfigured(ValueError):
    """What the settings name, or what this machine has, keeps Koe from working, and waiting does not mend it. The message is
    one sentence that names the setting and the cure.

    Outside the tree below, since it ends a process at its start and never answers a request: with EXIT_STATUS, by which
    `koe serve` and service managers know that starting it again is in vain.
    """

    EXIT_STATUS: Final = 78
    """EX_CONFIG of sysexits.h."""


class SettingsError(Misconfigured):
    """A setting that cannot be used; the message names it and says what it may be."""


_MOST_SHOWN_CHARS: Final = 100


class KoeError(Exception):
    """The root. `message` is a full sentence for the user; `param` names the field of the request at fault, if one is."""

    code: ClassVar[str | None] = None

    is_final: ClassVar[bool] = False
    """Whether asking again cannot help, though a client that sees the status alone would ask again."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class InvalidRequest(KoeError):
    """What was asked cannot be done as it was asked; asking again does not help."""


class MissingModel(InvalidRequest):
    """No model was named."""

    def __init__(self) -> None:
        super().__init__("you must provide a model parameter")


class MissingParameter(InvalidRequest):
    """A required field is absent or null."""

    code = "missing_required_parameter"

    def __init__(self, param: str) -> None:
        super().__init__(f"Missing required parameter: '{param}'.", param=param)


class WrongType(InvalidRequest):
    """A field holds JSON of another type. `expected` and `got` are phrases with their article: `a string`."""

    code = "invalid_type"

    def __init__(self, param: str, expected: str, got: str) -> None:
        super().__init__(f"Invalid type for '{param}': expected {expected}, but got {got} instead.", param=param)


class EmptyString(InvalidRequest):
    """A field that must say something is empty."""

    code = "empty_string"

    def __init__(self, param: str) -> None:
        super().__init__(
            f"Invalid '{param}': empty string. Expected a string with minimum length 1, but got an empty string instead.",
            param=param,
        )


class StringTooLong(InvalidRequest):
    """A field holds more code points than its limit."""

    code = "string_above_max_length"

    def __init__(self, param: str, limit: int, length: int) -> None:
        super().__init__(
            f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
            f"but got a string with length {length} instead.",
            param=param,
        )


class InvalidValue(InvalidRequest):
    """A field holds something that is none of what it may be."""

    code = "invalid_value"

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message, param=param)


class UnsupportedValue(InvalidRequest):
    """A field names one of a fixed set, and it is not in the set."""

    code = "unsupported_value"

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message, param=param)


class NotSupported(InvalidRequest):
    """Something the contract knows and this server does not do."""

    code = "not_supported"


class DecimalAboveMaximum(InvalidRequest):
    """A number is too large."""

    code = "decimal_above_max_value"

    def __init__(self, param: str, limit: float, got: str) -> None:
        super().__init__(
            f"Invalid '{param}': decimal above maximum value. Expected a value <= {limit:g}, but got {got} instead.",
            param=param,
        )


class DecimalBelowMinimum(InvalidRequest):
    """A number is too small."""

    code = "decimal_below_min_value"

    def __init__(self, param: str, limit: float, got: str) -> None:
        super().__init__(
            f"Invalid '{param}': decimal below minimum value. Expected a value >= {limit:g}, but got {got} instead.",
            param=param,
        )


class UnreadableBody(InvalidRequest):
    """The body is not a JSON object."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"We could not parse the JSON body of your request. {reason}")


class UnsupportedContentType(InvalidRequest):
    """The body is announced as something other than JSON."""

    code = "unsupported_content_type"

    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Unsupported content type: '{content_type}'. This API accepts 'application/json' only: send the header "
            "'Content-Type: application/json'."
        )


class UnsupportedEncoding(InvalidRequest):
    """The body is compressed in a way that is not known here."""

    code = "unsupported_content_encoding"

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"Unsupported content encoding: '{encoding[:_MOST_SHOWN_CHARS]}'. This API reads bodies that are compressed with "
            "'gzip' or 'deflate', or not at all."
        )


class RequestTooLarge(InvalidRequest):
    """The body has more bytes than are read."""

    code = "request_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is too large. The limit is {limit_bytes} bytes.")


class BadHttp(InvalidRequest):
    """What came is no HTTP/1.1."""

    code = "bad_http"

    def __init__(self, reason: str = "") -> None:
        super().__init__(f"The request is not valid HTTP/1.1. {reason}".rstrip())


class HeadTooLarge(InvalidRequest):
    """The first line and the headers, or the trailers, are more than are read."""

    code = "headers_too_large"

    def __init__(self, limit_bytes: int, limit_headers: int) -> None:
        super().__init__(f"The headers are too large. The limit is {limit_bytes} bytes in all, and {limit_headers} headers.")


class TooSlow(InvalidRequest):
    """The request did not arrive in the time that it has. `part` is what was waited for: the head or the body."""

    code = "request_timeout"

    def __init__(self, part: str, seconds: float) -> None:
        super().__init__(f"The {part} of the request did not arrive within {seconds:g} seconds.")


class WrongHost(InvalidRequest):
    """The request is for another host than this server is."""

    code = "host_not_allowed"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"This server is not known as '{host}'. Without API keys it answers on this machine alone, as 'localhost' or by an "
            "address such as 127.0.0.1, so that no web page reaches it under a name of its own. KOE_ALLOWED_HOSTS adds names."
        )


class UnknownUrl(InvalidRequest):
    """Nothing lives at that address."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"Invalid URL ({method} {path})")


class WrongMethod(InvalidRequest):
    """Something lives at that address and does not do that. `allowed` are the methods that it does."""

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Not allowed to {method} on {path}. Allowed: {', '.join(allowed)}.")
        self.allowed = allowed


class UnknownModel(InvalidRequest):
    """No model has that name. `known` are the names that could be asked for instead."""

    code = "model_not_found"

    def __init__(self, model: str, known: tuple[str, ...] = ()) -> None:
        names = ", ".join(f"'{name}'" for name in known)
        instead = f" Models here are: {names}. `GET /v1/models` lists those that can speak now." if known else ""
        super().__init__(f"The model `{model}` does not exist or you do not have access to it.{instead}")


class JobTooLong(InvalidRequest):
    """A job's audio is longer than it may be."""

    code = "job_too_long"

    def __init__(self, limit_seconds: float) -> None:
        super().__init__(
            f"The job has more audio than a job may have: {limit_seconds:g} s, which KOE_MAX_JOB_SECONDS sets. Divide the text "
            "into several jobs."
        )


class UnknownJob(InvalidRequest):
    """The caller has no job of that id."""

    code = "job_not_found"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job '{job_id}', or it has been deleted or has expired.")


class JobNotReady(InvalidRequest):
    """The job has no file yet."""

    code = "not_ready"


class JobWithoutFile(JobNotReady):
    """The job has no file, and never will have one."""

    is_final = True


class UnsatisfiableRange(InvalidRequest):
    """A piece was asked for that the file has not got."""

    def __init__(self, n_bytes: int) -> None:
        super().__init__(f"The file has {n_bytes} bytes, and none in the range that was asked for.")
        self.n_bytes = n_bytes


class Unauthenticated(KoeError):
    """The caller did not prove who they are."""


class MissingKey(Unauthenticated):
    """No key was sent."""

    def __init__(self) -> None:
        super().__init__(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
            "(i.e. Authorization: Bearer YOUR_KEY)."
        )


class IncorrectKey(Unauthenticated):
    """A key was sent that opens nothing. `masked` is safe to show."""

    code = "invalid_api_key"

    def __init__(self, masked: str) -> None:
        super().__init__(f"Incorrect API key provided: {masked}. The keys that work here are set by who runs this server.")


class Busy(KoeError):
    """Too much at once: the same request works later. `retry_after_seconds` is from 1 to 60."""

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = min(60, max(1, retry_after_seconds))


class QueueFull(Busy):
    """More utterances wait than are let to wait."""

    code = "queue_full"

    @classmethod
    def after(cls, n_waiting: int, *, retry_after_seconds: int) -> Self:
        """`n_waiting` utterances stand before this one."""
        return cls(
            f"The queue is full: {n_waiting} requests wait. Please try again in {retry_after_seconds} s.",
            retry_after_seconds=retry_after_seconds,
        )


class TooManyAhead(Busy):
    """A client sends more requests on a connection than are answered there."""

    code = "too_many_requests_ahead"

    def __init__(self, limit: int) -> None:
        super().__init__(f"More than {limit} requests were sent on one connection before the first was answered.")


class RateLimited(Busy):
    """A key has asked more than it may in a time, or has more open than it may."""

    code = "rate_limit_exceeded"
    standing: Standing | None = None
    """Of the key, where it has a rate limit."""

    @classmethod
    def after(cls, standing: Standing, *, retry_after_seconds: float) -> Self:
        """There are too many requests until so many seconds have passed."""
        wait_seconds = max(1, math.ceil(retry_after_seconds))
        error = cls(
            f"Rate limit reached: {standing.limit} for this key. Please try again in {wait_seconds} s.",
            retry_after_seconds=wait_seconds,
        )
        error.standing = standing
        return error

    @classmethod
    def with_open(cls, n_open: int, standing: Standing | None) -> Self:
        """There are `n_open` requests that have not ended."""
        error = cls(
            f"Rate limit reached: {n_open} requests at a time for this key. Please try again when one of them has ended.",
        )
        error.standing = standing
        return error

    @classmethod
    def with_jobs(cls, n_open: int) -> Self:
        """There are `n_open` jobs that have not ended."""
        return cls(
            f"Rate limit reached: {n_open} of your jobs have not ended, and no more may be open. Please try again when one of "
            "them has ended, or cancel one.",
            retry_after_seconds=30,
        )


class Unavailable(KoeError):
    """A part of the server that the request needs is not there now. `retry_after_seconds` is from 1 to 60."""

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.retry_after_seconds = min(60, max(1, retry_after_seconds))


class EngineUnavailable(Unavailable):
    """The engine that was asked for by name is not loaded; the message says what is missing and the command that mends it."""

    code = "engine_unavailable"
    is_final = True


class ServerFull(Unavailable):
    """There are as many connections as the server takes."""

    code = "too_many_connections"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The server has more than {limit} connections. Please try again later.")


class NoWorker(Unavailable):
    """Nobody is there to speak, or the queue cannot be reached."""

    code = "no_worker"


class QueueStorageFull(Unavailable):
    """The queue takes nothing in: the disk or the memory of its Redis is full."""

    code = "queue_storage_full"

    def __init__(self, message: str = "", *, retry_after_seconds: int = 30) -> None:
        super().__init__(
            message
            or "The queue of this server takes nothing in, since its disk or its memory is full. Please try again later; who "
            "runs this server can make room.",
            retry_after_seconds=retry_after_seconds,
        )


class QueueRefuses(Unavailable):
    """The queue's Redis is not one that Koe can work with."""

    code = "queue_refuses"
    is_final = True

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message
            or "The queue of this server refuses its work, and trying again does not help: who runs this server finds the "
            "reason in its log."
        )


class WorkerLost(Unavailable):
    """The process that was speaking is gone."""

    code = "worker_lost"


class StoreFailed(Unavailable):
    """The files of jobs cannot be written or read. The message names the remedy and never a path."""

    code = "storage_failed"

    def __init__(self, message: str = "", *, retry_after_seconds: int = 60) -> None:
        super().__init__(
            message
            or "The files of jobs cannot be written or read: the store of this server is full, read-only or away. "
            "KOE_STORE names it; who runs this server can make room there or name another.",
            retry_after_seconds=retry_after_seconds,
        )


class StoreFull(StoreFailed):
    """There is no room for the files of a job."""

    code = "storage_full"

    def __init__(self) -> None:
        super().__init__(
            "There is no room left for the files of jobs on this server. Who runs it can make room where KOE_STORE is, or name "
            "another place; KOE_STORE_RESERVE is what is left free there."
        )


class StreamLost(WorkerLost):
    """Redis has lost audio of a take, or all of it."""


class TimedOut(KoeError):
    """No audio came within the longest wait."""

    code = "timeout"


class InternalError(KoeError):
    """A fault of the server. The message never tells more than the request id does."""

    code = "internal_error"

    def __init__(self, message: str = "", *, param: str | None = None) -> None:
        super().__init__(
            message
            or "The server had an error while processing your request. If it persists, give the request id from the "
            "x-request-id header to who runs this server.",
            param=param,
        )


class EngineFailed(InternalError):
    """An engine raised, or gave back something that is no waveform."""


class OutOfMemory(EngineFailed):
    """An engine found no memory for a segment; it may find some later."""


class SegmentTooLong(InternalError):
    """An engine was handed more than it can take at once: a fault of `workers.synthesis.prepare`, never cut off in silence."""


class EncoderFailed(InternalError):
    """The encoder's process ended before its time or could not be started."""


class WorkersDied(InternalError):
    """Worker processes died of an utterance, and it is not tried again."""

    code = "workers_died"
    is_final = True

    def __init__(self) -> None:
        super().__init__(
            "The processes that tried to speak this text died of it, so it is not tried again. Their log says which segment "
            "they were at; a shorter or simpler text may work."
        )


class Cancelled(KoeError):
    """Nobody wants the utterance any more. Never shown to anybody."""

    code = "cancelled"


class Parked(Cancelled):
    """Readers have more than they take: the rest is spoken when they have caught up."""


class Yielded(Cancelled):
    """Others wait for a slot, and the listener has enough in hand: the rest is spoken in its turn."""


def _coded(root: type[KoeError]) -> dict[str, type[KoeError]]:
    table = {root.code: root} if root.code and "code" in vars(root) else {}
    for child in root.__subclasses__():
        table |= _coded(child)
    return table


CLASSES_BY_CODE: dict[str, type[KoeError]] = _coded(KoeError)


def to_wire(error: KoeError) -> dict[str, str]:
    """The error as the fields of a Redis entry; an empty string stands for none."""
    return {"code": error.code or "", "message": error.message, "param": error.param or ""}


def from_wire(fields: dict[str, str]) -> KoeError:
    """The error that `to_wire` wrote, of the class that owns its code."""
    root = InvalidRequest if not fields["code"] else InternalError
    error_class = CLASSES_BY_CODE.get(fields["code"], root)
    error = error_class.__new__(error_class)
    KoeError.__init__(error, fields["message"], param=fields["param"] or None)
    if isinstance(error, Busy | Unavailable):
        error.retry_after_seconds = 5
    return error
