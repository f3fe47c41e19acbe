"""How this copy of Koe was installed, and how its commands are called here.

Why: a command in a message helps only if it works where the message is read. A clone has its commands in `.venv/bin`, a wheel
has no Makefile and no `deploy/`, and what is installed into a running container is lost with it.
"""

import importlib.util
import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

IMAGE: Final = "KOE_IMAGE"
"""Environment variable that Koe's images set to 1. It is not a setting."""

_ROOT: Final = Path(__file__).parents[3]
"""The folder that contains Koe's packages: the clone, or the folder of all installed packages."""


class Kind(StrEnum):
    """The ways of installing Koe."""

    CLONE = "clone"
    WHEEL = "wheel"
    IMAGE = "image"


class Installation(msgspec.Struct, frozen=True):
    """This copy of Koe. `koe` and `pip` are parts of commands, ready for a shell."""

    kind: Kind
    koe: str
    """The program `koe`."""
    pip: str
    """The program that installs into the environment of this copy, up to `install`."""
    root: Path = Path()
    """The folder of the clone; means nothing for the other kinds."""


def installation() -> Installation:
    """This copy of Koe."""
    return find_installation(os.environ, _ROOT, Path(sys.executable), _current_folder(), has_pip=_has_pip())


def find_installation(environ: Mapping[str, str], root: Path, python: Path, folder: Path, *, has_pip: bool) -> Installation:
    """The copy of Koe in `root` that `python` runs, for commands that are called in `folder`."""
    shown = _quoted(python, folder)
    koe = _script(python, environ.get("PATH", ""), folder) or f"{shown} -m app.cli"
    pip = f"{shown} -m pip install" if has_pip else f"uv pip install --python {shown}"
    return Installation(_kind(environ, root), koe, pip, _shortened(root, folder))


def _kind(environ: Mapping[str, str], root: Path) -> Kind:
    if environ.get(IMAGE) == "1":
        return Kind.IMAGE
    return Kind.CLONE if (root / "Makefile").is_file() and (root / "pyproject.toml").is_file() else Kind.WHEEL


def _script(python: Path, path: str, folder: Path) -> str | None:
    """The console script of this environment: by its name alone if a shell finds it so. None if there is no script."""
    places = (python.parent, Path(sysconfig.get_path("scripts")))
    script = next((place / "koe" for place in places if (place / "koe").is_file()), None)
    if script is None:
        return None
    found = shutil.which("koe", path=path)
    return "koe" if found and script.samefile(found) else _quoted(script, folder)


def _quoted(path: Path, folder: Path) -> str:
    return shlex.quote(str(_shortened(path, folder)))


def _shortened(path: Path, folder: Path) -> Path:
    """The path as a user types it in `folder`; whole in the root of the file system, where a command may be for any folder."""
    return path.relative_to(folder) if folder != folder.parent and path.is_relative_to(folder) else path


def _current_folder() -> Path:
    """The current folder, or the root if it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def _has_pip() -> bool:
    return importlib.util.find_spec("pip") is not None
