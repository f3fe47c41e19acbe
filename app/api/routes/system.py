"""Whether the server lives, and whether it can speak: `GET /healthz`, `GET /readyz`."""

import asyncio

import msgspec
from litestar import Response, get

from app.api.dependencies import Given
from app.core.errors import Unavailable
from app.core.queue.broker import Broker, Lane
from app.core.queue.fleet import Fleet, FleetView, Weights
from app.core.storage.connections import reachable


class Health(msgspec.Struct, frozen=True):
    """The process lives."""

    status: str = "ok"


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a request would be spoken now, and by what."""

    status: str
    """`ready` or `unavailable`."""
    engine: str | None
    """The engine that OpenAI's model names get."""
    weights: Weights | None
    """How exact the weights are that it speaks with, `mixed` where workers differ; None where it has none."""
    notice: str | None
    """Why a better engine is not loaded, or workers differ, and the command that mends it."""
    workers: int
    queue: dict[Lane, int]
    """Utterances that wait, by lane."""


@get("/healthz")
async def health() -> Health:
    """Asks nobody else."""
    return Health()


@get("/readyz")
async def readiness(fleet: Given[FleetView], broker: Given[Broker]) -> Response[Readiness]:
    """200 when a worker with a warm engine is there, else 503."""
    try:
        now = await fleet.now()
        with reachable():
            waiting = await asyncio.to_thread(broker.waiting)
        notice = now.notice
    except Unavailable as error:
        now, waiting, notice = Fleet(), dict.fromkeys(Lane, 0), error.message
    body = Readiness(
        status="ready" if now.best else "unavailable",
        engine=now.best,
        weights=now.weights_of(now.best),
        notice=notice,
        workers=len(now.cards),
        queue=waiting,
    )
    return Response(body, status_code=200 if now.best else 503)
