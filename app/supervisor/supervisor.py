"""`koe serve`: starts the workers, the API and, if no Redis is set, an embedded Valkey; restarts dead processes, and renews
them.

Why they are separate processes: the API must answer while speech uses a core, and a process that dies takes no other one with
it. Each process ends when this one ends (`app.core.host.parent`), for any reason.

Why a renewal starts everything new before anything old ends: a version that does not start then does no harm. The old processes
end in the order of their dependence: first the old API, which answers all accepted requests, then the old workers, which speak
for it.

Why new files of Kokoro renew only the workers: nothing else reads them. If the new files cannot be loaded, the old workers
stay.
"""

import fcntl
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import IO, Final

import structlog

from app.core.errors import Misconfigured
from app.core.settings import Secret, Settings, part_environ
from app.core.speech.voices import load_catalogue
from app.core.storage.data_folder import make_private, private_opener
from app.core.storage.embedded_server import EmbeddedError, EmbeddedServer
from app.core.weights.watch import ModelWatch
from app.supervisor.processes import Again, ApiPart, Part, PartMisconfigured, WorkerPart

log: Final = structlog.get_logger()

_CHECK_SECONDS: Final = 0.2
_UP_SECONDS: Final = 600.0
"""Longest wait for a new process in a renewal: a large model on a slow disk takes a minute, and several minutes on a busy
machine. The old processes serve meanwhile.
"""

_MAX_TRIES: Final = 3
"""Most tries to start workers for new files."""


_SERVER_WAITS: Final = (0.0, 1.0, 5.0, 10.0, 30.0)
"""Seconds to wait before each restart of the embedded server. They are short, because nothing works without it."""
_OVER: Final = object()


class _NotUp(Exception):
    """A new process did not become ready."""


class _UnusableFiles(_NotUp):
    """A new worker is ready, but without Kokoro."""


class Supervisor:
    """`koe serve`: its processes and their life cycle."""

    def __init__(
        self,
        settings: Settings,
        sockets: Sequence[socket.socket],
        *,
        n_workers: int,
        wyoming_sockets: Sequence[socket.socket] = (),
    ) -> None:
        """`sockets` are listening, and so are `wyoming_sockets`, for Wyoming clients. The API inherits them. They are closed
        when the supervisor begins to end.
        """
        self._server = (
            None
            if settings.redis_url
            else EmbeddedServer(settings.data, data_bytes=settings.cache_bytes + settings.keep_bytes + settings.segment_bytes)
        )
        self._settings = _with_redis(settings, self._server.url) if self._server else settings
        self._sockets, self._wyoming_sockets = sockets, wyoming_sockets
        self._n_workers = n_workers
        self._parts = self._make_parts()
        self._server_again = Again("valkey", _SERVER_WAITS)
        self._watch = ModelWatch(
            settings.model_dir,
            settings.fetched_model,
            load_catalogue(settings.voices_file).voices,
            is_wanted=settings.wants_model,
        )
        self._on_started: Callable[[], None] = lambda: None
        self._coming: list[Part] = []
        self._leaving: list[Part] = []
        self._renewal: Iterator[None] | None = None
        self._hung_up = threading.Event()
        self._ends_with_terminal = False
        self._stop = threading.Event()
        self._n_signals = 0

    def run(self, on_started: Callable[[], None]) -> None:
        """Runs until SIGTERM or SIGINT; then the API and the workers finish the work in flight. A second signal ends all at
        once. SIGHUP renews the API and the workers; new files of Kokoro renew the workers. Calls `on_started` at the start, and
        when new files are in use. Raises EmbeddedError when the embedded server cannot start or `KOE_DATA` is in use, and
        PartMisconfigured when a process cannot run with these settings.
        """
        with _data_lock(self._settings) if self._server else _no_lock():
            self._listen_for_signals()
            self._on_started = on_started
            try:
                if self._server:
                    self._server.start()
                for part in self._parts:
                    part.start()
                on_started()
                while not self._stop.wait(_CHECK_SECONDS):
                    self._check()
                    self._renew_if_asked()
            except PartMisconfigured as error:
                log.error("part_misconfigured", part=str(error), remedy="Its message above says what to change.")
                raise
            finally:
                self._end()

    def _make_parts(self) -> list[Part]:
        """Returns the processes in the order of their start: the API comes after the workers, which it needs."""
        return [*self._make_workers(), ApiPart(part_environ(self._settings), self._sockets, self._wyoming_sockets)]

    def _make_workers(self) -> list[Part]:
        redis_url = self._settings.redis_url
        assert redis_url is not None
        return [
            WorkerPart(number, part_environ(_of_worker(self._settings, number)), redis_url.reveal())
            for number in range(1, self._n_workers + 1)
        ]

    def _check(self) -> None:
        if self._server:
            self._check_server(self._server)
        for part in self._parts:
            part.check()

    def _check_server(self, server: EmbeddedServer) -> None:
        """Restarts the server when it has died: at once the first time, then after longer waits, because a cause such as a full
        disk may pass. Raises Misconfigured for a cause that does not.
        """
        if server.is_running():
            return
        if not self._server_again.is_counting:
            self._server_again.count_death()
        if not self._server_again.is_due:
            return
        try:
            server.start()
        except (EmbeddedError, OSError) as error:
            log.error("part_not_started", part="valkey", reason=str(error))
            self._server_again.count_death()
        else:
            self._server_again.count_start()

    def _renew_if_asked(self) -> None:
        """Does the next step of the current renewal, or the first step of one that was requested meanwhile."""
        if self._hung_up.is_set() and self._ends_with_terminal and not _has_terminal():
            self._stop.set()
        elif self._hung_up.is_set() and self._renewal is None:
            self._hung_up.clear()
            self._watch.forget()
            self._renewal = self._renew(self._make_parts())
        elif self._renewal is None and self._watch.has_changed():
            log.info("model_files_changed")
            self._renewal = self._take_model()
        if self._renewal is not None and next(self._renewal, _OVER) is _OVER:
            self._renewal = None

    def _take_model(self) -> Iterator[None]:
        """Renews the workers for new files, and prints the welcome again when these are in use. Tries again if the new workers
        do not become ready and the files are not the reason, for example on a busy machine.
        """
        for _ in range(_MAX_TRIES):
            failure = yield from self._renew(self._make_workers(), for_model=True)
            if failure is None:
                self._on_started()
            if failure is None or isinstance(failure, _UnusableFiles):
                return

    def _renew(self, new: Sequence[Part], *, for_model: bool = False) -> Generator[None, None, "_NotUp | None"]:
        """Replaces the processes of the same kinds by `new`. Yields while it waits. Returns the reason if it gave up, else
        None.
        """
        log.info("renewal_started")
        started_at = time.monotonic()
        try:
            yield from self._bring_up(new, for_model=for_model)
        except _NotUp as error:
            log.error("renewal_given_up", reason=str(error))
            self._leaving, self._coming = self._coming, []
            yield from self._end_leaving()
            return error
        kinds = tuple({type(part) for part in new})
        self._leaving = [part for part in self._parts if isinstance(part, kinds)]
        self._parts = [*self._coming, *(part for part in self._parts if not isinstance(part, kinds))]
        self._coming = []
        yield from self._end_leaving(renewed=True)
        log.info("renewal_finished", seconds=round(time.monotonic() - started_at, 1))
        return None

    def _bring_up(self, new: Sequence[Part], *, for_model: bool) -> Iterator[None]:
        """Starts new processes one after the other, and returns when all are ready. Raises _NotUp."""
        for part in new:
            self._coming.append(part)
            _start(part)
            give_up = time.monotonic() + _UP_SECONDS
            while not part.is_up():
                if time.monotonic() > give_up:
                    raise _NotUp(f"The new {part.name} was not up after {_UP_SECONDS:g} seconds; the old parts stay.")
                self._check_coming()
                yield
            self._check_coming()
            if for_model:
                _check_model(part)

    def _check_coming(self) -> None:
        for part in self._coming:
            if not part.is_alive:
                raise _NotUp(f"The new {part.name} ended; the old parts stay.")

    def _end_leaving(self, *, renewed: bool = False) -> Iterator[None]:
        """Ends the old processes, stage by stage, and returns when none is left."""
        for stage in _stages(self._leaving):
            for part in stage:
                part.signal(signal.SIGTERM)
            for part in stage:
                while part.is_alive:
                    yield
                part.wait()
                if renewed:
                    log.info("part_renewed", part=part.name)
        self._leaving = []

    def _end(self) -> None:
        """Closes the sockets. Then ends the processes stage by stage, and the queue last."""
        for listener in (*self._sockets, *self._wyoming_sockets):
            listener.close()
        for stage in _stages(self._everyone):
            for part in stage:
                part.signal(signal.SIGTERM)
            for part in stage:
                part.wait()
        if self._server:
            self._server.stop()

    @property
    def _everyone(self) -> list[Part]:
        return [*self._parts, *self._coming, *self._leaving]

    def _listen_for_signals(self) -> None:
        # `nohup` ignores SIGHUP: its user wants the processes to outlive the terminal.
        self._ends_with_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL and _has_terminal()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, self._on_hangup)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._n_signals += 1
        self._stop.set()
        if self._n_signals > 1:
            for part in self._everyone:
                part.signal(signal.SIGKILL)

    def _on_hangup(self, number: int, frame: FrameType | None) -> None:
        self._hung_up.set()


