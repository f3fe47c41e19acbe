"""Fixtures that many tests share."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import structlog
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from app.core.storage.connections import connect, connect_async
from app.core.storage.embedded_server import EmbeddedServer
from tests.harness import Harness, open_harness

if TYPE_CHECKING:
    from workers.engines.kokoro.checkpoint import CheckpointFiles

_ENVIRON = dict(os.environ)
"""The environment before `no_settings_from_outside` changes it: it may say where Kokoro's files are."""

# The same examples in every run, and no time limit for an example: the machine is shared.
hypothesis.settings.register_profile(
    "koe", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("koe")


LONGEST = ("test_hostile.py", "test_hostile_steps.py", "test_new_model_files.py", "test_schema.py")
"""Files that take minutes. They come first: one of them at the end would run alone."""


BROWSER_TESTS = Path(__file__).parent / "browser"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The tests in browsers need packages that only `make check-browser` installs."""
    return True if collection_path == BROWSER_TESTS and "browser" not in config.option.markexpr else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def no_log_is_kept_as_it_was_first_used() -> Iterator[None]:
    """Later tests cannot capture what a cached logger logs. The log is on standard error, as in every process of Koe: tests of
    commands read what these print.
    """
    configure = structlog.configure
    structlog.configure = lambda *args, **options: configure(*args, **options | {"cache_logger_on_first_use": False})
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(os.fdopen(2, "w", 1, closefd=False)))
    yield
    structlog.configure = configure


@pytest.fixture(autouse=True, scope="session")
def no_settings_from_outside() -> None:
    """The settings of the person who runs the tests must not change the results."""
    for name in [name for name in os.environ if name.startswith(("KOE_", "OPENAI_", "OTEL_"))]:
        del os.environ[name]


@pytest.fixture(scope="session")
def real_checkpoint() -> "CheckpointFiles":
    """Kokoro's own files, where a worker would find them. Without them, tests that need them are skipped."""
    from tests.real import find_real
    from workers.engines.kokoro.checkpoint import MissingFile

    try:
        return find_real(_ENVIRON)
    except MissingFile as error:
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        yield Path(folder)


@pytest.fixture
def data(short_folder: Path) -> Path:
    """A fresh KOE_DATA."""
    return Path(tempfile.mkdtemp(dir=short_folder))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a whole tiny checkpoint. Tests must not write to it."""
    from tests.checkpoints import make_checkpoint  # It imports torch, which takes seconds.

    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="session")
def valkey(short_folder: Path) -> Iterator[EmbeddedServer]:
    """A Valkey for tests of single modules."""
    server = EmbeddedServer(short_folder / "shared")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(valkey: EmbeddedServer) -> str:
    """An empty Valkey."""
    with connect(valkey.url) as redis:
        redis.flushall()
    return valkey.url


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as redis:
        yield redis


@pytest.fixture
async def aredis(redis_url: str) -> AsyncIterator[AsyncRedis]:
    async with connect_async(redis_url) as redis:
        yield redis


@pytest.fixture(scope="module")
def harness(short_folder: Path) -> Iterator[Harness]:
    """A harness that speaks in tones, shared by a module's tests."""
    with open_harness(Path(tempfile.mkdtemp(dir=short_folder))) as harness:
        yield harness
