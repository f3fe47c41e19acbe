"""The interface of traces: spans, what they may say, and the context that connects them across processes.

Why the classes here record nothing: without an endpoint their empty methods are called, and nothing else is computed or
imported. `app.core.tracing.otel` has the classes that record.

Why parents are named and not found by context variables: a request passes through the queue, slots and compute threads.
"""

from asyncio import CancelledError
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Literal, Self, TypedDict

from typing_extensions import Unpack

from app.core.errors import Cancelled

Context = Mapping[str, str]
"""`traceparent` and, if there is one, `tracestate`, as in the headers of W3C Trace Context; empty without a trace."""

NO_CONTEXT: Final[Context] = {}
FIELDS: Final = ("traceparent", "tracestate")

Kind = Literal["server", "consumer", "internal"]
"""`server` answers a request, and `consumer` does a task of the queue."""

Outcome = Literal["cancelled", "paused", "preempted"]
"""How work ends that is neither done nor failed."""


class Facts(TypedDict, total=False):
    """All that a span may say. No fact is text of a user, a key or an address."""

    method: str
    route: str
    status: int
    error: str
    """Class of the error."""
    code: str
    """Code of the error that the client got."""
    model: str
    engine: str
    format: str
    queue: str
    cache: str
    """`hit`, `join` or `miss`; for a segment, whether it was cached."""
    n_characters: int
    n_phonemes: int
    n_segments: int
    audio_seconds: float
    wait_seconds: float
    """How long a segment waited for a compute thread."""
    attempt: int
    """Which worker in a row does the work: more than 1 after another one died or gave it back."""
    outcome: Outcome
    job_id: str
    part: int
    n_parts: int


ATTRIBUTES: Final[Mapping[str, str]] = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "error": "error.type",
    **{fact: f"koe.{fact}" for fact in Facts.__annotations__ if fact not in ("method", "route", "status", "error")},
}
"""Fact → name of the attribute, by OpenTelemetry's conventions where they have one."""


class Span:
    """One step of a trace, with a beginning and an end. This one records nothing. Thread-safe.

    A context manager: it ends with the block, and an exception of the block is its error.
    """

    trace_id: str = ""
    """32 hex digits; empty without a trace."""

    @property
    def context(self) -> Context:
        """The context for a step in another process."""
        return NO_CONTEXT

    @property
    def log_fields(self) -> dict[str, str]:
        """The fields that the log lines of this step have in addition."""
        return {"trace_id": self.trace_id} if self.trace_id else {}

    def child(self, name: str, *, started_at: float | None = None, **facts: Unpack[Facts]) -> "Span":
        """Begins a step of this step. `started_at`: seconds since 1970, if it began before now."""
        return self

    def linked(self, name: str, **facts: Unpack[Facts]) -> "Span":
        """Begins a trace of its own, with a link to this span."""
        return self

    def link(self, context: Context) -> None:
        """Adds a link to the span of that context, if it has one."""

    def rename(self, name: str) -> None:
        """Gives the span a name that was not known when it began."""

    def note(self, **facts: Unpack[Facts]) -> None:
        """Adds these facts."""

    def mark(self, event: str) -> None:
        """Records that something happened now."""

    def fail(self, error: BaseException) -> None:
        """Sets the status to an error, with the class of the exception and nothing else: its message may have text."""

    def finish(self) -> None:
        """Ends the span. Later calls have no effect."""

    def end(self, error: BaseException | None = None) -> None:
        """Ends the span, with the error if there is one. Work that is cancelled or put off is no error."""
        if isinstance(error, Cancelled | CancelledError):
            self.note(outcome="cancelled")
        elif error is not None:
            self.fail(error)
        self.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /) -> None:
        self.end(error)


class Tracing:
    """Begins traces. This one records nothing."""

    is_on = False

    def begin(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        context: Context = NO_CONTEXT,
        started_at: float | None = None,
        **facts: Unpack[Facts],
    ) -> Span:
        """Begins a span: in the trace of `context`, or a new trace without one. `started_at`: seconds since 1970."""
        return NO_SPAN

    def close(self) -> None:
        """Exports the spans that are left, within some seconds."""


NO_SPAN: Final = Span()
NO_TRACING: Final = Tracing()
