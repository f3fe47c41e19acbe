"""The processes in which espeak-ng runs. Each serves one thread at a time and is replaced when it dies.

Why a lost process is not always the text's fault: processes are also killed from outside (by an operator, or by a system that
is short of memory), whatever their text, and damage by one text may show only at the next one. So a question whose process has
died is asked again, in a new process. The text is at fault only if a new process dies of it too, or if it uses up its CPU time.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, Final

import espeakng_loader
import msgspec
import structlog

from app.core.errors import EngineFailed, EngineUnavailable
from app.core.host import remedies
from workers.text.cancellation import check_cancelled_while_waiting
from workers.text.espeak import child_process
from workers.text.espeak.child_process import ANSWER, CPU_SECONDS_PER_BYTE, MAX_BYTES, QUESTION, WORD

log: Final = structlog.get_logger()

MAX_PROCESSES: Final = 4
"""Most processes of one kind, about 11 MB each; they are started as needed. If one hangs, the others still answer."""

_ANSWER_SECONDS: Final = 10.0
_ANSWER_SECONDS_PER_BYTE: Final = 5 * CPU_SECONDS_PER_BYTE
"""Longest wait for one answer, and what each byte of the text adds to it. A process that computes ends itself before that; this
limit is for one that does not.
"""
CHECK_SECONDS: Final = 0.05
"""Interval between two checks whether the answer is still wanted."""
_RETRY_SECONDS: Final = 30.0
"""How long a question is asked again while its processes are killed from outside; longer killing is taken to be intended."""
_FAULTS: Final = frozenset({signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS})
"""Signals that a process causes by its own actions."""
_PASSED_VARIABLES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Environment variables that the interpreter may need to start. The others hold secrets and are not passed on."""

_ELSEWHERE: Final = "Install Koe in a folder that programs may be run from."


class CrashingText(Exception):
    """espeak-ng does not survive the question, or never finishes it."""


def broken(reason: str) -> EngineUnavailable:
    """Returns the error to raise when espeak-ng does not work, with the remedy."""
    remedy = _ELSEWHERE if child_process.NOEXEC in reason else f"Run {remedies.package('espeakng-loader')}."
    return EngineUnavailable(f"espeak-ng does not work on this machine: {reason}. {remedy}")


class Question(msgspec.Struct, frozen=True):
    """A question to espeak-ng."""

    kind: int
    """One of the kinds in `workers.text.espeak.child_process`."""
    voice: str = ""
    text: bytes = b""
    wpm: int = 0
    pitch: int = 0

    def to_bytes(self) -> bytes:
        """Returns the question as it is sent."""
        voice = self.voice.encode()
        return QUESTION.pack(self.kind, len(voice), len(self.text), self.wpm, self.pitch) + voice + self.text


class Answer(msgspec.Struct, frozen=True):
    """The answer of espeak-ng to a question."""

    words: tuple[tuple[Any, ...], ...]
    """Start of each word, in characters and in samples."""
    data: bytes


class _ChildLost(Exception):
    """A process has ended, or was ended because it gave no answer."""

    def __init__(self, code: int | None) -> None:
        """`code` is the exit status as Popen has it; None if the process gave no answer."""
        super().__init__(_name_of(code))
        self.code = code

    @property
    def is_fault(self) -> bool:
        """Whether the process itself is at fault."""
        return self.code is None or self.code >= 0 or -self.code in _FAULTS

    @property
    def is_endless(self) -> bool:
        """Whether the process has used up its CPU time."""
        return self.code == -signal.SIGPROF

    @property
    def final_error(self) -> Exception:
        """The error to raise when a new process has ended in the same way."""
        if self.code is not None and self.code >= 0:
            return broken("its process ends at once")
        return CrashingText(str(self))


