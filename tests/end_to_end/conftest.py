import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.listeners import wait_forgotten
from tests.engines import GatedEngine, RelayEngine
from tests.harness import Harness, open_harness

ONE_AT_A_TIME = {"KOE_SLOTS": "1", "KOE_BATCH_SLOTS": "1", "KOE_THREADS": "1"}


@dataclass
class RelayHarness:
    """A harness and its engine, which passes calls on to another engine."""

    harness: Harness
    relay: RelayEngine


@pytest.fixture(scope="module")
def relay_harness(short_folder: Path, request: pytest.FixtureRequest) -> Iterator[RelayHarness]:
    """Yields a harness for a module whose tests bring their own engines. Its settings are the module's HARNESS."""
    relay = RelayEngine()
    settings = getattr(request.module, "HARNESS", {})
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"tone": relay}, **settings) as harness:
        yield RelayHarness(harness, relay)


@pytest.fixture
def gate(relay_harness: RelayHarness) -> Iterator[GatedEngine]:
    """Yields the harness's engine for one test. It waits at each segment until it is released."""
    engine = GatedEngine()
    relay_harness.relay.now = engine
    yield engine
    engine.release(10_000)
    wait_forgotten(relay_harness.harness)


@pytest.fixture
def gated(relay_harness: RelayHarness, gate: GatedEngine) -> Harness:
    """Returns the harness in which `gate` speaks."""
    return relay_harness.harness
