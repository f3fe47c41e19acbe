"""Koe starts and speaks on unusual hosts: in folders with their own `app/`, as a container's first process."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.processes import ROOT, Process, events, is_alive, running, serving
from tests.harness import wait_until

CONSOLE_SCRIPT = [sys.executable, "-P", "-m", "app.cli", "serve"]
"""Runs Koe as `koe serve` does: without the current folder in its import path. Its child processes do not inherit this."""
OTHERS = ["app/__init__.py", "workers/__init__.py", "numpy.py", "redis.py", "click.py", "types.py", "rq/__init__.py"]


@pytest.fixture
def foreign_folder(tmp_path: Path) -> Path:
    """Returns a folder with modules that have the names of Koe's own modules and of its imports; importing one ends the
    process.
    """
    folder = tmp_path / "project"
    for name in OTHERS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("raise SystemExit('This is not what Koe wanted: ' + __file__)\n")
    return folder


def test_a_folder_with_packages_of_the_same_names_is_not_looked_into(data: Path, foreign_folder: Path) -> None:
    environ = os.environ | {"PYTHONPATH": str(ROOT), "KOE_ENGINE": "auto", "KOE_DATA": str(data)}
    served = Process(["env", "-C", str(foreign_folder), *CONSOLE_SCRIPT], data.with_name("log"), **environ | {"KOE_PORT": "0"})
    with running(served):
        served.wait_said("worker_started")
        served.wait_said("api_listens")
        assert "This is not what Koe wanted" not in served.said
        served.signal(signal.SIGTERM)
        assert served.wait() == 0

    doctor = [sys.executable, "-P", "-m", "app.cli", "doctor"]
    found = subprocess.run(doctor, cwd=foreign_folder, env=environ, capture_output=True, text=True, check=False)
    assert "This is not what Koe wanted" not in found.stdout + found.stderr
    assert "espeak" in found.stdout


def test_names_of_kubernetes_are_passed_over_with_one_line(data: Path) -> None:
    links = {
        "KOE_SERVICE_HOST": "10.0.0.5",
        "KOE_PORT_8000_TCP": "tcp://10.0.0.5:8000",
        "KOE_PORT_8000_TCP_ADDR": "10.0.0.5",
        "KOE_API_SERVICE_PORT": "8000",
        "KOE_WORKER_PORT": "tcp://10.0.0.6:80",
    }
    with serving(data, **links) as served:
        (event,) = events(served, "service_links_passed_over")

    assert event["names"] == sorted(links)


def can_unshare() -> bool:
    return subprocess.run(["unshare", "-pf", "--mount-proc", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="needs the right to make a namespace of processes")
@pytest.mark.parametrize(("command", "is_up"), [("serve", "worker_started"), ("api", "api_listens"), ("worker", "redis_away")])
def test_as_the_first_process_of_a_container_it_reaps_orphans_and_ends_well(command: str, is_up: str, data: Path) -> None:
    # The shell leaves an orphan and replaces itself with Koe.
    script = f"(sleep 0.1 &); exec {sys.executable} -m app.cli {command}"
    settings = {"KOE_ENGINE": "tone", "KOE_DATA": str(data), "KOE_PORT": "0", "KOE_LOG_FORMAT": "json"}
    command_line = ["unshare", "-pf", "--kill-child", "--mount-proc", "sh", "-c", script]
    container = Process(command_line, data.with_name("log"), **settings)
    with running(container):
        container.wait_said(is_up)
        (first,) = container.children()

        wait_until(lambda: [states_of(first).count("Z"), len(states_of(first))] == [0, 1])
        os.kill(first, signal.SIGTERM)
        wait_until(lambda: not is_alive(first))

        assert container.wait() == (0 if command == "serve" else 128 + signal.SIGTERM)


def states_of(pid: int) -> list[str]:
    """Returns the state of each child of a process; `Z` is a child that was not reaped."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] for child in pids]


def test_no_other_user_can_read_texts_or_files(data: Path) -> None:
    data = data / "koe"
    with serving(data) as served:
        served.openai().audio.speech.create(model="tts-1", voice="nova", input="A secret.")
        jobs, asked = f"{served.url}/v1/audio/speech/jobs", {"model": "tts-1", "voice": "nova", "input": "Another."}
        job_id = httpx.post(jobs, json=asked).json()["id"]
        wait_until(lambda: httpx.get(f"{jobs}/{job_id}").json()["status"] == "completed")

        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        # The mode of the folder alone is not enough: the folder may have existed before, open to others.
        open_to_others = {path.relative_to(data).parts[0] for path in data.iterdir() if path.stat().st_mode & 0o077}
        assert open_to_others == set()
        assert {path.name for path in data.iterdir()} >= {"appendonlydir", "store", "valkey.log", "koe.lock", "valkey.sock"}
