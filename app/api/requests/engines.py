"""The engine for a model, and the models that a request may name now."""

from app.core.errors import EngineUnavailable
from app.core.host import remedies
from app.core.queue.fleet import Fleet, no_worker
from app.core.speech.models import MODELS, Model


def resolve_engine(model: Model, fleet: Fleet) -> str:
    """The engine for `model`: only the one that it names; for other models, the best one.

    Raises NoWorker when there is no worker, EngineUnavailable when a worker lacks the engine.
    """
    if not fleet.registrations:
        raise no_worker()
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
    """What the workers say of it, and what corrects it, as sentences with a space before them."""
    missing = fleet.missing or ""
    remedy = f"{remedies.koe('fetch')} downloads its files; a running server takes them by itself."
    is_told = engine != "kokoro" or " fetch" in missing
    return "".join(f" {sentence}" for sentence in (missing, "" if is_told else remedy) if sentence)
