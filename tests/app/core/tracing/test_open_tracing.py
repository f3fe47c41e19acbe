"""Traces are recorded only where an endpoint is set and the packages are installed."""

import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.tracing.open_tracing import open_tracing
from app.core.tracing.spans import NO_TRACING, Tracing

ROOT = Path(__file__).parents[4]
CLOSED = "http://127.0.0.1:1"
"""A port that no process uses."""


def opened(endpoint: str = "", **environ: str) -> Tracing:
    return open_tracing(endpoint, service="koe-api", instance="one", environ=environ)


def test_without_an_endpoint_nothing_is_recorded() -> None:
    assert opened() is NO_TRACING
    assert opened(OTEL_SERVICE_NAME="speech", OTEL_EXPORTER_OTLP_ENDPOINT=" ") is NO_TRACING


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_variables_of_opentelemetry_name_an_endpoint_too(name: str) -> None:
    pytest.importorskip("opentelemetry.sdk")
    tracing = opened(**{name: CLOSED})

    assert tracing.is_on
    tracing.close()


@pytest.mark.parametrize("off", [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_variables_of_opentelemetry_turn_traces_off(off: dict[str, str]) -> None:
    assert opened(CLOSED, **off) is NO_TRACING


def test_a_missing_package_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.core.tracing.otel", None)

    with capture_logs() as lines:
        tracing = opened(CLOSED)

    assert tracing is NO_TRACING
    assert [line["event"] for line in lines] == ["traces_off"]
    assert "[otel]" in lines[0]["remedy"]


def test_a_missing_package_is_not_said_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "app.core.tracing.otel", None)

    with capture_logs() as lines:
        open_tracing(CLOSED, service="koe-worker", instance="one", environ={}, warns=False)

    assert lines == []


def test_another_protocol_is_named_in_one_line() -> None:
    pytest.importorskip("opentelemetry.sdk")
    with capture_logs() as lines:
        opened(CLOSED, OTEL_EXPORTER_OTLP_PROTOCOL="grpc").close()

    assert [line["event"] for line in lines] == ["traces_over_http"]


def test_without_an_endpoint_nothing_that_records_is_imported() -> None:
    """redis-py imports OpenTelemetry's metrics where they are installed; Koe imports nothing of it."""
    script = (
        "import sys, app.asgi, workers.__main__, workers.process.pool; from app.core.settings import Settings;"
        "app.asgi.create_app(Settings(), 'redis://127.0.0.1:1');"
        "others = {'app.core.tracing.otel', 'opentelemetry.sdk.trace', 'opentelemetry.exporter'};"
        "print(sorted(others & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
