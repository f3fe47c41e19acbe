"""The duties of a container's first process, for when Koe is its command: to pass signals on, and to reap orphans.

Why a process of its own for this: to wait for any child would take the status of those that the rest of Koe waits for.
"""

import os
import signal
from contextlib import suppress
from typing import Final, NoReturn

_PASSED_ON: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
_FIRST: Final = 1


def leave_first_process() -> None:
    """Where this process is the first of its container, goes on in a child of it; elsewhere does nothing. To be called before
    any thread is started.
    """
    if os.getpid() == _FIRST:
        go_on_in_a_child()


def go_on_in_a_child() -> None:
    """Returns in a new process. This one stays its parent until it ends, and ends with its status."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON | {signal.SIGCHLD})
    child = os.fork()
    if child:
        _tend(child)
    _take_terminal()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _take_terminal() -> None:
    """In a process group of its own, so that Ctrl-C, which is passed on, does not reach it twice."""
    os.setpgid(0, 0)
    with suppress(OSError):
        kept = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, kept)


def _tend(child: int) -> NoReturn:
    while (status := _reap(child)) is None:
        number = signal.sigwait(_PASSED_ON | {signal.SIGCHLD})
        if number != signal.SIGCHLD:
            os.kill(child, number)
    os._exit(status)


def _reap(child: int) -> int | None:
    """Reaps all that has ended. The status of the child, as a shell would tell it, once it has."""
    ended = None
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            if found[0] == child:
                code = os.waitstatus_to_exitcode(found[1])
                ended = code if code >= 0 else 128 - code
    return ended
