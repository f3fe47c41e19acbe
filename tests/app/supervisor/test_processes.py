"""The parts of `koe serve`: started, restarted, renewed, ended; one `koe serve` for each folder."""

import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.settings import read_settings
from app.core.storage.embedded_server import EmbeddedError
from app.server.http_server import listening, port_of
from app.supervisor.processes import ApiPart, Part
from app.supervisor.supervisor import Supervisor
from tests.harness import wait_until

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
    process = part._process
    assert process is not None
    process.wait()

    part.check()
    assert part._process is None
    part.check()
    assert part._process is None

    monkeypatch.setattr(part._again, "_not_before", 0.0)
    part.check()
    wait_until(lambda: started(notes) == 2)


def test_each_wait_is_longer_until_it_has_lived_for_long(
    a_part: Callable[[str], Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("app.supervisor.processes.time.monotonic", lambda: clock[0])
    part = a_part("")
    waits = []
    for lived_seconds in (0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 61.0, 1.0):
        part.start()
        assert part._process is not None
        part._process.wait()
        clock[0] += lived_seconds
        part.check()
        assert part._again._not_before is not None
        waits.append(part._again._not_before - clock[0])

    assert waits == [1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 1.0, 2.0]


def test_a_part_notices_that_this_process_has_ended(a_part: Callable[[str], Part], notes: Path) -> None:
    part = a_part(CHILD)
    part.start()
    wait_until(lambda: started(notes) == 1)
    assert part._process is not None
    assert part._process.stdin is not None

    part._process.stdin.close()

    assert part._process.wait(30) == 0
    assert "parent gone" in notes.read_text()


def test_signalling_and_awaiting_a_part_that_never_started_does_nothing(a_part: Callable[[str], Part]) -> None:
    part = a_part(CHILD)

    part.signal(signal.SIGTERM)
    part.wait()


SAYS_WHAT_IT_HAS = """
import os, socket, sys
numbers = {name: int(number) for name, _, number in (option.partition("=") for option in sys.argv[1:])}
listener = socket.socket(fileno=numbers["--fd"])
taken, _ = listener.accept()
taken.sendall(" ".join(sorted(os.listdir("/proc/self/fd"), key=int)).encode())
taken.close()
os.write(numbers["--ready-fd"], b".")
sys.stdin.read()
"""


SAYS_ITS_PORTS = """
import socket, sys
numbers = {name: int(number) for name, _, number in (option.partition("=") for option in sys.argv[1:])}
http, wyoming = (socket.socket(fileno=numbers[name]) for name in ("--fd", "--wyoming-fd"))
taken, _ = wyoming.accept()
taken.sendall(f"{http.getsockname()[1]} {wyoming.getsockname()[1]}".encode())
"""


def test_the_api_has_the_sockets_alone_and_is_up_when_it_says_so() -> None:
    with listening("127.0.0.1", 0) as (listener,), socket.create_server(("127.0.0.1", 0)) as other:
        other.set_inheritable(True)
        part = ApiPart({"PATH": ""}, [listener])
        part._command = [sys.executable, "-c", SAYS_WHAT_IT_HAS]
        with socket.create_connection(("127.0.0.1", port_of([listener]))) as connection:
            assert not part.is_up()
            part.start()
            has = {int(number) for number in connection.makefile().read().split()}
        wait_until(part.is_up)
        part.signal(signal.SIGTERM)
        part.wait()

    assert listener.fileno() == -1
    assert len(has) == len({0, 1, 2, "socket", "pipe", "connection", "folder"})


def test_the_api_has_the_sockets_for_wyoming_clients_too() -> None:
    with listening("127.0.0.1", 0) as http, listening("127.0.0.1", 0) as wyoming:
        part = ApiPart({"PATH": ""}, http, wyoming)
        part._command = [sys.executable, "-c", SAYS_ITS_PORTS]
        part.start()
        with socket.create_connection(("127.0.0.1", port_of(wyoming))) as connection:
            assert connection.makefile().read() == f"{port_of(http)} {port_of(wyoming)}"
        part.wait()


def test_the_api_is_not_up_when_it_ends_without_a_word() -> None:
    part = ApiPart({"PATH": ""}, [])
    part._command = [sys.executable, "-c", ""]
    part.start()
    assert part._process is not None

    assert part._process.wait(30) == 0

    assert not part.is_up()
    assert not part.is_alive
    part.wait()


@pytest.fixture
def alone(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor without parts. Its new worker never becomes ready, because its Redis is unreachable."""
    monkeypatch.setattr("app.supervisor.supervisor._UP_SECONDS", 0.0)
    settings = read_settings({"KOE_DATA": str(data), "KOE_ENGINE": "tone", "KOE_REDIS_URL": f"unix://{data}/nobody.sock"})
    supervisor = Supervisor(settings, [], n_workers=1)
    supervisor._parts = []
    yield supervisor
    supervisor._end()


def steps_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    def holds() -> bool:
        supervisor._renew_if_asked()
        return condition()

    wait_until(holds)


def test_a_worker_that_does_not_come_up_in_time_is_ended_and_the_old_stay(alone: Supervisor) -> None:
    alone._hung_up.set()
    with capture_logs() as logs:
        steps_until(alone, lambda: bool(alone._leaving))
        (worker,) = alone._leaving
        steps_until(alone, lambda: alone._renewal is None)

    assert [entry["event"] for entry in logs] == ["renewal_started", "renewal_given_up"]
    assert "worker-1 was not up" in logs[1]["reason"]
    assert not worker.is_alive
    assert alone._everyone == []


def test_a_renewal_that_is_asked_for_during_another_comes_after_it(alone: Supervisor) -> None:
    alone._hung_up.set()
    with capture_logs() as logs:
        steps_until(alone, lambda: alone._renewal is not None)
        alone._hung_up.set()
        steps_until(alone, lambda: alone._renewal is None and not alone._hung_up.is_set())

    assert [entry["event"] for entry in logs] == ["renewal_started", "renewal_given_up"] * 2


def test_workers_for_new_files_that_do_not_come_up_are_tried_again(alone: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    greeted: list[bool] = []
    alone._on_started = lambda: greeted.append(True)
    monkeypatch.setattr(alone._watch, "has_changed", iter([True]).__next__)
    with capture_logs() as logs:
        steps_until(alone, lambda: alone._renewal is not None)
        monkeypatch.setattr(alone._watch, "has_changed", lambda: False)
        steps_until(alone, lambda: alone._renewal is None)

    events = [entry["event"] for entry in logs]
    assert events == ["model_files_changed", *(["renewal_started", "renewal_given_up"] * 3)]
    assert not greeted
    assert alone._everyone == []


def test_processes_of_a_renewal_end_with_the_rest(alone: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.supervisor.supervisor._UP_SECONDS", 60.0)
    alone._hung_up.set()
    steps_until(alone, lambda: bool(alone._coming) and alone._coming[0].is_alive)
    (coming,) = alone._coming

    alone._end()

    assert not coming.is_alive


def test_a_second_serve_on_the_same_folder_is_refused_with_the_remedy(data: Path) -> None:
    settings = read_settings({"KOE_DATA": str(data)})
    refused: list[str] = []

    class Enough(Exception):
        pass

    def on_started() -> None:
        try:
            Supervisor(settings, [], n_workers=1).run(lambda: None)
        except EmbeddedError as error:
            refused.append(str(error))
        raise Enough

    first = Supervisor(settings, [], n_workers=0)
    first._parts = []
    with contextlib.suppress(Enough), _signals_restored():
        first.run(on_started)

    assert str(data) in refused[0]
    assert "KOE_DATA" in refused[0]
    assert first._server is not None
    assert not first._server.is_running()


@contextlib.contextmanager
def _signals_restored() -> Iterator[None]:
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in previous.items():
        signal.signal(number, handler)


def test_a_server_that_cannot_be_started_again_is_tried_later_and_later(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("app.supervisor.processes.time.monotonic", lambda: clock[0])
    supervisor = Supervisor(read_settings({"KOE_DATA": str(data)}), [], n_workers=0)
    supervisor._parts = []
    assert supervisor._server is not None
    in_the_way = data / "valkey.sock"
    in_the_way.mkdir()

    with capture_logs() as logs:
        for _ in range(4):
            supervisor._check()
            clock[0] += 1
        in_the_way.rmdir()
        clock[0] += 60
        supervisor._check()
        assert supervisor._server.is_running()
        supervisor._server.stop()

    deaths = [entry["again_in_seconds"] for entry in logs if entry["event"] == "part_died"]
    assert deaths == [0.0, 1.0, 5.0]
    assert [entry["n_times"] for entry in logs if entry["event"] == "part_keeps_dying"] == [3]
    assert all("socket" in entry["reason"] for entry in logs if entry["event"] == "part_not_started")


def test_with_a_redis_of_one_s_own_no_server_is_brought(data: Path) -> None:
    settings = read_settings({"KOE_DATA": str(data), "KOE_REDIS_URL": "redis://elsewhere"})
    assert Supervisor(settings, [], n_workers=2)._server is None


@pytest.mark.parametrize(("port", "ports"), [("9100", ["9100", "9101", "9102"]), ("0", ["0", "0", "0"])])
def test_each_worker_has_a_port_for_metrics_of_its_own(data: Path, port: str, ports: list[str]) -> None:
    supervisor = Supervisor(read_settings({"KOE_DATA": str(data), "KOE_METRICS_PORT": port}), [], n_workers=3)

    assert [part._environ["KOE_METRICS_PORT"] for part in supervisor._parts[:3]] == ports


def test_the_parts_are_given_the_settings_and_the_server_s_address(data: Path) -> None:
    settings = read_settings({"KOE_DATA": str(data), "KOE_MAX_WAIT": "3"})

    supervisor = Supervisor(settings, [], n_workers=3)

    assert [part.name for part in supervisor._parts] == ["worker-1", "worker-2", "worker-3", "api"]
    for part in supervisor._parts:
        assert part._environ["KOE_REDIS_URL"] == f"unix://{data}/valkey.sock"
        assert part._environ["KOE_MAX_WAIT"] == "3.0"
