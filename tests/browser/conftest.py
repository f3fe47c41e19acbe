"""A site and browsers for the tests of the page. These tests run only when they are selected with `-m browser`.

Why a browser of the system and not one that a package downloads: it is what people use, and it comes with the packages of the
system.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.browsers import Chromium, Firefox, Sound, Visitor, find_browser
from tests.browser.engines import HoldingEngine
from tests.harness import Harness, open_harness

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="module")
def engine() -> HoldingEngine:
    """The engine of the site."""
    return HoldingEngine()


@pytest.fixture(scope="module")
def site(short_folder: Path, engine: HoldingEngine) -> Iterator[Harness]:
    """A server without keys, whose one engine is called Kokoro and speaks in tones. A test that opens another one must not use
    this one: a process has one pool of workers.
    """
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder)), {"kokoro": engine}) as harness:
        yield harness


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """Chromium, opened once."""
    path = find_browser("chromium", "chromium-browser", "google-chrome")
    with Chromium(path) as browser:
        yield browser


@pytest.fixture
def visitor(chromium: Chromium, site: Harness, engine: HoldingEngine) -> Iterator[Visitor]:
    """A person with a fresh profile who has opened the page."""
    with chromium.visit(site.url) as visitor:
        yield visitor
    engine.let_go()


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sound]:
    """A sound system without a loudspeaker: Firefox plays nothing without one."""
    with Sound(tmp_path_factory.mktemp("pulse")) as sound:
        yield sound


@pytest.fixture(scope="module")
def firefox(sound: Sound, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Firefox, opened once for the tests of a module."""
    log = tmp_path_factory.mktemp("firefox") / "log"
    with Firefox(find_browser("firefox", "firefox-esr"), sound, log) as browser:
        yield browser


@pytest.fixture
def texts() -> dict[str, str]:
    """Texts that several tests speak."""
    return {
        "short": "The birch canoe slid on the smooth planks.",
        "held": "The birch canoe slid on the smooth planks. Then this sentence holds its listener until it is let go and ends.",
    }
