"""Ends this process when its parent ends, however that happens: even after `kill -9` no process is left running.

Why through standard input: a pipe from the parent closes with it on every system. Watching the parent's process id is a race,
because the system may give the id to another process.
"""

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """From now on the end of standard input acts like SIGTERM."""
    threading.Thread(target=_wait_for_the_end, name="parent", daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
