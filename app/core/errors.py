"""The errors of Koe, as one tree. No HTTP here: `app.api.responses.errors` maps the classes to statuses.

Why classes: code, tests and the other side of the queue must recognise a failure without parsing its message. An error crosses
Redis as `{code, message, param}` (`to_wire`) and becomes the same class again (`from_wire`); a class without its own code
arrives as its nearest ancestor with one.
"""

import math
from typing import ClassVar, Final, Self

from app.core.rate_limits import RateLimitStatus


class Misconfigured(ValueError):
    """The settings or this machine prevent Koe from working, and waiting does not help. The message is one sentence that names
    the setting and the remedy.

    It is not part of the tree below, because it ends a process at its start and never answers a request. The process exits with
    EXIT_STATUS, which tells `koe serve` and service managers not to start it again.
    """

    EXIT_STATUS: Final = 78
    """EX_CONFIG of sysexits.h."""


class SettingsError(Misconfigured):
    """A setting has an invalid value; the message names the setting and the valid values."""


_MAX_SHOWN_CHARS: Final = 100


class KoeError(Exception):
    """The root of the tree. `message` is a full sentence for the user; `param` names the field of the request at fault, if
    there is one.
    """

    code: str | None = None

    is_final: ClassVar[bool] = False
    """Whether a retry cannot help, although the HTTP status alone suggests one."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class InvalidRequest(KoeError):
    """The request cannot be served as it is; a retry does not help."""


class MissingModel(InvalidRequest):
    """The request names no model."""

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
    """A required string is empty."""

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
    """The value of a field is invalid."""

    code = "invalid_value"

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message, param=param)


class UnsupportedValue(InvalidRequest):
    """The value of a field is not in its fixed set of values."""

    code = "unsupported_value"

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message, param=param)


class NotSupported(InvalidRequest):
    """A feature of the contract that this server does not have."""

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
    """The content type of the body is not `wanted`, the only one that the address accepts."""

    code = "unsupported_content_type"

    def __init__(self, content_type: str, wanted: str = "application/json") -> None:
        super().__init__(
            f"Unsupported content type: '{content_type}'. This API accepts '{wanted}' only: send the header "
            f"'Content-Type: {wanted}'."
        )


class UnsupportedEncoding(InvalidRequest):
    """The compression of the body is not supported."""

    code = "unsupported_content_encoding"

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"Unsupported content encoding: '{encoding[:_MAX_SHOWN_CHARS]}'. This API reads bodies that are compressed with "
            "'gzip' or 'deflate', or not at all."
        )


class RequestTooLarge(InvalidRequest):
    """The body is larger than the limit."""

    code = "request_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is too large. The limit is {limit_bytes} bytes.")


class BadHttp(InvalidRequest):
    """The request is not valid HTTP/1.1."""

    code = "bad_http"

    def __init__(self, reason: str = "") -> None:
        super().__init__(f"The request is not valid HTTP/1.1. {reason}".rstrip())


class HeadTooLarge(InvalidRequest):
    """The first line and the headers, or the trailers, are larger than the limit."""

    code = "headers_too_large"

    def __init__(self, limit_bytes: int, limit_headers: int) -> None:
        super().__init__(f"The headers are too large. The limit is {limit_bytes} bytes in all, and {limit_headers} headers.")


class TooSlow(InvalidRequest):
    """The request did not arrive in time. `part` is the part that was awaited: the head or the body."""

    code = "request_timeout"

    def __init__(self, part: str, seconds: float) -> None:
        super().__init__(f"The {part} of the request did not arrive within {seconds:g} seconds.")


class WrongHost(InvalidRequest):
    """The request names a host that is not this server."""

    code = "host_not_allowed"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"This server is not known as '{host}'. Without API keys it answers on this machine alone, as 'localhost' or by an "
            "address such as 127.0.0.1, so that no web page can reach it under another name. KOE_ALLOWED_HOSTS adds names."
        )


class WrongOrigin(InvalidRequest):
    """A web page of another origin asks for a WebSocket."""

    code = "origin_not_allowed"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"Pages of {origin} may not open a WebSocket here, since this server has no API keys. KOE_CORS_ORIGINS adds "
            "origins."
        )


class UnknownUrl(InvalidRequest):
    """The URL does not exist."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"Invalid URL ({method} {path})")


class WrongMethod(InvalidRequest):
    """The URL exists, but not with this method. `allowed` are the methods that it has."""

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Not allowed to {method} on {path}. Allowed: {', '.join(allowed)}.")
        self.allowed = allowed


