"""An environment for each third-party client, from its registry and with pinned versions, kept until its pins change.

Why one for each: they pin one another's dependencies, and none of them may choose Koe's dependencies. Why they are kept:
together they are a gigabyte.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".clients"

Command = Sequence[str | Path]


class NotInstallable(Exception):
    """A client cannot be installed here. The message says why."""


def python_with(name: str) -> Path:
    """Returns the interpreter of the environment that `requirements-NAME.txt` describes. Raises NotInstallable."""
    folder = CACHE / name
    pins = HERE / f"requirements-{name}.txt"
    python = folder / "bin" / "python"
    if not _is_installed(folder, pins):
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", "--without-pip", folder])
        _run([*_pip("--python", python), "install", "--requirement", pins])
        _remember(folder, pins)
    return python


def node_with_clients() -> Path:
    """Returns a folder whose `node_modules` has the packages of `package-lock.json`. Raises NotInstallable."""
    folder = CACHE / "node"
    pins = HERE / "package-lock.json"
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise NotInstallable(f"There is no `{tool}` here.")
    if not _is_installed(folder, pins):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in (HERE / "package.json", pins):
            shutil.copy(file, folder)
        _run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)
        _remember(folder, pins)
    return folder


def source_of(name: str, version: str) -> Path:
    """Returns the folder of a Python package's unpacked source distribution, with its own tests. Raises NotInstallable."""
    folder = CACHE / f"{name}-{version}-source"
    unpacked = folder / f"{name}-{version}"
    if not unpacked.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _run([*_pip(), "download", "--no-deps", "--no-binary", ":all:", "--dest", folder, f"{name}=={version}"])
        shutil.unpack_archive(folder / f"{name}-{version}.tar.gz", folder, filter="data")
    return unpacked


def version_in(python: Path, package: str) -> str:
    """Returns the version of `package` that this interpreter has."""
    ask = "import sys, importlib.metadata; print(importlib.metadata.version(sys.argv[1]))"
    return subprocess.run([python, "-c", ask, package], capture_output=True, text=True, check=True).stdout.strip()


def clean_environ() -> dict[str, str]:
    """Returns our environment without the variables that could configure a client."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KOE_", "OPENAI_", "PYTHON", "NODE_"))}


def _pip(*options: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", "pip", *options, "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "2"]


def _run(command: Command, **options: Any) -> None:
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), timeout=800, check=False, **options)
    if done.returncode != 0:
        raise NotInstallable(f"`{' '.join(map(str, command))}` failed: {done.stderr.strip()[-300:]}")


def _state(pins: Path) -> str:
    return f"{hashlib.sha256(pins.read_bytes()).hexdigest()} {sys.version_info[:2]}"


def _is_installed(folder: Path, pins: Path) -> bool:
    mark = folder / "installed"
    return mark.exists() and mark.read_text() == _state(pins)


def _remember(folder: Path, pins: Path) -> None:
    (folder / "installed").write_text(_state(pins))
