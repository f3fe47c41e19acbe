"""The models: `GET /v1/models` and `GET /v1/models/{id}`.

Why the list leaves out `kokoro` and `espeak` where the fleet lacks that engine: clients offer the listed models to their users.
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
    """A model in OpenAI's form, and the engine that speaks it."""

    id: str
    object: str = "model"
    created: int
    owned_by: str
    shutdown_date: None = None
    """No removal of a model is planned."""
    engine: str | None
    """The engine that would speak it now; None without a worker."""
    weights: Weights | None
    """The precision of Kokoro's weights, `mixed` where workers differ; None where another engine would speak it."""


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every model that a request may name now."""

    object: str = "list"
    data: list[ModelObject]


@get("/v1/models", guards=[require_key])
async def list_models(expected: Given[FleetView]) -> ModelList:
    """The models that a request may name now."""
    now = await expected.now()
    return ModelList(data=[_show(model, now) for model in models_of(now)])


@get("/v1/models/{model_id:str}", guards=[require_key])
async def get_model(model_id: FromPath[str], expected: Given[FleetView]) -> ModelObject:
    """One model. Raises UnknownModel; for a model that names its engine, raises as `resolve_engine` does."""
    return await _find(model_id, expected)


@get("/v1/models/{owner:str}/{name:str}", guards=[require_key])
async def get_owned_model(owner: FromPath[str], name: FromPath[str], expected: Given[FleetView]) -> ModelObject:
    """One model whose name has a slash, such as `hexgrad/Kokoro-82M`. Raises the errors of `get_model`."""
    return await _find(f"{owner}/{name}", expected)


async def _find(name: str, expected: FleetView) -> ModelObject:
    model = find_model(name)
    now = await expected.now()
    if model.engine is not None:
        resolve_engine(model, now)
    return _show(model, now)


def _show(model: Model, fleet: Fleet) -> ModelObject:
    engine = model.engine or fleet.best
    return ModelObject(
        id=model.id, created=model.created, owned_by=model.owned_by, engine=engine, weights=fleet.weights_of(engine)
    )
