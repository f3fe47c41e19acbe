"""The engine for a model, and the models that a request may name now."""

from typing import Final

from app.core.errors import EngineUnavailable, NoWorker
from app.core.queue.fleet import Fleet
from app.core.speech.models import MODELS, Model

_REMEDIES: Final = {"kokoro": "`koe fetch` downloads its files; a running `koe serve` takes them by itself."}


def resolve_engine(model: Model, fleet: Fleet) -> str:
    """The engine for `model`: only the one that it names; for other models, the best one.

    Raises NoWorker when there is no worker, EngineUnavailable when a worker lacks the engine.
    """
    if not fleet.registrations:
        raise NoWorker("No worker is running, so there is nobody to speak. `koe worker` starts one.")
    engine = model.engine or fleet.best
    if engine is None:
        raise EngineUnavailable(f"The workers have no engine in common.{_reason(fleet, '')}")
    if engine not in fleet.engines:
        raise EngineUnavailable(f"The engine '{engine}' is not loaded.{_reason(fleet, engine)}")
    return engine


def models_of(fleet: Fleet) -> list[Model]:
    """The models that a request may name now: OpenAI's names, and the names of Koe's engines that every worker has loaded."""
    return [model for model in MODELS.values() if model.engine is None or model.engine in fleet.engines]


def _reason(fleet: Fleet, engine: str) -> str:
    missing, remedy = fleet.missing or "", _REMEDIES.get(engine, "")
    return " ".join(["", *filter(None, (missing, "" if "koe fetch" in missing else remedy))])
