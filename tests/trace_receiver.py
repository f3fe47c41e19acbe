"""An OTLP/HTTP receiver for tests, on loopback: it decodes the spans that it gets, and shows traces as trees."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.harness import wait_until

trace_service = pytest.importorskip(
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="the extra otel is not installed"
)

ERROR = 2
"""The code of a span's status."""


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as the receiver got it. Ids are hex digits."""

    service: str
    name: str
    trace_id: str
    id: str
    parent_id: str
    """Empty for the root of a trace."""
    facts: dict[str, Any]
    events: dict[str, dict[str, Any]]
    links: list[tuple[str, str]]
    """Trace and span of each."""
    is_error: bool
    said: str
    """The message of the status."""
    began_at: float
    ended_at: float

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.ended_at - self.began_at


class TraceReceiver(ThreadingHTTPServer):
    """Receives spans. While it `is_away` it answers 503 and drops them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[ReceivedSpan] = []
        self.paths: list[str] = []
        self.is_away = False
        self.url = f"http://127.0.0.1:{self.server_port}"

    def trace(self, trace_id: str, *names: str) -> list[ReceivedSpan]:
        """Returns the spans of a trace in order of their beginning, once spans of all these names are among them."""
        wait_until(lambda: set(names) <= {span.name for span in self._of(trace_id)})
        return self._of(trace_id)

    def wait(self, name: str, n_spans: int = 1) -> list[ReceivedSpan]:
        """Returns the spans of that name, once there are `n_spans`."""
        wait_until(lambda: len(self._named(name)) >= n_spans)
        return self._named(name)

    def _of(self, trace_id: str) -> list[ReceivedSpan]:
        return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.began_at)

    def _named(self, name: str) -> list[ReceivedSpan]:
        return [span for span in self.spans if span.name == name]


class _Handler(BaseHTTPRequestHandler):
    server: TraceReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.paths.append(self.path)
        if not self.server.is_away:
            self.server.spans.extend(decode(body))
        self.send_response(503 if self.server.is_away else 200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Logs nothing."""


def decode(body: bytes) -> Iterator[ReceivedSpan]:
    """Yields the spans of an ExportTraceServiceRequest."""
    for resource in trace_service.ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _facts(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _read(span, service)


def _read(span: Any, service: str) -> ReceivedSpan:
    return ReceivedSpan(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        facts=_facts(span.attributes),
        events={event.name: _facts(event.attributes) for event in span.events},
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        is_error=span.status.code == ERROR,
        said=span.status.message,
        began_at=span.start_time_unix_nano / 1e9,
        ended_at=span.end_time_unix_nano / 1e9,
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def tree(spans: Sequence[ReceivedSpan]) -> list[tuple[int, str]]:
    """Returns depth and name of each span of a trace, every span before its children, in order of their beginning."""
    return [(depth, span.name) for depth, span in _walk(spans)]


def show(spans: Sequence[ReceivedSpan]) -> str:
    """Returns the trace as text, one span a line: begin and duration in milliseconds, and the facts."""
    start = min(span.began_at for span in spans)
    lines = []
    for depth, span in _walk(spans):
        facts = " ".join(f"{name.rpartition('.')[2]}={value}" for name, value in sorted(span.facts.items()))
        name = "  " * depth + span.name
        lines.append(f"{1000 * (span.began_at - start):8.1f} {1000 * span.seconds:8.1f} ms  {name:<28} {facts}")
    return "\n".join(lines)


def _walk(spans: Sequence[ReceivedSpan]) -> Iterator[tuple[int, ReceivedSpan]]:
    ids = {span.id for span in spans}

    def below(parent_ids: set[str], depth: int) -> Iterator[tuple[int, ReceivedSpan]]:
        for span in sorted((one for one in spans if one.parent_id in parent_ids), key=lambda one: one.began_at):
            yield depth, span
            yield from below({span.id}, depth + 1)

    yield from below({span.parent_id for span in spans} - ids, 0)


@contextmanager
def open_trace_receiver() -> Iterator[TraceReceiver]:
    """Opens a receiver and closes it with the context."""
    with TraceReceiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
