"""Records spans with OpenTelemetry, and exports them over OTLP/HTTP. Only this module knows the library.

Why nothing of it is global: several applications may run in one process, and each exports its own spans.

Why the messages of the exporter are replaced: while the endpoint is away, the library logs every try. One line is enough.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from opentelemetry.context import Context as OtelContext
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, StatusCode, Tracer, format_trace_id, get_current_span, set_span_in_context
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import Unpack, override

from app import __version__
from app.core.tracing.spans import ATTRIBUTES, NO_CONTEXT, Context, Facts, Kind, Span, Tracing

log: Final = structlog.get_logger()

_CLOSE_SECONDS: Final = 3.0
"""Longest wait for the last export when the process ends."""
_MAX_REASON_CHARS: Final = 300
_UNKNOWN_SERVICE: Final = "unknown_service"
"""How the library begins the name of a service to which the environment gives none."""
_KINDS: Final[Mapping[Kind, SpanKind]] = {
    "server": SpanKind.SERVER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class OtelTracing(Tracing):
    """Traces that are exported to an endpoint. The `OTEL_` variables say where, which and how."""

    is_on = True

    def __init__(self, service: str, instance: str, *, endpoint: str | None = None) -> None:
        """`endpoint`: the full URL; None leaves it to the `OTEL_` variables."""
        self._exporter = _Exporter(OTLPSpanExporter(endpoint=endpoint))
        self._provider = TracerProvider(resource=_resource(service, instance), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("koe", __version__)
        # What it says from here on is about single spans or requests, and as often as there are any.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.WARNING)
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(_REASON)

    @override
    def begin(
        self,
        name: str,
        *,
        kind: Kind = "internal",
        context: Context = NO_CONTEXT,
        started_at: float | None = None,
        **facts: Unpack[Facts],
    ) -> Span:
        parent = _PROPAGATOR.extract(context, OtelContext())
        return RecordedSpan(self._tracer, _start(self._tracer, name, parent, facts, kind=kind, started_at=started_at))

    @override
    def close(self) -> None:
        closing = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)
        self._exporter.shutdown()


class RecordedSpan(Span):
    """A span that the library records, unless its sampler decides otherwise."""

    def __init__(self, tracer: Tracer, span: OtelSpan) -> None:
        self._tracer = tracer
        self._span = span
        self.trace_id = format_trace_id(span.get_span_context().trace_id)

    @property
    @override
    def context(self) -> Context:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, self._own_context())
        return carrier

    @override
    def child(self, name: str, *, started_at: float | None = None, **facts: Unpack[Facts]) -> Span:
        return RecordedSpan(self._tracer, _start(self._tracer, name, self._own_context(), facts, started_at=started_at))

    @override
    def linked(self, name: str, **facts: Unpack[Facts]) -> Span:
        links = [Link(self._span.get_span_context())]
        return RecordedSpan(self._tracer, _start(self._tracer, name, OtelContext(), facts, links=links))

    @override
    def link(self, context: Context) -> None:
        other = get_current_span(_PROPAGATOR.extract(context, OtelContext())).get_span_context()
        if other.is_valid:
            self._span.add_link(other)

    @override
    def rename(self, name: str) -> None:
        self._span.update_name(name)

    @override
    def note(self, **facts: Unpack[Facts]) -> None:
        self._span.set_attributes(_attributes(facts))

    @override
    def mark(self, event: str) -> None:
        self._span.add_event(event)

    @override
    def fail(self, error: BaseException) -> None:
        kind = type(error).__qualname__
        self.note(error=kind)
        self._span.set_status(StatusCode.ERROR, kind)
        self._span.add_event("exception", {"exception.type": f"{type(error).__module__}.{kind}"})

    @override
    def finish(self) -> None:
        self._span.end()

    def _own_context(self) -> OtelContext:
        return set_span_in_context(self._span, OtelContext())


class _Exporter(SpanExporter):
    """Exports with `exporter`, and logs once that this fails, and once that it works again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._has_failed = False

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        has_failed = result is not SpanExportResult.SUCCESS
        if has_failed and not self._has_failed:
            log.warning("traces_not_exported", reason=_REASON.last, remedy="Spans are dropped until the endpoint answers.")
        elif self._has_failed and not has_failed:
            log.info("traces_exported_again")
        self._has_failed = has_failed
        return result

    @override
    def shutdown(self) -> None:
        self._exporter.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


class _Reason(logging.Filter):
    """Keeps the last message of the exporter out of the log, for the one line that `_Exporter` writes."""

    last = ""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        self.last = record.getMessage()[:_MAX_REASON_CHARS]
        return False


_REASON: Final = _Reason()


def _start(
    tracer: Tracer,
    name: str,
    parent: OtelContext,
    facts: Facts,
    *,
    kind: Kind = "internal",
    links: Sequence[Link] = (),
    started_at: float | None = None,
) -> OtelSpan:
    start_time = None if started_at is None else round(started_at * 1e9)
    return tracer.start_span(name, parent, kind=_KINDS[kind], attributes=_attributes(facts), links=links, start_time=start_time)


def _attributes(facts: Facts) -> dict[str, str | int | float]:
    # mypy takes the values of a TypedDict for objects.
    return {ATTRIBUTES[name]: value for name, value in facts.items() if isinstance(value, str | int | float)}


def _resource(service: str, instance: str) -> Resource:
    """The process. The name of the service is the environment's, if it has one."""
    given = Resource.create({SERVICE_VERSION: __version__, SERVICE_INSTANCE_ID: instance})
    is_named = not str(given.attributes.get(SERVICE_NAME, _UNKNOWN_SERVICE)).startswith(_UNKNOWN_SERVICE)
    return given if is_named else given.merge(Resource({SERVICE_NAME: service}))
