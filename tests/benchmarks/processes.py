"""A real `koe serve` for benchmarks, on a free port, with its own data folder."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from tests.benchmarks.memory import read_status
from tests.harness import free_port


class Usage(msgspec.Struct, frozen=True):
    """Resources that one process has used so far."""

    cpu_seconds: float
    """CPU time of the process and of its children that have ended, such as encoders."""
    memory_mib: float
    """Memory that is resident now."""
    peak_mib: float
    """Largest resident memory so far."""


class Served:
    """A running `koe serve`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, data: Path, started: float) -> None:
        self.process = process
        self.url = url
        self.data = data
        self.ready_seconds = time.monotonic() - started

    def usage(self) -> dict[str, Usage]:
        """Returns the usage of `worker`, `api` and `valkey`."""
        found = {}
        for child in self._children():
            role = _role_of(child)
            # Read after the name, which may contain spaces. Fields 14 to 17 of proc(5) are the CPU times.
            times = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11:15]
            cpu_seconds = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
            found[role] = Usage(cpu_seconds, read_status("VmRSS", child), read_status("VmHWM", child))
        return found

    def worker_pids(self) -> list[int]:
        """Returns the process ids of the workers."""
        return [int(child) for child in self._children() if _role_of(child) == "worker"]

    def _children(self) -> list[str]:
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def memory_mib(self) -> dict[str, float]:
        """Returns the resident memory of each of them."""
        return {role: usage.memory_mib for role, usage in self.usage().items()}


def _role_of(pid: str) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return "worker" if b"workers" in command else "api" if b"api" in command else "valkey"


@contextmanager
def served(*options: str, **settings: str) -> Iterator[Served]:
    """Yields a ready `koe serve` with these options and settings. By default it has no segment cache, since speaking is
    measured.
    """
    with tempfile.TemporaryDirectory(prefix="koe-") as data:
        port = free_port()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("KOE_")}
        environ |= {"KOE_DATA": data, "KOE_PORT": str(port), "KOE_SEGMENT_BYTES": "0", **settings}
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "app.cli", "serve", *options], env=environ, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_ready(process, url)
            yield Served(process, url, Path(data), started)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _wait_ready(process: subprocess.Popen[bytes], url: str) -> None:
    """Waits until the server is ready. One client makes all requests: creating a client is slow enough to delay the server."""
    with httpx.Client(base_url=url) as http:
        while not _is_ready(http):
            if process.poll() is not None:
                raise RuntimeError("koe serve ended before it was ready")
            time.sleep(0.02)


def _is_ready(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
