"""The duties of a container's first process, when it is Koe: it passes on signals and reaps orphans.

Why a separate process does this: waiting for any child would take the exit status of children that the rest of Koe waits for.
"""

import os
import signal
from contextlib import suppress
from typing import Final, NoReturn

_PASSED_ON: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
_FIRST: Final = 1


def leave_first_process() -> None:
    """Continues in a child process if this one is the first of its container. Must be called before any thread is started."""
    if os.getpid() == _FIRST:
        go_on_in_a_child()


def go_on_in_a_child() -> None:
    """Returns in a new child process. The calling process waits for the child and ends with its status."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON | {signal.SIGCHLD})
    child = os.fork()
    if child:
        _forward_signals_and_reap(child)
    _take_terminal()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _take_terminal() -> None:
    """Moves the child to its own process group. Otherwise Ctrl-C would reach it twice, since its parent passes it on."""
    os.setpgid(0, 0)
    with suppress(OSError):
        previous = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, previous)


def _forward_signals_and_reap(child: int) -> NoReturn:
    while (status := _reap(child)) is None:
        number = signal.sigwait(_PASSED_ON | {signal.SIGCHLD})
        if number != signal.SIGCHLD:
            os.kill(child, number)
    os._exit(status)


def _reap(child: int) -> int | None:
    """Reaps all processes that have ended. Returns the status of the child in the shell's form; None while the child runs."""
    ended = None
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            if found[0] == child:
                code = os.waitstatus_to_exitcode(found[1])
                ended = code if code >= 0 else 128 - code
    return ended
