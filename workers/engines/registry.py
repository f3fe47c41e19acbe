"""Which engines a worker loads for `KOE_ENGINE`, and why the best one is missing when it is.

Why imports stand inside functions here and nowhere else: the engine of the model needs torch, which takes seconds and half a
gigabyte that a worker with another engine does not have.
"""

import importlib.util
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from app.core.errors import EngineUnavailable
from app.core.speech.voices import Catalogue
from app.core.weights.files import Precision, find_checkpoint
from workers.engines.base import Engine
from workers.engines.finish import Finish
from workers.engines.idle import IdleEngine

Choice = Literal["auto", "kokoro", "espeak", "tone"]

_PACKAGES = ("torch", "kokoro", "misaki")
_NOT_INSTALLED = "The package {} is not installed; run `pip install 'koe[worker]'`."

_log = structlog.get_logger()


class Loaded(msgspec.Struct, frozen=True):
    """What a worker can speak with."""

    engines: dict[str, Engine]
    """By name."""
    missing: str | None = None
    """Why Kokoro was wanted and is not among them, and the command that mends it: one or two plain sentences."""
    weights: Precision | None = None
    """How exact Kokoro's weights are; None without Kokoro."""


def load_engines(
    choice: Choice,
    *,
    catalogue: Catalogue,
    model_dir: Path | None = None,
    fetched_dir: Path | None = None,
    device: str = "cpu",
    idle_unload: float = 0.0,
    finish: Finish | None = None,
) -> Loaded:
    """The engines for `choice`.

    - `auto`: espeak always, and Kokoro when its files are there and whole; `missing` says why it is not.
    - `kokoro`: Kokoro and espeak. Raises EngineUnavailable when Kokoro's files are missing or damaged.
    - `espeak`, `tone`: that one.

    Raises EngineUnavailable when espeak-ng itself does not work. `model_dir`, `fetched_dir` and `device` are as for
    `workers.engines.kokoro.engine.KokoroEngine`. After `idle_unload` seconds without work Kokoro is let go of until it is asked
    again; 0 is never. The others are light, and stay. `finish` is what is done to all speech of Kokoro and espeak-ng.
    """
    if choice == "tone":
        return Loaded({"tone": _load_tone()})
    espeak = _load_espeak(catalogue, finish)
    if choice == "espeak":
        return Loaded({"espeak": espeak})
    try:
        kokoro, weights = _load_kokoro(catalogue, model_dir, fetched_dir, device, idle_unload, finish)
    except EngineUnavailable as error:
        if choice == "kokoro":
            espeak.close()
            raise
        _log.warning("kokoro_missing", reason=error.message)
        return Loaded({"espeak": espeak}, error.message)
    return Loaded({"kokoro": kokoro, "espeak": espeak}, weights=weights)


def _load_tone() -> Engine:
    from workers.engines.tone import ToneEngine

    return ToneEngine()


def _load_espeak(catalogue: Catalogue, finish: Finish | None) -> Engine:
    from workers.engines.espeak import EspeakEngine

    return EspeakEngine(catalogue, finish)


def _load_kokoro(
    catalogue: Catalogue,
    model_dir: Path | None,
    fetched_dir: Path | None,
    device: str,
    idle_unload: float,
    finish: Finish | None,
) -> tuple[Engine, Precision]:
    """The engine, and how exact its weights are."""
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise EngineUnavailable(_NOT_INSTALLED.format(package))
    # First, since the import takes seconds that a worker without the files need not wait.
    weights = find_checkpoint(model_dir, catalogue.voices, fetched_dir).precision
    from workers.engines.kokoro.devices import find_device

    find_device(device)
    from workers.engines.kokoro.engine import KokoroEngine

    def load() -> KokoroEngine:
        return KokoroEngine(catalogue=catalogue, model_dir=model_dir, fetched_dir=fetched_dir, device=device, finish=finish)

    engine = IdleEngine(load, speaks=KokoroEngine.speaks, idle_seconds=idle_unload) if idle_unload else load()
    return engine, weights