def _check_model(part: Part) -> None:
    registration = part.registration() if isinstance(part, WorkerPart) else None
    if registration is not None and registration.missing:
        raise _UnusableFiles(f"The new {part.name} cannot use Kokoro's files; the old parts stay. {registration.missing}")


def _start(part: Part) -> None:
    try:
        part.start()
    except OSError as error:
        raise _NotUp(f"The new {part.name} cannot be started ({error.strerror}); the old parts stay.") from error


def _stages(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Yields the processes in the order in which they end: the API, which answers all accepted requests; then the workers,
    which speak for it.
    """
    yield [part for part in parts if isinstance(part, ApiPart)]
    yield [part for part in parts if not isinstance(part, ApiPart)]


def _has_terminal() -> bool:
    """Whether this process has a terminal that still exists."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _of_worker(settings: Settings, number: int) -> Settings:
    """Each worker has its own port for metrics: the first the one of the settings, the second the next, and so on."""
    port = settings.metrics_port
    return _with(settings, metrics_port=port + number - 1) if port else settings


def _with_redis(settings: Settings, url: str) -> Settings:
    return _with(settings, redis_url=Secret(url))


def _with(settings: Settings, **changes: object) -> Settings:
    fields = {field: getattr(settings, field) for field in Settings.__struct_fields__}
    return Settings(**(fields | changes))


@contextmanager
def _data_lock(settings: Settings) -> Iterator[None]:
    make_private(settings.data, "KOE_DATA")
    with open(settings.data / "koe.lock", "w", opener=private_opener) as lock:
        _take(lock, settings)
        yield


def _take(lock: IO[str], settings: Settings) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EmbeddedError(
            f"Another `koe serve` uses {settings.data}. Stop it, or set KOE_DATA to another folder and KOE_PORT to a free port."
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"KOE_DATA must be a folder that supports locks, and {settings.data} does not ({error.strerror})."
        ) from error


@contextmanager
def _no_lock() -> Iterator[None]:
    yield
