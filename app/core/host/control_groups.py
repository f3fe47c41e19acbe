"""The control groups of this process, with which Linux limits the resources of a container; both versions of them.

Why they are found in the list of mounts: version 1 mounts each controller at its own path, and a container sees only part of
the tree.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc/self")
_ESCAPED_SPACE: Final = "\\040"


def groups_of(controller: str, proc: Path = PROC) -> Iterator[Path]:
    """The folders of this process's control groups with that controller (`cpu`, `memory`): its own group, and the groups above
    it that are visible. Yields nothing on systems other than Linux. `proc` is the process's folder.
    """
    try:
        mounts, groups = ((proc / name).read_text().splitlines() for name in ("mountinfo", "cgroup"))
    except OSError:
        return
    paths = {name: path for _, names, path in (line.split(":", 2) for line in groups) for name in names.split(",")}
    for mount in mounts:
        place, _, source = mount.partition(" - ")
        kind, *_, options = source.split(" ")
        # Version 2 has all controllers in one tree; /proc/self/cgroup lists this tree with an empty name.
        name = {"cgroup2": "", "cgroup": controller}.get(kind)
        if name is not None and name in paths and (not name or name in options.split(",")):
            root, folder = (Path(field.replace(_ESCAPED_SPACE, " ")) for field in place.split(" ")[3:5])
            yield from _seen(folder, root, Path(paths[name]))


def _seen(folder: Path, root: Path, path: Path) -> Iterator[Path]:
    """The folder of the group `path`, and the folders of the groups above it that are visible in `folder`, where `root` is
    mounted.
    """
    inside = path.relative_to(root) if path.is_relative_to(root) else Path()
    group = folder / inside
    yield from (group, *(parent for parent in group.parents if parent.is_relative_to(folder)))
