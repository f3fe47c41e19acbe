"""Liveness and readiness: `GET /healthz`, `GET /readyz`."""

import asyncio

import msgspec
from litestar import Response, get

from app.api.dependencies import Given
from app.core.errors import Unavailable
from app.core.queue.broker import Broker, QueueName
from app.core.queue.fleet import Fleet, FleetView, Weights
from app.core.storage.connections import reachable


class Health(msgspec.Struct, frozen=True):
    """The process is alive."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a request would be spoken now, and by which engine."""

    status: str
    """`ready` or `unavailable`."""
    engine: str | None
    """The engine for OpenAI's model names."""
    weights: Weights | None
    """The precision of its weights, `mixed` where workers differ; None for an engine without weights."""
    notice: str | None
    """Why a better engine is not loaded, or why workers differ, and the command that corrects it."""
    workers: int
    queue: dict[QueueName, int]
    """Waiting utterances in each queue."""


@get("/healthz")
async def health() -> Health:
    """Status 200 while the process runs; nothing else is checked."""
    return Health()


@get("/readyz")
async def readiness(fleet: Given[FleetView], broker: Given[Broker]) -> Response[Readiness]:
    """Status 200 when a worker has a warm engine, else 503."""
    try:
        now = await fleet.now()
        with reachable():
            waiting = await asyncio.to_thread(broker.waiting)
        notice = now.notice
    except Unavailable as error:
        now, waiting, notice = Fleet(), dict.fromkeys(QueueName, 0), error.message
    body = Readiness(
        status="ready" if now.best else "unavailable",
        engine=now.best,
        weights=now.weights_of(now.best),
        notice=notice,
        workers=len(now.registrations),
        queue=waiting,
    )
    return Response(body, status_code=200 if now.best else 503)
