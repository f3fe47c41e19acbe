"""Loads the engines for `KOE_ENGINE`, and reports why the best one is missing.

Why imports stand inside functions here and nowhere else: Kokoro's engine needs torch, which takes seconds and half a gigabyte.
A worker with another engine does not need it.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import msgspec
import structlog

from app.core.errors import EngineUnavailable
from app.core.host import remedies
from app.core.speech.voices import Catalogue
from app.core.weights.files import Precision, find_checkpoint
from workers.engines.base import Engine, ReadCustomPack, no_custom_packs
from workers.engines.finish import Finish
from workers.engines.idle import EngineFacts, IdleEngine
from workers.text.g2p.phonemize import Phonemizer

Choice = Literal["auto", "kokoro", "espeak", "tone"]

KernelPrecision = Literal["auto", "float32", "float16", "bfloat16", "int8"]
"""Precision in which a CPU keeps the prepared weights of Kokoro's decoder."""

AUTO_PRECISION: Final = "bfloat16"
"""Precision of `auto`. Speech then is 0.2 decibels away from float32's (log-spectral distance), and two drawings of the model's
noise are 2.0 apart. It takes 1 to 6 percent more time and 240 MB less memory.
"""

_PACKAGES = ("torch", "kokoro", "misaki")

NO_FACTS: Final[Mapping[str, EngineFacts]] = MappingProxyType({})

_log = structlog.get_logger()


class Loaded(msgspec.Struct, frozen=True):
    """The loaded engines."""

    engines: dict[str, Engine]
    """Engines by name."""
    missing: str | None = None
    """If Kokoro is missing although it was requested: the reason and the command that fixes it, in one or two sentences."""
    weights: Precision | None = None
    """Precision of Kokoro's weights; None without Kokoro."""


def load_engines(
    choice: Choice,
    *,
    catalogue: Catalogue,
    model_dir: Path | None = None,
    fetched_dir: Path | None = None,
    device: str = "cpu",
    precision: KernelPrecision = "auto",
    idle_unload: float = 0.0,
    finish: Finish | None = None,
    facts: Mapping[str, EngineFacts] = NO_FACTS,
    read_custom_pack: ReadCustomPack = no_custom_packs,
) -> Loaded:
    """Loads the engines for `choice`.

    - `auto`: espeak, and Kokoro if its files are present and intact; otherwise `missing` is the reason.
    - `kokoro`: Kokoro and espeak. Raises EngineUnavailable if Kokoro's files are missing or damaged.
    - `espeak`, `tone`: only that engine.

    Raises EngineUnavailable if espeak-ng does not work. `model_dir`, `fetched_dir`, `device` and `precision` are passed to
    `workers.engines.kokoro.engine.KokoroEngine`. Kokoro is unloaded after `idle_unload` seconds without work and loaded again
    on demand; 0 means never. The other engines are small and stay loaded. `finish` post-processes the speech of Kokoro and
    espeak-ng. With `facts` about Kokoro it is not loaded before there is work. `read_custom_pack` returns a pack that a user
    has made, for Kokoro.
    """
    if choice == "tone":
        return Loaded({"tone": _load_tone()})
    espeak = _load_espeak(catalogue, finish)
    if choice == "espeak":
        return Loaded({"espeak": espeak})
    try:
        kokoro, weights = _load_kokoro(
            catalogue,
            model_dir,
            fetched_dir,
            device,
            precision,
            idle_unload,
            finish,
            facts.get("kokoro"),
            read_custom_pack,
        )
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
    precision: KernelPrecision,
    idle_unload: float,
    finish: Finish | None,
    facts: EngineFacts | None,
    read_custom_pack: ReadCustomPack,
) -> tuple[Engine, Precision]:
    """Returns the engine and the precision of its weights."""
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise EngineUnavailable(f"The package {package} is not installed: run {remedies.install('worker')}.")
    # Checked first: without the files, the import would take seconds for nothing.
    weights = find_checkpoint(model_dir, catalogue.voices, fetched_dir).precision
    if facts is None:
        from workers.engines.kokoro.devices import find_device

        find_device(device)

    def load() -> Engine:
        from workers.engines.kokoro.engine import KokoroEngine

        return KokoroEngine(
            catalogue=catalogue,
            model_dir=model_dir,
            fetched_dir=fetched_dir,
            device=device,
            precision=AUTO_PRECISION if precision == "auto" else precision,
            finish=finish,
            read_custom_pack=read_custom_pack,
        )

    engine = IdleEngine(load, speaks=Phonemizer().speaks, idle_seconds=idle_unload, facts=facts) if idle_unload else load()
    return engine, weights
