"""The memory that a process may use, where a control group says so and where none does."""

import os
from pathlib import Path

import pytest

from app.core.machine_memory import memory_bytes

GB = 1024**3
PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


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
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text)

    assert memory_bytes(tmp_path / "root", tmp_path / "own") == min(expected, PHYSICAL)


def test_without_control_groups_it_is_the_machine_s(tmp_path: Path) -> None:
    assert memory_bytes(tmp_path / "none", tmp_path / "none") == PHYSICAL
