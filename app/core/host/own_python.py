"""Starts Python again for Koe's own processes, so that they import Koe and nothing from the current folder.

Why not `python -m` alone: it looks for modules in the current folder first, and many projects have an `app/` of their own.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ROOT: Final = str(Path(__file__).parents[3])
"""The folder that contains Koe's packages."""


def own_python(*arguments: str) -> list[str]:
    """The command that runs this Python with these arguments, without the current folder in its module path."""
    return [sys.executable, "-P", *arguments]


def own_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` for such a command and for the processes that it starts."""
    paths = [path for path in environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if not _is_found_anyway():
        paths = [_ROOT, *(path for path in paths if path != _ROOT)]
    found = {"PYTHONPATH": os.pathsep.join(paths)} if paths else {}
    return {**environ, **found, "PYTHONSAFEPATH": "1"}


def _is_found_anyway() -> bool:
    """Whether this Python finds Koe without the first entry of its path, which is the folder it was started in."""
    paths = sys.path if sys.flags.safe_path else sys.path[1:]
    return _ROOT in paths
