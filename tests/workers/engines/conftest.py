from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.speech.voices import Catalogue, load_catalogue
from workers.engines.base import Engine
from workers.engines.espeak import EspeakEngine
from workers.engines.idle import IdleEngine
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.tone import ToneEngine


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def tone() -> ToneEngine:
    return ToneEngine()


@pytest.fixture(scope="session")
def espeak(catalogue: Catalogue) -> EspeakEngine:
    return EspeakEngine(catalogue)


@pytest.fixture(scope="session")
def kokoro(catalogue: Catalogue, checkpoint: Path) -> Iterator[KokoroEngine]:
    engine = KokoroEngine(catalogue=catalogue, model_dir=checkpoint)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def idle() -> Iterator[IdleEngine]:
    """The tone engine, unloaded when it has been idle."""
    engine = IdleEngine(ToneEngine, speaks=lambda _: True, idle_seconds=60)
    yield engine
    engine.close()


@pytest.fixture(params=["tone", "espeak", "kokoro", "idle"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    found: Engine = request.getfixturevalue(request.param)
    return found