class UnknownModel(InvalidRequest):
    """No model has that name. `known` are the names that exist."""

    code = "model_not_found"

    def __init__(self, model: str, known: tuple[str, ...] = ()) -> None:
        names = ", ".join(f"'{name}'" for name in known)
        instead = f" Models here are: {names}. `GET /v1/models` lists those that can speak now." if known else ""
        super().__init__(f"The model `{model}` does not exist or you do not have access to it.{instead}")


class JobTooLong(InvalidRequest):
    """A job has more audio than the limit."""

    code = "job_too_long"

    def __init__(self, limit_seconds: float) -> None:
        super().__init__(
            f"The job has more audio than KOE_MAX_JOB_SECONDS allows: {limit_seconds:g} s. Divide the text into several jobs."
        )


class UnknownJob(InvalidRequest):
    """The caller has no job with that id."""

    code = "job_not_found"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job '{job_id}', or it has been deleted or has expired.")


class UnknownDocument(InvalidRequest):
    """The caller has no document with that id."""

    code = "document_not_found"

    def __init__(self, document_id: str, *, param: str | None = None) -> None:
        super().__init__(f"There is no document '{document_id}', or it has been deleted or has expired.", param=param)


class UnknownChapter(UnknownDocument):
    """A document has no chapter with that index."""

    def __init__(self, index: int, n_chapters: int) -> None:
        KoeError.__init__(self, f"The document has no chapter {index}: it has {n_chapters}, and the first is 0.")


class UnknownCover(UnknownDocument):
    """A document has no cover."""

    def __init__(self) -> None:
        KoeError.__init__(self, "The document has no cover: its field 'has_cover' says so.")


class DocumentUnreadable(InvalidRequest):
    """A file is damaged, or is not what its name says."""

    code = "document_unreadable"

    def __init__(self, reason: str) -> None:
        super().__init__(reason, param="file")


class DocumentTooLarge(InvalidRequest):
    """A file has more text than the limits allow, or takes more memory or time to read."""

    code = "document_too_large"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Divide the file into several smaller ones.", param="file")


class DocumentProtected(InvalidRequest):
    """A file is encrypted."""

    code = "document_protected"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} Koe opens no protection: send a copy that has none.", param="file")


class DocumentEmpty(InvalidRequest):
    """A file has no text to speak."""

    code = "document_empty"

    def __init__(self) -> None:
        super().__init__(
            "The file has no text to speak. If its pages are pictures, run a text recognition (OCR) over it first.",
            param="file",
        )


class JobNotReady(InvalidRequest):
    """The job has no file yet."""

    code = "not_ready"


class JobWithoutFile(JobNotReady):
    """The job has no file and will never have one."""

    is_final = True


class UnknownWord(InvalidRequest):
    """The caller's lexicon has no such word."""

    code = "word_not_found"

    def __init__(self, word: str, language: str) -> None:
        super().__init__(
            f"There is no word '{word[:_MAX_SHOWN_CHARS]}' for the language '{language[:_MAX_SHOWN_CHARS]}' in your lexicon. "
            "`GET /v1/audio/lexicon` lists its words."
        )


class LexiconFull(InvalidRequest):
    """The caller's lexicon has as many words as it may have."""

    code = "lexicon_full"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"Your lexicon has {limit} words, and may not have more. `DELETE /v1/audio/lexicon/LANGUAGE/WORD` makes room.",
            param="word",
        )


class LexiconReadOnly(InvalidRequest):
    """The operator does not let users change their lexicons."""

    code = "lexicon_read_only"

    def __init__(self) -> None:
        super().__init__(
            "On this server no lexicon may be changed: send 'pronunciations' with the request, or ask its operator to set "
            "KOE_LEXICON_WRITABLE=true."
        )


class UnknownVoice(InvalidRequest):
    """The caller has made no voice with that id."""

    code = "voice_not_found"

    def __init__(self, voice_id: str) -> None:
        super().__init__(
            f"There is no voice '{voice_id[:_MAX_SHOWN_CHARS]}' of yours, or it has been deleted. `GET /v1/audio/voices` lists "
            "your voices too."
        )


class UnknownVoiceConsent(InvalidRequest):
    """The caller has no consent with that id."""

    code = "voice_consent_not_found"

    def __init__(self, consent_id: str, *, param: str | None = None) -> None:
        super().__init__(
            f"There is no voice consent '{consent_id[:_MAX_SHOWN_CHARS]}' of yours, or it has been deleted.", param=param
        )


