"""Decides whether traces are recorded: only where a setting of Koe or of OpenTelemetry names an endpoint.

Why the import stands inside a function: OpenTelemetry is optional, and without an endpoint nothing of it is loaded.

Why a missing package is a warning and no error: `OTEL_EXPORTER_OTLP_ENDPOINT` is often set for all programs of a machine, and
speech does not need traces.
"""

import os
from collections.abc import Mapping
from typing import Final

import structlog

from app.core.host import remedies
from app.core.tracing.spans import NO_TRACING, Tracing

log: Final = structlog.get_logger()

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"
_PATH: Final = "/v1/traces"
_OTHER_PROTOCOL: Final = "Koe exports traces over OTLP/HTTP only: name an endpoint for http/protobuf, usually on port 4318."


def open_tracing(
    endpoint: str, *, service: str, instance: str, environ: Mapping[str, str] = os.environ, warns: bool = True
) -> Tracing:
    """Returns the traces of this process, or NO_TRACING.

    `endpoint` is the setting of Koe, and has priority over the variables of OpenTelemetry in `environ`. `service` and
    `instance` name the process. `warns`: False where another process already says what is missing.
    """
    if not _is_wanted(endpoint, environ):
        return NO_TRACING
    try:
        from app.core.tracing.otel import OtelTracing
    except ImportError:
        if warns:
            log.warning("traces_off", remedy=_not_installed())
        return NO_TRACING
    if warns and _first(_PROTOCOLS, environ) not in ("", _PROTOCOL):
        log.warning("traces_over_http", remedy=_OTHER_PROTOCOL)
    return OtelTracing(service, instance, endpoint=_full_url(endpoint) if endpoint else None)


def _not_installed() -> str:
    return (
        f"An endpoint for traces is set, but OpenTelemetry is not installed: run {remedies.install('otel')}, or remove "
        "KOE_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT."
    )


def _is_wanted(endpoint: str, environ: Mapping[str, str]) -> bool:
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    return bool(endpoint or _first(_ENDPOINTS, environ)) and not is_off


def _full_url(endpoint: str) -> str:
    base = endpoint.rstrip("/")
    return base if base.endswith(_PATH) else base + _PATH


def _first(names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")
