"""Spans reach an OTLP receiver, in the background, by the rules of OpenTelemetry."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from structlog.testing import capture_logs

from app.core.errors import Cancelled, EngineFailed
from app.core.tracing.open_tracing import open_tracing
from app.core.tracing.spans import Tracing
from tests.harness import wait_until
from tests.trace_receiver import TraceReceiver, open_trace_receiver

PARENT = {"traceparent": f"00-{'1' * 32}-{'a' * 16}-01", "tracestate": "vendor=one"}

Open = Callable[..., Tracing]


@pytest.fixture
def receiver() -> Iterator[TraceReceiver]:
    with open_trace_receiver() as receiver:
        yield receiver


@pytest.fixture
def opened(receiver: TraceReceiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens tracing with these variables of OpenTelemetry."""
    tracings: list[Tracing] = []

    def open_one(endpoint: str = receiver.url, **environ: str) -> Tracing:
        for name, value in {"OTEL_BSP_SCHEDULE_DELAY": "20", **environ}.items():
            monkeypatch.setenv(name, value)
        tracings.append(open_tracing(endpoint, service="koe-api", instance="one"))
        return tracings[-1]

    yield open_one
    for tracing in tracings:
        tracing.close()


def test_a_span_continues_the_trace_that_it_is_given(opened: Open, receiver: TraceReceiver) -> None:
    span = opened().begin("speak", context=PARENT)
    carried = dict(span.context)
    span.end()
    (received,) = receiver.wait("speak")

    assert (received.trace_id, received.parent_id) == ("1" * 32, "a" * 16)
    assert carried == {"traceparent": f"00-{'1' * 32}-{received.id}-01", "tracestate": "vendor=one"}
    assert span.log_fields == {"trace_id": "1" * 32}


def test_a_span_may_begin_before_it_is_recorded(opened: Open, receiver: TraceReceiver) -> None:
    began_at = time.time() - 5

    opened().begin("queue wait", started_at=began_at).end()

    assert receiver.wait("queue wait")[0].began_at == pytest.approx(began_at, abs=1e-3)


def test_an_exception_leaves_its_class_and_not_its_message(opened: Open, receiver: TraceReceiver) -> None:
    with pytest.raises(EngineFailed), opened().begin("speak") as span, span.child("segment"):
        raise EngineFailed
    spans = [*receiver.wait("segment"), *receiver.wait("speak")]

    assert [(span.is_error, span.said, span.facts["error.type"]) for span in spans] == [(True, *["EngineFailed"] * 2)] * 2
    assert spans[0].events == {"exception": {"exception.type": "app.core.errors.EngineFailed"}}


def test_cancelled_work_is_no_error(opened: Open, receiver: TraceReceiver) -> None:
    opened().begin("speak").end(Cancelled("Nobody listens."))
    (received,) = receiver.wait("speak")

    assert not received.is_error
    assert received.facts == {"koe.outcome": "cancelled"}


def test_the_sampler_of_the_environment_decides(opened: Open, receiver: TraceReceiver) -> None:
    none = opened(OTEL_TRACES_SAMPLER="always_off")
    none.begin("never", context=PARENT).end()
    none.close()
    opened(OTEL_TRACES_SAMPLER="parentbased_always_on").begin("unsampled", context=_unsampled()).end()
    opened(OTEL_TRACES_SAMPLER="parentbased_always_on").begin("sampled", context=PARENT).end()
    receiver.wait("sampled")

    assert [span.name for span in receiver.spans] == ["sampled"]


def _unsampled() -> dict[str, str]:
    return {"traceparent": PARENT["traceparent"].removesuffix("01") + "00"}


@pytest.mark.parametrize(("given", "service"), [({}, "koe-api"), ({"OTEL_SERVICE_NAME": "speech"}, "speech")])
def test_the_environment_may_name_the_service(
    opened: Open, receiver: TraceReceiver, given: dict[str, str], service: str
) -> None:
    opened(**given).begin("speak").end()

    assert receiver.wait("speak")[0].service == service


def test_the_setting_of_koe_has_priority_over_the_environment(opened: Open, receiver: TraceReceiver) -> None:
    opened(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1").begin("speak").end()

    assert receiver.wait("speak")
    assert receiver.paths == ["/v1/traces"]


def test_the_environment_alone_says_where_to_export(opened: Open, receiver: TraceReceiver) -> None:
    opened("", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url).begin("speak").end()

    assert receiver.wait("speak")


def test_a_receiver_that_is_away_is_logged_once_and_when_it_is_back(opened: Open, receiver: TraceReceiver) -> None:
    receiver.is_away = True
    with capture_logs() as lines:
        tracing = opened(OTEL_EXPORTER_OTLP_TIMEOUT="1")
        for n_tries in range(1, 4):
            tracing.begin("lost").end()
            wait_until(partial(_was_tried, receiver, n_tries))
        wait_until(lambda: lines)
        receiver.is_away = False
        wait_until(lambda: _exports(tracing, receiver))
        wait_until(lambda: lines[-1]["event"] == "traces_exported_again")

    assert [line["event"] for line in lines] == ["traces_not_exported", "traces_exported_again"]
    assert lines[0]["reason"]


def _was_tried(receiver: TraceReceiver, n_tries: int) -> bool:
    return len(receiver.paths) >= n_tries


def _exports(tracing: Tracing, receiver: TraceReceiver) -> bool:
    tracing.begin("found").end()
    return any(span.name == "found" for span in receiver.spans)


def test_the_end_exports_what_is_left(opened: Open, receiver: TraceReceiver) -> None:
    tracing = opened(OTEL_BSP_SCHEDULE_DELAY="600000")
    tracing.begin("last").end()

    tracing.close()

    assert [span.name for span in receiver.spans] == ["last"]


def test_the_end_does_not_wait_for_a_receiver_that_is_away(opened: Open) -> None:
    tracing = opened("http://127.0.0.1:1", OTEL_BSP_SCHEDULE_DELAY="600000")
    tracing.begin("lost").end()

    tracing.close()
