"""Koe as a container's first process: it passes signals on, reaps orphans, and ends with the status of its child."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness import wait_until

SCRIPT = """
import ctypes, os, signal, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans come to this process, as to the first of a container.
from app.cli.first_process import go_on_in_a_child
go_on_in_a_child()
{body}
"""
PARENT = """
def hear(number, frame):
    print("heard", signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(7)
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1):
    signal.signal(number, hear)
for _ in range(3):
    # A process whose parent ends before it, as a worker's children do when it is killed.
    subprocess.run([sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '0.01'])"], check=True)
print("ready", flush=True)
while True:
    time.sleep(0.01)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="subreapers are Linux's")


@contextmanager
def first_process(body: str) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen([sys.executable, "-c", SCRIPT.format(body=body)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def children_of(pid: int) -> list[str]:
    """Returns the state of each child of a process; `Z` is a child that nobody has reaped."""
    pids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] for child in pids]


def test_orphans_are_reaped_and_signals_passed_on() -> None:
    with first_process(PARENT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_until(lambda: len(children_of(process.pid)) == 1)

        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGINT, signal.SIGTERM):
            os.kill(process.pid, number)
            assert process.stdout.readline() == f"heard {number.name}\n"

        assert process.wait(30) == 7


def test_a_killed_process_ends_with_the_status_that_a_shell_shows() -> None:
    with first_process("os.kill(os.getpid(), signal.SIGKILL)") as process:
        assert process.wait(30) == 128 + signal.SIGKILL
