"""Runs a process that reads one file, and ends it when it takes too long or nobody wants the answer any more.

Why the answer is read with a limit: the process may be damaged by the file that it reads.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO, Final

import msgspec
import structlog

from app.core.documents.reading import READ_SECONDS
from app.core.errors import DocumentTooLarge, DocumentUnreadable, InternalError, from_wire
from app.core.host import remedies
from app.core.host.own_python import own_environ, own_python
from workers.documents.book import Book
from workers.documents.outcome import DAMAGED, MEDIA_TYPE, NAME, Outcome

log: Final = structlog.get_logger()

MAX_ANSWER_BYTES: Final = 128 * 1024**2
_MODULE: Final = "workers.documents.child"
_CHECK_SECONDS: Final = 0.05
_CHUNK_BYTES: Final = 1 << 18
_PASSED_VARIABLES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME")
"""Environment variables that Python may need to start. The others hold secrets and are not passed on."""
_MAX_SHOWN_CHARS: Final = 200
_NOT_INSTALLED: Final = "ModuleNotFoundError"
_LIMITS: Final = frozenset({signal.SIGXCPU, signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS})
"""Signals that end a process that uses up its time or its memory."""


def read_in_process(
    file: IO[bytes], filename: str, media_type: str, check: Callable[[], None], *, max_seconds: float = READ_SECONDS
) -> Book:
    """The book in the file. Calls `check` all the time; an error of `check` ends the process.

    Raises the error that the process found, DocumentTooLarge when it used up its time or its memory, and InternalError when it
    cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        process = _start(file, filename, media_type, folder)
        answer = _Answer(process)
        try:
            _wait(answer, check, max_seconds)
        finally:
            process.kill()
            code = process.wait()
            answer.close()
    return _book_of(answer, code)


def _start(file: IO[bytes], filename: str, media_type: str, folder: str) -> "subprocess.Popen[bytes]":
    file.seek(0)
    environ = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
    environ |= {NAME: filename, MEDIA_TYPE: media_type}
    try:
        return subprocess.Popen(
            own_python("-m", _MODULE),
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=own_environ(environ),
        )
    except (OSError, ValueError) as error:
        log.error("document_process_not_started", error=type(error).__name__)
        raise InternalError from error


class _Answer:
    """What a process writes, read by threads."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.data = bytearray()
        self.said = bytearray()
        self.is_too_large = False
        self._pipes = (process.stdout, process.stderr)
        self._threads = [
            threading.Thread(target=self._read, args=(process.stdout, self.data, MAX_ANSWER_BYTES), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, self.said, _CHUNK_BYTES), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def wait(self, seconds: float) -> bool:
        """Waits for the end of the answer, for some time. True when it is there."""
        self._threads[0].join(seconds)
        return not self._threads[0].is_alive()

    def close(self) -> None:
        """Reads the rest; the process must have ended."""
        for thread in self._threads:
            thread.join()
        for pipe in self._pipes:
            pipe.close()

    def _read(self, pipe: IO[bytes], data: bytearray, limit: int) -> None:
        while chunk := os.read(pipe.fileno(), _CHUNK_BYTES):
            if len(data) + len(chunk) > limit:
                self.is_too_large = self.is_too_large or data is self.data
                return
            data += chunk


def _wait(answer: _Answer, check: Callable[[], None], max_seconds: float) -> None:
    deadline = time.monotonic() + max_seconds
    while not answer.wait(_CHECK_SECONDS):
        check()
        if time.monotonic() > deadline:
            raise DocumentTooLarge(f"Reading the file takes longer than {max_seconds:g} s.")


def _book_of(answer: _Answer, code: int) -> Book:
    said = bytes(answer.said[-_MAX_SHOWN_CHARS:]).decode("utf-8", "replace")
    if answer.is_too_large:
        raise DocumentTooLarge("The file has more text than reading may give.")
    try:
        outcome = msgspec.msgpack.decode(answer.data, type=Outcome)
    except msgspec.DecodeError:
        if _NOT_INSTALLED in said:
            log.error("document_packages_missing", remedy=f"Run {remedies.install('worker')}.")
            raise InternalError from None
        log.warning("document_process_died", code=code)
        if -code in _LIMITS or "MemoryError" in said:
            raise DocumentTooLarge("The file needs more memory or time than reading may take.") from None
        raise DocumentUnreadable(DAMAGED) from None
    if said:
        log.warning("document_damaged", reason=said)
    if outcome.error is not None:
        raise from_wire(outcome.error)
    if outcome.book is None:
        raise InternalError
    return outcome.book
