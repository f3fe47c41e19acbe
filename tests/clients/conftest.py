"""The harnesses for the clients. These tests run only when they are selected with `-m clients`."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.core.settings import read_settings
from app.core.storage import keys
from tests.harness import Api, Harness, free_port, open_harness, wait_until
from workers.engines.base import ALONE, Segment, Turn, Waveform
from workers.engines.tone import ToneEngine

HERE = Path(__file__).parent
KEYS = ("sk-koe-openai", "sk-koe-openai-1", "sk-koe-node", "sk-koe-node-4")
STRICT = {"KOE_API_KEYS": ",".join(KEYS), "KOE_RATE_LIMIT": "1/second"}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "clients: installs and drives a third-party client; run with `make check-clients`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    ours = [item for item in items if HERE in item.path.parents]
    for item in ours:
        item.add_marker("clients")
        item.add_marker(pytest.mark.timeout(900))
    if "clients" not in config.option.markexpr:
        items[:] = [item for item in items if item not in ours]
        config.hook.pytest_deselected(items=ours)


class WilfulEngine(ToneEngine):
    """Fails at a sentence with `breaks`, once earlier audio is available, is slow at a sentence with `waits`, does not end at a
    sentence with `hangs` until nobody wants it any more, and speaks none with `next turn` before that.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_heard: Callable[[], bool] = bool
        self._hanging: list[str] = []
        self.hung: list[str] = []
        """Texts at which it hung for so long that it gave up itself."""

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        if any("breaks" in one.text for one in segments):
            wait_until(self.is_heard)
            time.sleep(1)  # nothing shows when the client has it too
            raise RuntimeError("the engine broke")
        if any("hangs" in one.text for one in segments):
            self._hang(" ".join(one.text for one in segments), turn)
        if any("next turn" in one.text for one in segments):
            wait_until(lambda: not self._hanging)
        if any("waits" in one.text for one in segments):
            time.sleep(2)
        return super().synthesize(segments, turn)

    def _hang(self, text: str, turn: Turn) -> None:
        self._hanging.append(text)
        give_up = time.monotonic() + 20
        try:
            while time.monotonic() < give_up:
                turn.give_way()
                time.sleep(0.01)
            self.hung.append(text)
            raise RuntimeError("somebody still wanted it after 20 seconds")
        finally:
            self._hanging.remove(text)


@pytest.fixture(scope="session")
def engine() -> WilfulEngine:
    """Returns the engine of the harnesses."""
    return WilfulEngine()


@pytest.fixture(scope="session")
def harnesses(short_folder: Path, engine: WilfulEngine) -> Iterator[dict[str, str]]:
    """Yields base URLs by name: `open` has only Kokoro loaded; `locked` allows each of KEYS one request a second; `hasty` waits
    at most one second; `empty` has no worker; at `down` there is no server.
    """
    with ExitStack() as stack:
        one = stack.enter_context(open_harness(_fresh(short_folder), {"kokoro": engine}))
        engine.is_heard = stack.enter_context(_hearing(one))
        empty = stack.enter_context(open_harness(_fresh(short_folder), {}))
        urls = {"open": one.url, "empty": empty.url, "down": f"http://127.0.0.1:{free_port()}"}
        for name, environ in {"locked": STRICT, "hasty": {"KOE_MAX_WAIT": "1"}}.items():
            api = Api(read_settings({"KOE_DATA": str(one.settings.data), **environ}), one.redis_url)
            urls[name] = api.start()
            stack.callback(api.stop)
        yield {name: f"{url}/v1" for name, url in urls.items()}


@contextmanager
def _hearing(harness: Harness) -> Iterator[Callable[[], bool]]:
    """Yields a function that tells whether there is audio of any utterance that is being spoken."""
    with harness.redis() as redis:

        def is_heard() -> bool:
            records = {key: redis.hgetall(key) for key in redis.keys(keys.utterance("*"))}
            spoken = ((key, record[b"take"]) for key, record in records.items() if record[b"state"] == b"speaking")
            return any(redis.xlen(keys.audio(key.decode().split(":")[-1], take.decode())) for key, take in spoken)

        yield is_heard


def _fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))
