"""How many processors this process may use, which decides how many threads compute: the set that it is bound to, and its quota.

Why the quota too: a container with `--cpus=2` on a machine of 64 sees all 64, and as many threads would use up the quota of
each tenth of a second in its first milliseconds and then stand still.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc/self")
_ESCAPED_SPACE: Final = "\\040"


def n_cores(proc: Path = _PROC) -> int:
    """Processors that this process may use, at least one. A part of one counts as one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *map(math.ceil, _quotas(proc))]))


def _quotas(proc: Path) -> Iterator[float]:
    """The quota, in processors, of every control group that this process is in. None elsewhere than on Linux."""
    try:
        mounts, groups = ((proc / name).read_text().splitlines() for name in ("mountinfo", "cgroup"))
    except OSError:
        return
    paths = {controller: path for _, names, path in (line.split(":", 2) for line in groups) for controller in names.split(",")}
    for mount in mounts:
        place, _, source = mount.partition(" - ")
        kind, *_, options = source.split(" ")
        # Version 2 has all controllers in one tree, which version 1 writes with an empty name.
        controller = {"cgroup2": "", "cgroup": "cpu"}.get(kind)
        if controller is not None and controller in paths and (not controller or controller in options.split(",")):
            root, folder = (Path(field.replace(_ESCAPED_SPACE, " ")) for field in place.split(" ")[3:5])
            for group in _groups(folder, root, Path(paths[controller])):
                yield from _quota_of(group)


def _groups(folder: Path, root: Path, path: Path) -> Iterator[Path]:
    """The folder of the group `path` and of those above it, as far as they are seen at `folder`, where `root` is mounted."""
    inside = path.relative_to(root) if path.is_relative_to(root) else Path()
    group = folder / inside
    yield from (group, *(parent for parent in group.parents if parent.is_relative_to(folder)))


def _quota_of(group: Path) -> Iterator[float]:
    """Its quota, if it has one: `cpu.max` holds `200000 100000` or `max 100000`; version 1 has two files and -1 for none."""
    try:
        if (group / "cpu.max").exists():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota, period = ((group / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
    except (OSError, ValueError):
        return
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        yield int(quota) / int(period)
