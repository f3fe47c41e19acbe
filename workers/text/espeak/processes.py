"""The processes that espeak-ng runs in, each lent to one thread at a time, and made anew when one dies.

Why a loss is not always the text's fault: whoever kills a process from outside (an operator, a system that is short of memory)
meets any text, and what a text has broken may be noticed at the next one. So a question whose process has died is asked again,
in a new process; only what a new one dies of too, or what uses up its time on the processor, is the text's.
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
from workers.text.cancellation import look_while_waiting
from workers.text.espeak import child_process
from workers.text.espeak.child_process import ANSWER, CPU_SECONDS_PER_BYTE, MAX_BYTES, QUESTION, WORD

log: Final = structlog.get_logger()

MOST: Final = 4
"""Processes of one kind, about 11 MB each; they are started as they are needed. One that hangs leaves the others."""

_ANSWER_SECONDS: Final = 10.0
_ANSWER_SECONDS_PER_BYTE: Final = 5 * CPU_SECONDS_PER_BYTE
"""Longest wait for one answer, and more for each byte of the text. A process that computes ends by itself before that; this is
for one that does not.
"""
LOOK_SECONDS: Final = 0.05
"""Between two looks whether the answer is still wanted."""
_LOSING_SECONDS: Final = 30.0
"""For so long a question whose processes are killed by others is asked again. Whoever kills them for longer wants none."""
_FAULTS: Final = frozenset({signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS})
"""Signals that a process gives itself by what it does."""
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Of the environment, which holds secrets: what the interpreter may need to start."""

_REINSTALL: Final = "Install it again with `pip install --force-reinstall espeakng-loader`."
_ELSEWHERE: Final = "Install Koe in a folder that programs may be run from."


class DeadlyText(Exception):
    """espeak-ng does not survive what it was asked, or does not come to an end with it."""


def broken(reason: str) -> EngineUnavailable:
    """What to raise when espeak-ng does not work, with the remedy."""
    remedy = _ELSEWHERE if child_process.NOEXEC in reason else _REINSTALL
    return EngineUnavailable(f"espeak-ng does not work on this machine: {reason}. {remedy}")


class Question(msgspec.Struct, frozen=True):
    """What is asked of espeak-ng."""

    kind: int
    """Of `workers.text.espeak.child_process`."""
    voice: str = ""
    text: bytes = b""
    wpm: int = 0
    pitch: int = 0

    def to_bytes(self) -> bytes:
        """As it is sent."""
        voice = self.voice.encode()
        return QUESTION.pack(self.kind, len(voice), len(self.text), self.wpm, self.pitch) + voice + self.text


class Answer(msgspec.Struct, frozen=True):
    """What espeak-ng has made of it."""

    words: tuple[tuple[Any, ...], ...]
    """Where each begins, in characters and in samples."""
    data: bytes


class _ChildLost(Exception):
    """A process has ended, or was ended because it gave no answer."""

    def __init__(self, code: int | None) -> None:
        """`code` is as Popen has it; None where it gave no answer."""
        super().__init__(_name_of(code))
        self.code = code

    @property
    def is_fault(self) -> bool:
        """Whether it was its own doing."""
        return self.code is None or self.code >= 0 or -self.code in _FAULTS

    @property
    def is_endless(self) -> bool:
        """Whether it has used up its time on the processor."""
        return self.code == -signal.SIGPROF

    @property
    def verdict(self) -> Exception:
        """What it means that a new process has ended in the same way."""
        if self.code is not None and self.code >= 0:
            return broken("its process ends at once")
        return DeadlyText(str(self))


class Children:
    """Processes of one kind. May be asked from several threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._places = threading.Semaphore(most)
        self._idle: list[_Child] = []
        self._lock = threading.Lock()

    @property
    def pids(self) -> list[int]:
        """Of those that wait for a question."""
        with self._lock:
            return [child.pid for child in self._idle]

    def ask(self, question: Question) -> Answer:
        """The answer. Raises DeadlyText, EngineFailed, EngineUnavailable where espeak-ng does not work, MemoryError, and
        Cancelled when nobody wants the answer any more (`workers.text.cancellation`).
        """
        n_faults, until = 0, time.monotonic() + _LOSING_SECONDS
        for n_losses in count():
            try:
                return _answer_of(*self._ask_one(question, is_first=n_losses == 0))
            except _ChildLost as lost:
                log.warning("espeak_ended", how=str(lost), voice=question.voice, n_bytes=len(question.text))
                n_faults += lost.is_fault
                if lost.is_endless or n_faults > 1:
                    raise lost.verdict from None
            if time.monotonic() > until:
                break
        raise EngineFailed("espeak-ng's processes were killed again and again while they spoke this text.")

    def close(self) -> None:
        """Ends those that wait for a question. Another question starts a new one."""
        with self._lock:
            ended, self._idle = self._idle, []
        for child in ended:
            child.end()

    def _ask_one(self, question: Question, *, is_first: bool) -> tuple[int, bytes, bytes]:
        while not self._places.acquire(timeout=LOOK_SECONDS):
            look_while_waiting()
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
            self._places.release()

    def _take(self, *, is_new: bool) -> "_Child":
        """One that waits, the latest used; a new one where none does, or where `is_new` asks for it."""
        with self._lock:
            waiting = self._idle.pop() if self._idle else None
        if waiting is not None and not is_new:
            return waiting
        if waiting is not None:
            # It may be hurt as the other was.
            waiting.end()
        return _Child()

    def _put_back(self, child: "_Child") -> None:
        with self._lock:
            self._idle.append(child)


class _Child:
    """One process."""

    def __init__(self) -> None:
        """Raises EngineUnavailable when it cannot be started."""
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", child_process.__file__, *_paths()],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
                )
        except OSError as error:
            self._socket.close()
            raise broken(f"its process cannot be started ({error.strerror})") from error
        self._socket.settimeout(LOOK_SECONDS)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self, question: Question) -> tuple[int, bytes, bytes]:
        """How it went, the words and the data. Raises _ChildLost."""
        until = time.monotonic() + _ANSWER_SECONDS + _ANSWER_SECONDS_PER_BYTE * len(question.text)
        rest = memoryview(question.to_bytes())
        while rest:
            rest = rest[self._patiently(partial(self._socket.send, rest), until) :]
        status, n_words, n_bytes = ANSWER.unpack(self._receive(ANSWER.size, until))
        if max(n_words * WORD.size, n_bytes) > MAX_BYTES:
            # Of a process that has lost its way.
            raise _ChildLost(-signal.SIGSEGV)
        return status, self._receive(n_words * WORD.size, until), self._receive(n_bytes, until)

    def end(self) -> int:
        """Kills it, if it lives. Returns its exit status, which that does not change where it has ended already."""
        self._socket.close()
        self._process.kill()
        return self._process.wait()

    def _receive(self, n_bytes: int, until: float) -> bytes:
        data = bytearray(n_bytes)
        rest = memoryview(data)
        while rest:
            n_received = self._patiently(partial(self._socket.recv_into, rest), until)
            if not n_received:
                raise _ChildLost(self.end())
            rest = rest[n_received:]
        return bytes(data)

    def _patiently(self, step: Callable[[], int], until: float) -> int:
        while True:
            try:
                return step()
            except TimeoutError:
                look_while_waiting()
                if time.monotonic() > until:
                    raise _ChildLost(None) from None
            except OSError:
                raise _ChildLost(self.end()) from None


def _answer_of(status: int, words: bytes, data: bytes) -> Answer:
    """Raises what the process has said."""
    if status == child_process.GIVEN:
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
