"""The parts of `koe serve`: started, started again, ended; one `koe serve` for each folder."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.embedded import EmbeddedError
from app.core.settings import read_settings
from app.serve import Part, Supervisor
from tests.house import wait_until

CHILD = """
import pathlib, signal, sys
path = pathlib.Path(sys.argv[1])
path.write_text(path.read_text() + "started\\n" if path.exists() else "started\\n")
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
sys.stdin.read()
path.write_text(path.read_text() + "parent gone\\n")
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def a_part(notes: Path) -> Iterator[Callable[[str], Part]]:
    parts: list[Part] = []

    def make(script: str) -> Part:
        parts.append(Part("child", [sys.executable, "-c", script, str(notes)], {"PATH": ""}))
        return parts[-1]

    yield make
    for part in parts:
        part.signal(signal.SIGKILL)
        part.wait()


def started(notes: Path) -> int:
    return notes.read_text().count("started") if notes.exists() else 0


def test_a_part_that_lives_is_left_alone(a_part: Callable[[str], Part], notes: Path) -> None:
    part = a_part(CHILD)
    part.start()
    wait_until(lambda: started(notes) == 1)

    part.check()
    part.signal(signal.SIGTERM)
    part.wait()

    assert started(notes) == 1


def test_a_part_that_died_is_started_again_after_a_wait(
    a_part: Callable[[str], Part], notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = a_part(CHILD)
    part.start()
    wait_until(lambda: started(notes) == 1)
    part.signal(signal.SIGKILL)
    assert part._process is not None
    part._process.wait()

    part.check()
    assert part._process is None
    part.check()
    assert part._process is None

    monkeypatch.setattr(part, "_not_before", 0.0)
    part.check()
    wait_until(lambda: started(notes) == 2)


def test_each_wait_is_longer_until_it_has_lived_for_long(
    a_part: Callable[[str], Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("app.serve.time.monotonic", lambda: clock[0])
    part = a_part("")
    waits = []
    for lived_seconds in (0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 61.0, 1.0):
        part.start()
        assert part._process is not None
        part._process.wait()
        clock[0] += lived_seconds
        part.check()
        waits.append(part._not_before - clock[0])

    assert waits == [1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 1.0, 2.0]


def test_a_part_hears_when_this_process_is_gone(a_part: Callable[[str], Part], notes: Path) -> None:
    part = a_part(CHILD)
    part.start()
    wait_until(lambda: started(notes) == 1)
    assert part._process is not None
    assert part._process.stdin is not None

    part._process.stdin.close()

    assert part._process.wait(30) == 0
    assert "parent gone" in notes.read_text()


def test_to_signal_and_await_what_never_started_is_nothing(a_part: Callable[[str], Part]) -> None:
    part = a_part(CHILD)

    part.signal(signal.SIGTERM)
    part.wait()


def test_a_second_serve_on_the_same_folder_is_refused_with_the_remedy(data: Path) -> None:
    settings = read_settings({"KOE_DATA": str(data)})
    refused: list[str] = []

    class Enough(Exception):
        pass

    def on_started() -> None:
        try:
            Supervisor(settings, n_workers=1).run(lambda: None)
        except EmbeddedError as error:
            refused.append(str(error))
        raise Enough

    first = Supervisor(settings, n_workers=0)
    first._api = Part("api", [sys.executable, "-c", ""], {})
    with contextlib.suppress(Enough), _signals_kept():
        first.run(on_started)

    assert str(data) in refused[0]
    assert "KOE_DATA" in refused[0]
    assert first._server is not None
    assert not first._server.is_running()


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_with_a_redis_of_one_s_own_no_server_is_brought(data: Path) -> None:
    settings = read_settings({"KOE_DATA": str(data), "KOE_REDIS_URL": "redis://elsewhere"})
    assert Supervisor(settings, n_workers=2)._server is None


def test_the_parts_are_given_the_settings_and_the_server_s_address(data: Path) -> None:
    settings = read_settings({"KOE_DATA": str(data), "KOE_MAX_WAIT": "3"})

    supervisor = Supervisor(settings, n_workers=3)

    assert [part.name for part in supervisor._parts] == ["api", "worker-1", "worker-2", "worker-3"]
    for part in supervisor._parts:
        assert part._environ["KOE_REDIS_URL"] == f"unix://{data}/valkey.sock"
        assert part._environ["KOE_MAX_WAIT"] == "3.0"
