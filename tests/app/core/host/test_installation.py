"""How a copy of Koe was installed is found out, and its commands are named as they can be called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors import SettingsError
from app.core.host.installation import IMAGE, Kind, find_installation
from app.core.settings import part_environ, read_settings

ELSEWHERE = Path("/")


def a_clone(root: Path) -> Path:
    """Makes the files by which a clone is known, and a virtual environment in it. Returns the Python."""
    root.mkdir(exist_ok=True)
    for name in ("Makefile", "pyproject.toml"):
        (root / name).touch()
    return an_environment(root / ".venv")


def an_environment(folder: Path) -> Path:
    """Makes the programs of an environment. Returns its Python."""
    (folder / "bin").mkdir(parents=True)
    for name in ("koe", "python"):
        (folder / "bin" / name).touch(mode=0o755)
    return folder / "bin" / "python"


def test_a_clone_is_known_by_its_makefile(tmp_path: Path) -> None:
    python = a_clone(tmp_path)

    assert find_installation({}, tmp_path, python, ELSEWHERE, has_pip=True).kind is Kind.CLONE
    assert find_installation({}, tmp_path / "lib", python, ELSEWHERE, has_pip=True).kind is Kind.WHEEL
    assert find_installation({IMAGE: "1"}, tmp_path, python, ELSEWHERE, has_pip=True).kind is Kind.IMAGE


def test_in_the_folder_of_a_clone_its_programs_have_short_names(tmp_path: Path) -> None:
    here = find_installation({"PATH": "/bin"}, tmp_path, a_clone(tmp_path), tmp_path, has_pip=True)

    assert (here.koe, here.pip, here.root) == (".venv/bin/koe", ".venv/bin/python -m pip install", Path())


def test_elsewhere_they_have_their_whole_paths(tmp_path: Path) -> None:
    root = tmp_path / "my clone"
    here = find_installation({"PATH": "/bin"}, root, a_clone(root), ELSEWHERE, has_pip=True)

    assert (here.koe, here.root) == (f"'{root}/.venv/bin/koe'", root)
    assert subprocess.run(["sh", "-c", here.koe], check=False).returncode == 0


def test_a_program_that_the_shell_finds_is_named_without_a_path(tmp_path: Path) -> None:
    python = an_environment(tmp_path / "one")
    other = an_environment(tmp_path / "other")

    def koe(*folders: Path) -> str:
        path = os.pathsep.join(map(str, folders))
        return find_installation({"PATH": path}, tmp_path, python, ELSEWHERE, has_pip=True).koe

    assert koe(python.parent) == "koe"
    assert koe(other.parent, python.parent) == str(python.parent / "koe")


def test_without_pip_uv_installs(tmp_path: Path) -> None:
    python = an_environment(tmp_path)

    here = find_installation({}, tmp_path, python, ELSEWHERE, has_pip=False)

    assert here.pip == f"uv pip install --python {python}"


def test_the_name_that_images_set_is_no_setting_and_reaches_the_processes_of_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IMAGE, "1")

    settings = read_settings({IMAGE: "1"})

    assert part_environ(settings)[IMAGE] == "1"
    with pytest.raises(SettingsError):
        read_settings({"KOE_IMAGES": "1"})


def test_this_copy_names_a_program_that_runs() -> None:
    script = "from app.core.host.remedies import bare, koe; print(bare(koe('-V')))"
    line = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert subprocess.run(line, shell=True, capture_output=True, text=True, check=True).stdout.startswith("koe, version ")