class VoicesFull(InvalidRequest):
    """The caller has as many voices as one may have."""

    code = "voices_full"

    def __init__(self, limit: int) -> None:
        super().__init__(f"You have {limit} voices, and may not have more. `DELETE /v1/audio/voices/ID` makes room.")


class VoiceConsentsFull(InvalidRequest):
    """The caller has as many consents as one may have."""

    code = "voice_consents_full"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} voice consents, and may not have more. `DELETE /v1/audio/voice_consents/ID` makes room."
        )


class UnsatisfiableRange(InvalidRequest):
    """The requested byte range is outside the file."""

    def __init__(self, n_bytes: int) -> None:
        super().__init__(f"The file has {n_bytes} bytes, and none of them is in the requested range.")
        self.n_bytes = n_bytes


class Unauthenticated(KoeError):
    """The caller did not authenticate."""


class MissingKey(Unauthenticated):
    """No key was sent."""

    def __init__(self) -> None:
        super().__init__(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
            "(i.e. Authorization: Bearer YOUR_KEY)."
        )


class IncorrectKey(Unauthenticated):
    """The key is not valid. `masked` is safe to show."""

    code = "invalid_api_key"

    def __init__(self, masked: str) -> None:
        super().__init__(f"Incorrect API key provided: {masked}. The operator of this server sets the valid keys.")


class Busy(KoeError):
    """Too many requests at once: the same request works later. `retry_after_seconds` is from 1 to 60."""

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = min(60, max(1, retry_after_seconds))


class QueueFull(Busy):
    """More utterances wait than the limit allows."""

    code = "queue_full"

    @classmethod
    def after(cls, n_waiting: int, *, retry_after_seconds: int) -> Self:
        """The error when `n_waiting` utterances wait before this one."""
        return cls(
            f"The queue is full: {n_waiting} requests wait. Please try again in {retry_after_seconds} s.",
            retry_after_seconds=retry_after_seconds,
        )


class TooManyAhead(Busy):
    """A client has sent more unanswered requests on a connection than the limit."""

    code = "too_many_requests_ahead"

    def __init__(self, limit: int) -> None:
        super().__init__(f"More than {limit} requests were sent on one connection before the first was answered.")


class RateLimited(Busy):
    """A key has made too many requests in a period, or has too many open."""

    code = "rate_limit_exceeded"
    rate_limit_status: RateLimitStatus | None = None
    """The key's rate-limit status, if it has a rate limit."""

    @classmethod
    def after(cls, rate_limit_status: RateLimitStatus, *, retry_after_seconds: float) -> Self:
        """The error for too many requests in a period; the next one is accepted after `retry_after_seconds`."""
        wait_seconds = max(1, math.ceil(retry_after_seconds))
        error = cls(
            f"Rate limit reached: {rate_limit_status.limit} for this key. Please try again in {wait_seconds} s.",
            retry_after_seconds=wait_seconds,
        )
        error.rate_limit_status = rate_limit_status
        return error

    @classmethod
    def with_open(cls, n_open: int, rate_limit_status: RateLimitStatus | None) -> Self:
        """The error when the key has `n_open` requests that have not ended."""
        error = cls(
            f"Rate limit reached: {n_open} requests at a time for this key. Please try again when one of them has ended.",
        )
        error.rate_limit_status = rate_limit_status
        return error

    @classmethod
    def with_documents(cls, n_documents: int) -> Self:
        """The error when the key has `n_documents`."""
        return cls(
            f"Rate limit reached: you have {n_documents} documents, and no more may be kept. Please delete some; each is also "
            "deleted by itself some time after it was sent.",
            retry_after_seconds=60,
        )

    @classmethod
    def with_jobs(cls, n_open: int) -> Self:
        """The error when the key has `n_open` jobs that have not ended."""
        return cls(
            f"Rate limit reached: {n_open} of your jobs have not ended, and no more may be open. Please try again when one of "
            "them has ended, or cancel one.",
            retry_after_seconds=30,
        )


