"""The memory that this process may use (the machine's, or less when a control group limits it, as in a container), and the
memory that it uses.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from app.core.host.control_groups import PROC, groups_of


def memory_bytes(proc: Path = PROC) -> int:
    """Memory that this process may use. `proc` is the process's folder."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *(limit for group in groups_of("memory", proc) for limit in _limit_of(group))])


def resident_bytes(proc: Path = PROC) -> int:
    """Memory of this process that is resident now; 0 where the system has no /proc."""
    try:
        n_pages = int((proc / "statm").read_text().split()[1])
    except OSError:
        return 0
    return n_pages * os.sysconf("SC_PAGE_SIZE")


def _limit_of(group: Path) -> Iterator[int]:
    """The limit, if there is one: version 2 writes `max` for none, and version 1 a number larger than any machine's memory."""
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            text = (group / name).read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text):
            yield int(text)
