"""Which models there are: `GET /v1/models`, `GET /v1/models/{id}`, and the engine that a model gets.

Why the list leaves out `kokoro` and `espeak` where the fleet has not got that engine: clients offer their users what is listed.
"""

from typing import Final

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from app.api.middleware.auth import require_key
from app.api.openapi.contract import AnsweredOperation, ModelOperation
from app.core.errors import EngineUnavailable, NoWorker
from app.core.queue.fleet import Fleet, FleetView, Weights
from app.core.speech.models import MODELS, Model, find_model

GivenFleet = NamedDependency[SkipValidation[FleetView]]
"""How a handler asks for the fleet: a parameter named `fleet` of this type."""

_REMEDIES: Final = {"kokoro": "`koe fetch` downloads its files; a running `koe serve` takes them by itself."}


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


def resolve_engine(model: Model, fleet: Fleet) -> str:
    """The engine that speaks `model`: the one it names and no other, else the best.

    Raises NoWorker when nobody is there, EngineUnavailable when the engine is not loaded by every worker.
    """
    if not fleet.cards:
        raise NoWorker("No worker is running, so there is nobody to speak. `koe worker` starts one.")
    engine = model.engine or fleet.best
    if engine is None:
        raise EngineUnavailable(f"The workers have no engine in common.{_reason(fleet, '')}")
    if engine not in fleet.engines:
        raise EngineUnavailable(f"The engine '{engine}' is not loaded.{_reason(fleet, engine)}")
    return engine


def models_of(fleet: Fleet) -> list[Model]:
    """The models that can be asked for now: OpenAI's names, and those engines of our own that every worker has loaded."""
    return [model for model in MODELS.values() if model.engine is None or model.engine in fleet.engines]


@get("/v1/models", guards=[require_key], summary="The models that can be asked for", operation_class=AnsweredOperation)
async def list_models(fleet: GivenFleet) -> ModelList:
    """See `models_of`."""
    now = await fleet.now()
    return ModelList(data=[_show(model, now) for model in models_of(now)])


@get("/v1/models/{model_id:str}", guards=[require_key], summary="One model", operation_class=ModelOperation)
async def get_model(model_id: FromPath[str], fleet: GivenFleet) -> ModelObject:
    """Raises UnknownModel; and as `resolve_engine` does, for a model that names its engine."""
    return await _find(model_id, fleet)


@get("/v1/models/{owner:str}/{name:str}", guards=[require_key], include_in_schema=False)
async def get_owned_model(owner: FromPath[str], name: FromPath[str], fleet: GivenFleet) -> ModelObject:
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


def _reason(fleet: Fleet, engine: str) -> str:
    missing, remedy = fleet.missing or "", _REMEDIES.get(engine, "")
    return " ".join(["", *filter(None, (missing, "" if "koe fetch" in missing else remedy))])