class Children:
    """Processes of one kind. Several threads may use it."""

    def __init__(self, max_processes: int = MAX_PROCESSES) -> None:
        self._semaphore = threading.Semaphore(max_processes)
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    @property
    def pids(self) -> list[int]:
        """Process ids of the idle processes."""
        with self._lock:
            return [child.pid for child in self._idle]

    def ask(self, question: Question) -> Answer:
        """Returns the answer. Raises CrashingText, EngineFailed, EngineUnavailable if espeak-ng does not work, MemoryError, and
        Cancelled when nobody wants the answer any more (`workers.text.cancellation`).
        """
        n_faults, deadline = 0, time.monotonic() + _RETRY_SECONDS
        for n_losses in count():
            try:
                return _answer_of(*self._ask_one(question, is_first=n_losses == 0))
            except _ChildLost as lost:
                log.warning("espeak_ended", how=str(lost), voice=question.voice, n_bytes=len(question.text))
                n_faults += lost.is_fault
                if lost.is_endless or n_faults > 1:
                    raise lost.final_error from None
            if time.monotonic() > deadline:
                break
        raise EngineFailed("espeak-ng's processes were killed repeatedly while they spoke this text.")

    def close(self) -> None:
        """Ends the idle processes. The next question starts a new one."""
        with self._lock:
            ended, self._idle = self._idle, []
        for child in ended:
            child.end()

    def _ask_one(self, question: Question, *, is_first: bool) -> tuple[int, bytes, bytes]:
        while not self._semaphore.acquire(timeout=CHECK_SECONDS):
            check_cancelled_while_waiting()
        try:
            child = self._take(is_new=not is_first)
            try:
                answer = child.ask(question)
            except BaseException:
                child.end()
                raise
            self._put_back(child)
            return answer
        finally:
            self._semaphore.release()

    def _take(self, *, is_new: bool) -> "_Child":
        """Returns the idle process that was used last; a new one if none is idle or `is_new` asks for it."""
        with self._lock:
            waiting = self._idle.pop() if self._idle else None
        if waiting is not None and not is_new:
            return waiting
        if waiting is not None:
            # It may be damaged like the other.
            waiting.end()
        return _Child()

    def _put_back(self, child: "_Child") -> None:
        with self._lock:
            self._idle.append(child)


class _Child:
    """One child process."""

    def __init__(self) -> None:
        """Raises EngineUnavailable when the process cannot be started."""
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", child_process.__file__, *_paths()],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ},
                )
        except OSError as error:
            self._socket.close()
            raise broken(f"its process cannot be started ({error.strerror})") from error
        self._socket.settimeout(CHECK_SECONDS)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(self, question: Question) -> tuple[int, bytes, bytes]:
        """Returns the status, the words and the data of the answer. Raises _ChildLost."""
        deadline = time.monotonic() + _ANSWER_SECONDS + _ANSWER_SECONDS_PER_BYTE * len(question.text)
        rest = memoryview(question.to_bytes())
        while rest:
            rest = rest[self._wait_for(partial(self._socket.send, rest), deadline) :]
        status, n_words, n_bytes = ANSWER.unpack(self._receive(ANSWER.size, deadline))
        if max(n_words * WORD.size, n_bytes) > MAX_BYTES:
            # Only a damaged process answers like this.
            raise _ChildLost(-signal.SIGSEGV)
        return status, self._receive(n_words * WORD.size, deadline), self._receive(n_bytes, deadline)

    def end(self) -> int:
        """Kills the process if it still runs. Returns its exit status, which this does not change if it has ended before."""
        self._socket.close()
        self._process.kill()
        return self._process.wait()

    def _receive(self, n_bytes: int, deadline: float) -> bytes:
        data = bytearray(n_bytes)
        rest = memoryview(data)
        while rest:
            n_received = self._wait_for(partial(self._socket.recv_into, rest), deadline)
            if not n_received:
                raise _ChildLost(self.end())
            rest = rest[n_received:]
        return bytes(data)

    def _wait_for(self, step: Callable[[], int], deadline: float) -> int:
        while True:
            try:
                return step()
            except TimeoutError:
                check_cancelled_while_waiting()
                if time.monotonic() > deadline:
                    raise _ChildLost(None) from None
            except OSError:
                raise _ChildLost(self.end()) from None


def _answer_of(status: int, words: bytes, data: bytes) -> Answer:
    """Returns the answer, or raises the error that the process has reported."""
    if status == child_process.SUCCEEDED:
        return Answer(tuple(WORD.iter_unpack(words)), data)
    if status == child_process.OUT_OF_MEMORY:
        raise MemoryError
    reason = data.decode("utf-8", "replace")
    if status == child_process.BROKEN:
        raise broken(reason)
    raise EngineFailed(reason)


def _name_of(code: int | None) -> str:
    if code is None:
        return "no answer"
    if code >= 0:
        return f"exit status {code}"
    return signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"


def _paths() -> tuple[str, str]:
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
