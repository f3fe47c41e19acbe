"""`GET /metrics`: the counts of this process and the values from Redis, for Prometheus."""

from litestar import Response, get

from app.api.dependencies import Given
from app.api.measures import MEDIA_TYPE, Metrics, SharedView


@get("/metrics", media_type="text/plain")
async def get_metrics(metrics: Given[Metrics], shared: Given[SharedView]) -> Response[str]:
    """The metrics of this API process, and those that all API processes share. `app.api.measures` names each."""
    return Response(metrics.render(await shared.now()).decode(), media_type=MEDIA_TYPE)
