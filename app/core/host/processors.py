"""The number of processors that this process may use: its CPU set and its quota. It decides the number of compute threads.

Why the quota too: a container with `--cpus=2` on a machine with 64 processors sees all 64. With 64 threads it would use up the
quota of each tenth of a second in the first milliseconds and then wait.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

from app.core.host.control_groups import PROC, groups_of


def n_cores(proc: Path = PROC) -> int:
    """Processors that this process may use, at least one. A fraction counts as one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = (quota for group in groups_of("cpu", proc) for quota in _quota_of(group))
    return max(1, min([allowed, *map(math.ceil, quotas)]))


def _quota_of(group: Path) -> Iterator[float]:
    """The quota, if there is one: `cpu.max` contains `200000 100000` or `max 100000`; version 1 has two files, and
    -1 for none.
    """
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
    except (OSError, ValueError):
        return
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        yield int(quota) / int(period)