class Unavailable(KoeError):
    """A part of the server that the request needs is not available now. `retry_after_seconds` is from 1 to 60."""

    def __init__(self, message: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(message)
        self.retry_after_seconds = min(60, max(1, retry_after_seconds))


class EngineUnavailable(Unavailable):
    """The requested engine is not loaded; the message says what is missing and which command fixes it."""

    code = "engine_unavailable"
    is_final = True


class ServerFull(Unavailable):
    """The server has as many connections as its limit."""

    code = "too_many_connections"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The server has more than {limit} connections. Please try again later.")


class NoWorker(Unavailable):
    """No worker is running, or Redis is unreachable."""

    code = "no_worker"


class QueueStorageFull(Unavailable):
    """Redis refuses writes, because its disk or its memory is full."""

    code = "queue_storage_full"

    def __init__(self, message: str = "", *, retry_after_seconds: int = 30) -> None:
        super().__init__(
            message
            or "The queue of this server accepts no requests, because its disk or its memory is full. Please try again later; "
            "the operator of this server can free space.",
            retry_after_seconds=retry_after_seconds,
        )


class QueueRefuses(Unavailable):
    """Koe cannot work with this Redis."""

    code = "queue_refuses"
    is_final = True

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message
            or "The queue of this server cannot be used, and trying again does not help. The operator of this server finds the "
            "reason in its log."
        )


class WorkerLost(Unavailable):
    """The worker process that was speaking has died."""

    code = "worker_lost"


class StoreFailed(Unavailable):
    """The files of jobs cannot be written or read. The message names the remedy and never a path."""

    code = "storage_failed"

    def __init__(self, message: str = "", *, retry_after_seconds: int = 60) -> None:
        super().__init__(
            message
            or "The files of jobs cannot be written or read: the store of this server is full, read-only or "
            "unreachable. KOE_STORE names it: the operator of this server can free space there or name another store.",
            retry_after_seconds=retry_after_seconds,
        )


class StoreFull(StoreFailed):
    """The store has no room for the files of a job."""

    code = "storage_full"

    def __init__(self) -> None:
        super().__init__(
            "There is no room left for the files of jobs on this server. The operator of this server can free space in "
            "KOE_STORE, or name another store; KOE_STORE_RESERVE bytes stay free there."
        )


class StreamLost(WorkerLost):
    """Redis has lost audio of an attempt, or all of it."""


class TimedOut(KoeError):
    """No audio came within the longest wait."""

    code = "timeout"


class InternalError(KoeError):
    """An error of the server. The message contains no details beyond the request id."""

    code = "internal_error"

    def __init__(self, message: str = "", *, param: str | None = None) -> None:
        super().__init__(
            message
            or "The server had an error while processing your request. If it persists, give the request id from the "
            "x-request-id header to the operator of this server.",
            param=param,
        )


class EngineFailed(InternalError):
    """An engine raised, or returned something that is not a waveform."""


class OutOfMemory(EngineFailed):
    """An engine could not allocate memory for a segment; a later try may succeed."""


class SegmentTooLong(InternalError):
    """A segment is longer than the engine's limit: a bug of `workers.synthesis.prepare`. It is never cut off silently."""


class EncoderFailed(InternalError):
    """The encoder process could not be started or ended early."""


class WorkersDied(InternalError):
    """Worker processes died of an utterance, which is not tried again."""

    code = "workers_died"
    is_final = True

    def __init__(self) -> None:
        super().__init__(
            "Every process that tried to speak this text died, so Koe does not try it again. The log names the segment; a "
            "shorter or simpler text may work."
        )


class Cancelled(KoeError):
    """Nobody wants the utterance any more. Clients never see this."""

    code = "cancelled"


class Paused(Cancelled):
    """The readers of the utterance are far behind: the rest is spoken when they have caught up."""


class Preempted(Cancelled):
    """Other listeners wait for a slot, and this one has enough audio buffered: the rest is spoken later."""


def _coded(root: type[KoeError]) -> dict[str, type[KoeError]]:
    table = {root.code: root} if root.code and "code" in vars(root) else {}
    for child in root.__subclasses__():
        table |= _coded(child)
    return table


CLASSES_BY_CODE: dict[str, type[KoeError]] = _coded(KoeError)


def to_wire(error: KoeError) -> dict[str, str]:
    """The error as the fields of a Redis entry; an empty string means none."""
    return {"code": error.code or "", "message": error.message, "param": error.param or ""}


def from_wire(fields: dict[str, str]) -> KoeError:
    """The error that `to_wire` wrote, with the class of its code."""
    root = InvalidRequest if not fields["code"] else InternalError
    error_class = CLASSES_BY_CODE.get(fields["code"], root)
    error = error_class.__new__(error_class)
    KoeError.__init__(error, fields["message"], param=fields["param"] or None)
    if isinstance(error, Busy | Unavailable):
        error.retry_after_seconds = 5
    return error
