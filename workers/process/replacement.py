"""Replaces a worker process whose engine was unloaded long ago by a new program in the same process.

Why: after Kokoro was unloaded, its libraries and the scattered rest of the heap keep up to half a gigabyte, and on a GPU the
driver keeps as much again. The new program has loaded none of it and takes 90 MB. It loads the engine for the first work.

Why the process stays the same: its supervisor, a container or a user, sees nothing of it. The worker before stays registered
until the new one is, so that no request is refused meanwhile.
"""

import os
import sys
from typing import NoReturn

import msgspec

from app.core.host.own_python import own_environ, own_python
from workers.engines.idle import EngineFacts


class Predecessor(msgspec.Struct, frozen=True):
    """What a worker needs to know of the one that it replaces."""

    worker: str
    """Name under which it is registered."""
    pace_seconds: float
    """Seconds between the first audio of two listeners, as it measured them."""
    facts: dict[str, EngineFacts]
    """The unloaded engines by name."""


def read_predecessor(text: str | None) -> Predecessor | None:
    """Reads what `replace_process` wrote."""
    return msgspec.json.decode(text, type=Predecessor) if text else None


def replace_process(predecessor: Predecessor, *options: str) -> NoReturn:
    """Starts `python -m workers` with these options in this process. No thread of it may be needed any more."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = own_python("-m", "workers", *options, "--after", msgspec.json.encode(predecessor).decode())
    os.execve(sys.executable, command, own_environ(os.environ))
