"""Everything in one: starts an embedded Valkey if need be, the workers and the API, watches them, and starts a dead one again.

Why each part is a process of its own: the API must answer while a core is busy with speech, and a part that dies takes nothing
with it. Each part ends when this process does (`app.core.parent`), however it ended.
"""

import fcntl
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, Final

import structlog

from app.core.embedded import EmbeddedError, EmbeddedServer
from app.core.settings import Secret, Settings, part_environ

log: Final = structlog.get_logger()

_CHECK_SECONDS: Final = 0.2
_AGAIN_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before a part that keeps dying is started again."""
_STEADY_SECONDS: Final = 60.0
"""A part that has lived this long begins with the first wait again."""


class Part:
    """One process: started, watched, started again, ended."""

    def __init__(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        self.name = name
        self._command = command
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._n_deaths = 0
        self._not_before = 0.0

    def start(self) -> None:
        """Starts it, in a process group of its own: Ctrl-C reaches this process alone, which ends the parts in order.

        Not in a session of its own: Linux divides the cores between sessions first, and that speech is nicer than the API
        would count for nothing.
        """
        self._process = subprocess.Popen(self._command, env=self._environ, stdin=subprocess.PIPE, process_group=0)
        self._started_at = time.monotonic()

    def check(self) -> None:
        """Starts it again when it has died, each time after a longer wait."""
        now = time.monotonic()
        if self._process is None:
            if now >= self._not_before:
                self.start()
            return
        status = self._process.poll()
        if status is None:
            return
        self.wait()
        self._n_deaths = 0 if now - self._started_at > _STEADY_SECONDS else self._n_deaths
        wait = _AGAIN_SECONDS[min(self._n_deaths, len(_AGAIN_SECONDS) - 1)]
        self._n_deaths += 1
        self._not_before, self._process = now + wait, None
        log.warning("part_died", part=self.name, status=status, again_in_seconds=wait)

    def signal(self, number: int) -> None:
        """Sends it a signal, if it lives."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self) -> None:
        """Returns when it has ended."""
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()


class Supervisor:
    """`koe serve`: the parts, and their life."""

    def __init__(self, settings: Settings, *, n_workers: int) -> None:
        self._server = None if settings.redis_url else EmbeddedServer(settings.data)
        url = self._server.url if self._server else None
        if url is not None:
            settings = _with_redis(settings, url)
        self._settings = settings
        environ = part_environ(settings)
        self._api = Part("api", [sys.executable, "-m", "app.cli", "api", "--with-parent"], environ)
        self._workers = [
            Part(f"worker-{number}", [sys.executable, "-m", "workers", "--with-parent"], environ)
            for number in range(1, n_workers + 1)
        ]
        self._stop = threading.Event()
        self._n_signals = 0

    def run(self, on_started: Callable[[], None]) -> None:
        """Runs until SIGTERM or SIGINT; then the API and the workers finish what they have in hand. A second signal ends all
        at once. Raises EmbeddedError when the embedded server cannot start or `KOE_DATA` is in use.
        """
        with _data_lock(self._settings) if self._server else _no_lock():
            try:
                if self._server:
                    self._server.start()
                for part in self._parts:
                    part.start()
                self._listen_for_signals()
                on_started()
                while not self._stop.wait(_CHECK_SECONDS):
                    self._check()
            finally:
                self._end()

    @property
    def _parts(self) -> list[Part]:
        return [self._api, *self._workers]

    def _check(self) -> None:
        if self._server and not self._server.is_running():
            log.warning("part_died", part="valkey")
            self._server.start()
        for part in self._parts:
            part.check()

    def _end(self) -> None:
        """The API first, which answers whom it has let in; then the workers, that spoke for it; the queue last."""
        for parts in ([self._api], self._workers):
            for part in parts:
                part.signal(signal.SIGTERM)
            for part in parts:
                part.wait()
        if self._server:
            self._server.stop()

    def _listen_for_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._n_signals += 1
        self._stop.set()
        if self._n_signals > 1:
            for part in self._parts:
                part.signal(signal.SIGKILL)


def _with_redis(settings: Settings, url: str) -> Settings:
    environ = {field: getattr(settings, field) for field in Settings.__struct_fields__}
    return Settings(**(environ | {"redis_url": Secret(url)}))


@contextmanager
def _data_lock(settings: Settings) -> Iterator[None]:
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "koe.lock").open("w") as lock:
        _take(lock, settings)
        yield


def _take(lock: IO[str], settings: Settings) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise EmbeddedError(
            f"Another `koe serve` uses {settings.data}. Stop it, or set KOE_DATA to another folder and KOE_PORT to a free port."
        ) from None


@contextmanager
def _no_lock() -> Iterator[None]:
    yield
