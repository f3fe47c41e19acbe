"""Koe's real processes for tests: started with their own settings, watched through their output, ended by their pid."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx
from openai import OpenAI

from tests.harness import free_port, wait_until

ROOT = Path(__file__).parents[2]
API = [sys.executable, "-m", "app.cli", "api"]
SERVE = [sys.executable, "-m", "app.cli", "serve"]
_SECONDS = 240
"""Timeout for a worker that loads Kokoro on a machine that others use too: it has the lowest priority there."""
WORKER = [sys.executable, "-m", "workers"]


class Process:
    """One process and its children."""

    def __init__(self, command: list[str], log: Path, **environ: str) -> None:
        self._log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                command, env=os.environ | environ, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        self.pid = self._process.pid

    @property
    def said(self) -> str:
        """The output of the process and its children so far."""
        return self._log.read_text()

    def children(self) -> list[int]:
        """Returns the process ids of its live children."""
        found = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in found.read_text().split()] if found.exists() else []

    def child(self, words: str) -> int:
        """Returns the process id of the child whose command contains these words."""
        return next(pid for pid in self.children() if words in command_of(pid))

    def wait_said(self, words: str, n_times: int = 1) -> None:
        """Returns when its output contains `words` at least `n_times` times. Fails when the process ends before."""
        wait_until(lambda: self.said.count(words) >= n_times or self._process.poll() is not None, _SECONDS)
        assert self.said.count(words) >= n_times, self.said

    def signal(self, number: int) -> None:
        """Sends a signal to this process only."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Waits until the process has ended and returns its exit status."""
        return self._process.wait(60)

    def end(self) -> None:
        """Ends the process and its children if they are alive."""
        children = self.children()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Served(Process):
    """`koe serve` on a free port with its own data folder. `launcher` is a command that replaces itself with `koe serve`."""

    def __init__(self, data: Path, *launcher: str, **environ: str) -> None:
        self._clients: list[OpenAI] = []
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        log = data.with_name(f"{data.name}-{self.port}.log")
        settings = {"KOE_ENGINE": "tone", "KOE_SLOTS": "4", "KOE_LOG_FORMAT": "json"}
        super().__init__([*launcher, *SERVE], log, **settings | {"KOE_DATA": str(data), "KOE_PORT": str(self.port)} | environ)

    def openai(self) -> OpenAI:
        """Returns the official client, without its retries."""
        self._clients.append(OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0))
        return self._clients[-1]

    def end(self) -> None:
        """See Process."""
        for client in self._clients:
            client.close()
        super().end()

    def ready(self) -> dict[str, Any]:
        """Returns the response of /readyz; empty if there is none."""
        try:
            body: dict[str, Any] = httpx.get(f"{self.url}/readyz").json()
        except httpx.HTTPError:
            return {}
        return body

    def wait_ready(self, n_workers: int = 1) -> None:
        """Returns when `n_workers` workers are registered."""
        wait_until(lambda: self.ready().get("workers") == n_workers or self._process.poll() is not None, _SECONDS)
        assert self._process.poll() is None, self.said


_Running = TypeVar("_Running", bound=Process)


@contextmanager
def running(process: _Running) -> Iterator[_Running]:
    """Ends the process at the end of the block."""
    try:
        yield process
    finally:
        process.end()


@contextmanager
def serving(data: Path, **environ: str) -> Iterator[Served]:
    """Runs `koe serve`, ready to speak, until the end of the block."""
    served = Served(data, **environ)
    with running(served):
        served.wait_ready()
        yield served


def events(process: Process, name: str) -> list[dict[str, Any]]:
    """Returns the log entries of the process under this event name."""
    lines = [line for line in process.said.splitlines() if f'"event": "{name}"' in line]
    return [json.loads(line) for line in lines]


def is_alive(pid: int) -> bool:
    """Whether the process is alive. An ended process that was not reaped is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def command_of(pid: int) -> str:
    """Returns the command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def may_mount() -> bool:
    """Whether a test may mount its own folders here."""
    try:
        return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
