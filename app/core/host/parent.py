"""End when the process that started this one does, however it ended: nothing is left behind by a `kill -9`.

Why through standard input: a pipe from the parent closes with it on every system, where watching its process id races with
the id being given to another.
"""

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """From now on the end of standard input counts as SIGTERM."""
    threading.Thread(target=_wait_for_the_end, name="parent", daemon=True).start()


def _wait_for_the_end() -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
