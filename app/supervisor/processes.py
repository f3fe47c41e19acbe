"""The processes of `koe serve`: each is started, watched, restarted when it has died, and ended.

Why each kind has its own test of readiness: a worker is ready when the fleet contains it, because the API asks the fleet. The
API reports itself through a pipe that it inherits: an older API may listen on the same sockets, so an answer from the port says
nothing about the new one.
"""

import os
import socket
import subprocess
import time
from collections.abc import Sequence
from typing import IO, Final

import msgspec
import structlog
from redis.exceptions import RedisError
from typing_extensions import override

from app.core.errors import Misconfigured
from app.core.host import remedies
from app.core.host.own_python import own_python
from app.core.queue.fleet import Registration, name_prefix
from app.core.storage import keys
from app.core.storage.connections import connect

log: Final = structlog.get_logger()

_AGAIN_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds to wait before each restart of a process that keeps dying."""
_STEADY_SECONDS: Final = 60.0
"""Seconds that a process must run, so that its next restart begins with the first wait again."""
_MANY_DEATHS: Final = 3
_REDIS_SECONDS: Final = 1.0


class PartMisconfigured(Exception):
    """A process ended with the status that says that a restart cannot help. It wrote the reason to standard error."""


class Again:
    """Decides when a process that has died is restarted: the more often it dies, the later."""

    def __init__(self, name: str, waits: Sequence[float] = _AGAIN_SECONDS) -> None:
        self._name = name
        self._waits = waits
        self._started_at = 0.0
        self._n_deaths = 0
        self._not_before: float | None = None

    def count_start(self) -> None:
        """Records a start."""
        self._started_at, self._not_before = time.monotonic(), None

    def count_death(self, status: int | None = None) -> None:
        """Records that the process has died or could not be started. Logs it, with a remedy when it happens repeatedly."""
        now = time.monotonic()
        self._n_deaths = 0 if now - self._started_at > _STEADY_SECONDS and self._not_before is None else self._n_deaths
        wait = self._waits[min(self._n_deaths, len(self._waits) - 1)]
        self._n_deaths += 1
        self._not_before = now + wait
        log.warning("part_died", part=self._name, status=status, again_in_seconds=wait)
        if self._n_deaths >= _MANY_DEATHS:
            log.error("part_keeps_dying", part=self._name, n_times=self._n_deaths, remedy=_remedy())

    @property
    def is_counting(self) -> bool:
        """Whether its last death is recorded and it has not been started since."""
        return self._not_before is not None

    @property
    def is_due(self) -> bool:
        """Whether it must be started now."""
        return self._not_before is not None and time.monotonic() >= self._not_before


def _remedy() -> str:
    return f"Its last messages are above, and {remedies.koe('doctor')} shows what is missing on this machine."


class Part:
    """One process: started, watched, restarted, ended."""

    def __init__(self, name: str, command: list[str], environ: dict[str, str]) -> None:
        self.name = name
        self._command = command
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._again = Again(name)

    def start(self) -> None:
        """Starts the process."""
        self._process = self._open()
        self._again.count_start()

    def check(self) -> None:
        """Restarts it when it has died, each time after a longer wait. Raises PartMisconfigured when a restart cannot help."""
        if self._process is None:
            if self._again.is_due:
                self._start_again()
            return
        status = self._process.poll()
        if status is None:
            return
        self.wait()
        if status == Misconfigured.EXIT_STATUS:
            raise PartMisconfigured(self.name)
        self._process = None
        self._again.count_death(status)

    def _start_again(self) -> None:
        try:
            self.start()
        except OSError as error:
            log.error("part_not_started", part=self.name, reason=error.strerror)
            self._again.count_death()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def is_up(self) -> bool:
        """Whether it is ready for its work. A process of this kind is ready when it runs."""
        return self.is_alive

    def signal(self, number: int) -> None:
        """Sends a signal to the process, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def wait(self) -> None:
        """Waits until the process has ended."""
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _open(self) -> "subprocess.Popen[bytes]":
        return self._run(self._command)

    def _run(self, command: Sequence[str], fds: Sequence[int] = ()) -> "subprocess.Popen[bytes]":
        """Runs the command with `fds` and no other open files, in its own process group: Ctrl-C reaches only this process,
        which ends the others in order.

        Why not in its own session: Linux divides the cores between sessions first, so the higher nice value of speech, compared
        with the API, would have no effect.
        """
        return subprocess.Popen(command, env=self._environ, stdin=subprocess.PIPE, process_group=0, pass_fds=fds)


class WorkerPart(Part):
    """A worker. It is ready when the fleet contains it: then it is warm and takes work."""

    def __init__(self, number: int, environ: dict[str, str], redis_url: str) -> None:
        super().__init__(f"worker-{number}", own_python("-m", "workers", "--with-parent"), environ)
        self._redis_url = redis_url

    @override
    def is_up(self) -> bool:
        return self.registration() is not None

    def registration(self) -> Registration | None:
        """Returns its heartbeat record; None while the fleet does not contain it, or Redis is unreachable."""
        if self._process is None:
            return None
        own = name_prefix(self._process.pid).encode()
        try:
            with connect(self._redis_url, answer_seconds=_REDIS_SECONDS) as redis:
                names = [name for name in redis.zrange(keys.WORKERS, 0, -1) if name.startswith(own)]
                registrations = [redis.get(keys.worker(name.decode())) for name in names]
        except RedisError:
            return None
        return next(
            (msgspec.json.decode(registration, type=Registration) for registration in registrations if registration), None
        )


class ApiPart(Part):
    """The API, on sockets that stay open when it ends."""

    def __init__(
        self, environ: dict[str, str], sockets: Sequence[socket.socket], wyoming_sockets: Sequence[socket.socket] = ()
    ) -> None:
        super().__init__("api", own_python("-m", "app.cli", "api", "--with-parent"), environ)
        self._sockets, self._wyoming_sockets = sockets, wyoming_sockets
        self._ready: IO[bytes] | None = None
        self._is_up = False

    @override
    def is_up(self) -> bool:
        if self._ready is not None and not self._is_up:
            self._is_up = bool(self._ready.read(1))
        return self._is_up

    @override
    def wait(self) -> None:
        super().wait()
        if self._ready is not None:
            self._ready.close()

    def _open(self) -> "subprocess.Popen[bytes]":
        readable, writable = os.pipe()
        os.set_blocking(readable, False)
        self._ready, self._is_up = os.fdopen(readable, "rb", buffering=0), False
        numbers = [listener.fileno() for listener in self._sockets]
        wyoming = [listener.fileno() for listener in self._wyoming_sockets]
        lent = [*(f"--fd={number}" for number in numbers), *(f"--wyoming-fd={number}" for number in wyoming)]
        try:
            return self._run([*self._command, *lent, f"--ready-fd={writable}"], [*numbers, *wyoming, writable])
        finally:
            os.close(writable)
