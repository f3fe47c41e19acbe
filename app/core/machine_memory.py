"""How much memory this process may use: the machine's, or less where a control group bounds it, as a container's does."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CGROUP: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


def memory_bytes(root: Path = _CGROUP, own: Path = _OWN) -> int:
    """`root` and `own` are where the kernel shows control groups, and which of them this process is in."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_limits(root, own)])


def _limits(root: Path, own: Path) -> Iterator[int]:
    """Of the process's control group and of all that it lies in, in both versions."""
    for line in _read(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory") and "memory" not in controllers.split(","):
            continue
        top = root / "memory" if controllers else root
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        folder = top / path.strip("/")
        # In a container the path may be that outside it, and the folder at the top is its own.
        for place in (folder, *(parent for parent in folder.parents if parent.is_relative_to(top))):
            text = _read(place / name).strip()
            if text.isdigit() and int(text):
                yield int(text)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
