"""A real `koe serve` for benchmarks, on a free port, with its data in a folder of its own."""

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

from tests.house import free_port


class Served:
    """A running `koe serve`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, started: float) -> None:
        self.process = process
        self.url = url
        self.ready_seconds = time.monotonic() - started

    def memory_mib(self) -> dict[str, float]:
        """Resident memory of each of its Python processes, by role."""
        found = {}
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            role = "worker" if b"workers" in command else "api" if b"api" in command else "valkey"
            status = Path(f"/proc/{child}/status").read_text()
            found[role] = int(status.split("VmRSS:")[1].split()[0]) / 1024
        return found


@contextmanager
def served(**settings: str) -> Iterator[Served]:
    """`koe serve` with these settings, ready. No segment is kept for other texts unless they say so: speaking is measured."""
    with tempfile.TemporaryDirectory(prefix="koe-") as data:
        port = free_port()
        environ = {name: value for name, value in os.environ.items() if not name.startswith("KOE_")}
        environ |= {"KOE_DATA": data, "KOE_PORT": str(port), "KOE_SEGMENT_BYTES": "0", **settings}
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], env=environ, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            while not _is_ready(url):
                time.sleep(0.02)
            yield Served(process, url, started)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
