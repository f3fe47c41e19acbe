"""`GET /metrics`: what this process has answered and what Redis knows, for Prometheus."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from app.api.measures import MEDIA_TYPE, Metrics, SharedView

GivenMetrics = NamedDependency[SkipValidation[Metrics]]
"""How a handler asks for the metrics: a parameter named `metrics` of this type."""

GivenShared = NamedDependency[SkipValidation[SharedView]]
"""How a handler asks for what Redis knows: a parameter named `shared` of this type."""


@get(
    "/metrics",
    media_type="text/plain",
    summary="What is measured, for Prometheus",
    response_description="Prometheus' text format.",
)
async def get_metrics(metrics: GivenMetrics, shared: GivenShared) -> Response[str]:
    """Of this API process, and of what all of them share. `app.api.measures` names each."""
    return Response(metrics.render(await shared.now()).decode(), media_type=MEDIA_TYPE)
