"""The memory that a process may use, with and without a limit by a control group."""

import os
from pathlib import Path

import pytest

from app.core.host.memory import memory_bytes, resident_bytes

GB = 1024**3
PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


V1, V2 = "cgroup cgroup rw,{}", "cgroup2 cgroup rw"


def as_process(proc: Path, groups: str, mounts: dict[Path, str]) -> Path:
    """A folder like /proc/self of a process in these groups."""
    proc.mkdir()
    (proc / "cgroup").write_text(groups)
    lines = (f"30 22 0:26 / {folder} ro,nosuid - {source}\n" for folder, source in mounts.items())
    (proc / "mountinfo").write_text("22 1 0:20 / / rw - ext4 /dev/sda rw\n" + "".join(lines))
    return proc


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "1073741824\n"}, GB),
        ("0::/a/b\n", {"memory.max": "1073741824\n"}, GB),
        ("0::/\n", {"memory.max": "max\n"}, PHYSICAL),
        ("5:cpu:/\n4:memory:/docker/x\n", {"memory/docker/x/memory.limit_in_bytes": "1073741824\n"}, GB),
        ("4:memory:/docker/x\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, PHYSICAL),
        ("", {}, PHYSICAL),
    ],
)
def test_it_is_the_machine_s_or_the_least_that_a_control_group_allows(
    own: str, files: dict[str, str], expected: int, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    mounts = {root: V2} if own.startswith("0:") else {root / name: V1.format(name) for name in ("cpu", "memory")}

    assert memory_bytes(as_process(tmp_path / "proc", own, mounts)) == min(expected, PHYSICAL)


def test_without_control_groups_it_is_the_machine_s(tmp_path: Path) -> None:
    assert memory_bytes(tmp_path / "none") == PHYSICAL


def test_a_process_uses_some_of_the_memory_that_is_there(tmp_path: Path) -> None:
    assert 10**6 < resident_bytes() < PHYSICAL
    assert resident_bytes(tmp_path) == 0
