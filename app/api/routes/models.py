"""Which models there are: `GET /v1/models` and `GET /v1/models/{id}`.

Why the list leaves out `kokoro` and `espeak` where the fleet has not got that engine: clients offer their users what is listed.
"""

import msgspec
from litestar import get
from litestar.params import FromPath

from app.api.dependencies import Given
from app.api.middleware.auth import require_key
from app.api.requests.engines import models_of, resolve_engine
from app.core.queue.fleet import Fleet, FleetView, Weights
from app.core.speech.models import Model, find_model


class ModelObject(msgspec.Struct, frozen=True, kw_only=True):
    """A model, as OpenAI shows it, and the engine behind it."""

    id: str
    object: str = "model"
    created: int
    owned_by: str
    shutdown_date: None = None
    """No model is going to be taken away."""
    engine: str | None
    """The engine that would speak it now; None with no worker."""
    weights: Weights | None
    """How exact Kokoro's weights are, `mixed` where workers differ; None where another engine would speak it."""


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every model that can be asked for now."""

    object: str = "list"
    data: list[ModelObject]


@get("/v1/models", guards=[require_key])
async def list_models(fleet: Given[FleetView]) -> ModelList:
    """See `models_of`."""
    now = await fleet.now()
    return ModelList(data=[_show(model, now) for model in models_of(now)])


@get("/v1/models/{model_id:str}", guards=[require_key])
async def get_model(model_id: FromPath[str], fleet: Given[FleetView]) -> ModelObject:
    """Raises UnknownModel; and as `resolve_engine` does, for a model that names its engine."""
    return await _find(model_id, fleet)


@get("/v1/models/{owner:str}/{name:str}", guards=[require_key])
async def get_owned_model(owner: FromPath[str], name: FromPath[str], fleet: Given[FleetView]) -> ModelObject:
    """The model that a name with a slash means, such as `hexgrad/Kokoro-82M`."""
    return await _find(f"{owner}/{name}", fleet)


async def _find(name: str, fleet: FleetView) -> ModelObject:
    model = find_model(name)
    now = await fleet.now()
    if model.engine is not None:
        resolve_engine(model, now)
    return _show(model, now)


def _show(model: Model, fleet: Fleet) -> ModelObject:
    engine = model.engine or fleet.best
    return ModelObject(
        id=model.id, created=model.created, owned_by=model.owned_by, engine=engine, weights=fleet.weights_of(engine)
    )
