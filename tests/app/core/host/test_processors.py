"""Processors are counted as far as the machine, the process's CPU set and its control groups allow."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.host.processors import n_cores

ALL = len(os.sched_getaffinity(0))
COUNT = [sys.executable, "-c", "from app.core.host.processors import n_cores; print(n_cores())"]
V1 = Path("/sys/fs/cgroup/cpu/koe-test")


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 64 processors."""
    monkeypatch.setattr("app.core.host.processors.os.sched_getaffinity", lambda pid: set(range(64)))


def as_process(tmp_path: Path, mount: str, groups: str) -> Path:
    """A folder like /proc/self of a process in these groups; the tree is mounted at `tmp_path`."""
    (tmp_path / "mountinfo").write_text(f"22 1 0:20 / / rw - ext4 /dev/sda rw\n{mount.format(at=tmp_path)}\n")
    (tmp_path / "cgroup").write_text(groups)
    return tmp_path


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")


@pytest.mark.parametrize(("quota", "n"), [("200000 100000", 2), ("150000 100000", 2), ("9000 100000", 1), ("max 100000", 64)])
def test_the_quota_of_a_container_counts(many: None, tmp_path: Path, quota: str, n: int) -> None:
    proc = as_process(tmp_path, "30 22 0:26 / {at} ro,nosuid - cgroup2 cgroup rw,nsdelegate", "0::/\n")
    write(tmp_path, cpu__max=quota)

    assert n_cores(proc) == n


def test_the_smallest_quota_of_a_group_and_those_above_it_counts(many: None, tmp_path: Path) -> None:
    proc = as_process(tmp_path, "30 22 0:26 / {at} rw - cgroup2 cgroup2 rw", "0::/pods/koe\n")
    write(tmp_path / "pods" / "koe", cpu__max="max 100000")
    write(tmp_path / "pods", cpu__max="300000 100000")

    assert n_cores(proc) == 3


@pytest.mark.parametrize("root", ["/", "/docker/abc"])
def test_the_first_kind_of_control_groups_counts_as_well(many: None, tmp_path: Path, root: str) -> None:
    mount = f"30 22 0:26 {root} {{at}} ro - cgroup cgroup rw,cpu,cpuacct"
    proc = as_process(tmp_path, mount, "5:memory:/\n4:cpuacct,cpu:/docker/abc\n1:name=systemd:/\n")
    write(tmp_path / "docker/abc" if root == "/" else tmp_path, cpu__cfs_quota_us="400000", cpu__cfs_period_us="100000")

    assert n_cores(proc) == 4


def test_without_quota_and_groups_the_processors_of_the_process_count(tmp_path: Path) -> None:
    proc = as_process(tmp_path, "30 22 0:26 / {at} ro - cgroup cgroup rw,cpu", "4:cpu:/\n")
    write(tmp_path, cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")

    assert n_cores(proc) == ALL
    assert n_cores(tmp_path / "nowhere") == ALL


def test_a_set_of_one_processor_is_one() -> None:
    bound = ["taskset", "-c", str(min(os.sched_getaffinity(0))), *COUNT]
    assert subprocess.run(bound, capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.fixture
def group() -> Iterator[Path]:
    """A real control group of version 1."""
    try:
        V1.mkdir()
        (V1 / "cpu.cfs_quota_us").write_text("50000")
    except OSError:
        pytest.skip("needs the right to make a control group")
    yield V1
    V1.rmdir()


@pytest.mark.skipif(ALL == 1, reason="needs two processors")
def test_the_kernel_s_own_quota_counts(group: Path) -> None:
    command = ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh", *COUNT]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "1\n"
