"""The health check of a container: the API answers, or the worker's heartbeat is in Redis."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from app.cli.health import find_trouble, worker_pids
from app.core.queue.fleet import Registration, announce, process_name
from app.core.settings import Settings, read_settings
from tests.harness import Harness, free_port


def settings_for(redis_url: str, port: int = 0) -> Settings:
    return read_settings({"KOE_REDIS_URL": redis_url, "KOE_PORT": str(port)})


def processes(folder: Path, *commands: list[str]) -> Path:
    """A folder like /proc in which these commands run, with the process ids 1, 2, …"""
    for pid, command in enumerate(commands, start=1):
        (folder / str(pid)).mkdir()
        (folder / str(pid) / "cmdline").write_text("".join(f"{argument}\0" for argument in command))
    (folder / "99").mkdir()
    (folder / "self").mkdir()
    return folder


def test_a_worker_with_a_heartbeat_is_well(redis: Redis, redis_url: str) -> None:
    announce(redis, Registration(name=process_name(), engines=("tone",)), 3.0, takes_work=True, in_flight={})
    assert find_trouble(settings_for(redis_url), [os.getpid()]) is None


def test_a_worker_without_a_heartbeat_is_not(redis: Redis, redis_url: str) -> None:
    announce(redis, Registration(name=process_name(), engines=("tone",)), 3.0, takes_work=True, in_flight={})
    assert "no heartbeat" in str(find_trouble(settings_for(redis_url), [os.getpid() + 1]))


def test_a_worker_whose_redis_is_away_is_not() -> None:
    assert "Redis does not answer" in str(find_trouble(settings_for(f"redis://127.0.0.1:{free_port()}"), [os.getpid()]))


def test_an_api_that_answers_is_well_and_a_missing_one_is_not(harness: Harness) -> None:
    port = int(harness.url.rpartition(":")[2])
    assert find_trouble(settings_for("redis://127.0.0.1", port), []) is None
    assert "does not answer" in str(find_trouble(settings_for("redis://127.0.0.1", free_port()), []))


@pytest.mark.parametrize(
    ("commands", "pids"),
    [
        ([["python", "/opt/koe/bin/koe", "worker"], ["python", "-P", "-m", "workers"], ["ffmpeg", "-i", "-"]], [2]),
        ([["python", "/opt/koe/bin/koe", "api"], ["python", "/opt/koe/bin/koe", "api"]], []),
        ([["koe", "serve"], ["python", "-P", "-m", "workers", "--with-parent"], ["python", "-m", "app.cli", "api"]], []),
    ],
)
def test_a_container_with_an_api_is_judged_by_it(tmp_path: Path, commands: list[list[str]], pids: list[int]) -> None:
    assert list(worker_pids(processes(tmp_path, *commands))) == pids


def test_the_command_says_in_one_sentence_what_is_wrong() -> None:
    environ = os.environ | {"KOE_REDIS_URL": "redis://127.0.0.1", "KOE_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app.cli.health"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_ends_it_with_78() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "app.cli.health"],
        env=os.environ | {"KOE_PROT": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
