"""The files of the images: hadolint finds nothing, all packages are pinned, and the entry point asks for keys."""

import ast
import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from app.core.errors import Misconfigured
from app.core.host.installation import IMAGE as MARK
from app.core.speech.languages import LANGUAGES
from tests.promises.guides import ROOT

IMAGE = ROOT / "deploy" / "image"
DOCKERFILE = (IMAGE / "Dockerfile").read_text(encoding="utf-8")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(*arguments: str) -> set[str]:
    """Names of the packages that an image installs, besides what they need themselves."""
    done = subprocess.run(
        [sys.executable, IMAGE / "requirements.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {canonical(re.split(r"[\[<>=!~ ;]", line)[0]) for line in done.stdout.splitlines()}


def enter(folder: Path, *arguments: str, environ: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs the entry point with a `koe` that only prints its arguments."""
    stand_in = folder / "koe"
    stand_in.write_text('#!/bin/sh\necho "koe $*"\n')
    stand_in.chmod(0o755)
    environ = {"PATH": f"{folder}:{os.environ['PATH']}", **environ}
    return subprocess.run([IMAGE / "entry.sh", *arguments], env=environ, capture_output=True, text=True, check=False)


def load_slim() -> ModuleType:
    specification = importlib.util.spec_from_file_location("slim", IMAGE / "slim.py")
    assert specification is not None
    assert specification.loader is not None
    slim = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(slim)
    return slim


def imported_packages() -> set[str]:
    """Top-level packages that a file of Koe imports."""
    files = (path for folder in ("app", "workers") for path in (ROOT / folder).rglob("*.py"))
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not installed here")
    done = subprocess.run([hadolint, IMAGE / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("arguments", [("",), ("worker,ja,zh,s3",), ("dashboard", "--only")])
def test_every_package_of_an_image_is_pinned(arguments: tuple[str, ...]) -> None:
    lines = (ROOT / "deploy" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonical(line.partition("==")[0]) for line in lines if "==" in line}
    assert requirements(*arguments) <= pinned
    assert "setuptools" in pinned, "the images build Koe with it"


def test_an_image_has_the_packages_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = {canonical(re.split(r"[\[<>=!~ ;]", line)[0]) for line in project["dependencies"]}
    assert requirements("") == own
    assert "torch" not in own
    assert requirements("worker") > own | {"torch", "kokoro"}


def test_everything_that_is_copied_is_in_the_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    context = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]
    for path in (path for paths in copied for path in paths):
        assert (ROOT / path).exists(), path
        assert any(path == place or path.startswith(f"{place}/") for place in context), path


def test_a_library_that_the_loader_would_refuse_stays_as_it_was() -> None:
    """`strip` moves a segment of some libraries, so that its place in the file no longer fits its address."""
    slim = load_slim()
    header = b"\x7fELF" + bytes(28) + struct.pack("<Q", 64) + bytes(14) + struct.pack("<HH", 56, 1) + bytes(6)
    fitting = struct.pack("<IIQQQQQQ", 1, 5, 0x1000, 0x5000, 0x5000, 16, 16, 0x1000)
    moved = struct.pack("<IIQQQQQQ", 1, 5, 0x1008, 0x5000, 0x5000, 16, 16, 0x1000)
    assert slim.can_be_loaded(header + fitting)
    assert not slim.can_be_loaded(header + moved)
    assert not slim.can_be_loaded(b"#!/bin/sh")


def test_no_package_that_koe_imports_is_removed() -> None:
    removed = [name for names in load_slim()._PACKAGES.values() for name in names]
    lines = (ROOT / "deploy" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert {canonical(name) for name in removed} <= {canonical(line.partition("==")[0]) for line in lines}
    assert not {canonical(name) for name in removed} & {canonical(name) for name in imported_packages()}


def test_the_locales_of_all_languages_stay() -> None:
    assert {language.tag.partition("-")[0] for language in LANGUAGES} <= load_slim()._LOCALES


def test_koe_knows_that_it_is_in_an_image() -> None:
    runtime = next(part for part in DOCKERFILE.split("\nFROM ") if part.startswith("base AS runtime"))
    assert re.search(rf"^ENV .*\b{MARK}=1\b", runtime, re.MULTILINE)


def test_images_run_as_a_user_without_rights_and_have_a_health_check() -> None:
    images = [part for part in DOCKERFILE.split("\nFROM ") if "ENTRYPOINT" in part]
    assert len(images) == 2
    for image in images:
        assert "\nUSER 10001:0" in image
        assert "\nHEALTHCHECK" in image


@pytest.mark.parametrize("command", ["api", "serve"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7"])
def test_an_api_for_other_machines_needs_keys(tmp_path: Path, command: str, host: str) -> None:
    done = enter(tmp_path, command, environ={"KOE_HOST": host})
    assert done.returncode == Misconfigured.EXIT_STATUS
    assert "KOE_API_KEYS" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("command", "environ"),
    [
        ("api", {"KOE_HOST": "0.0.0.0", "KOE_API_KEYS": "k"}),
        ("api", {"KOE_HOST": "0.0.0.0", "KOE_API_KEYS_FILE": "/keys.toml"}),
        ("api", {"KOE_HOST": "0.0.0.0", "ALLOW_NO_KEYS": "1"}),
        ("serve", {"KOE_HOST": "127.0.0.1"}),
        ("serve", {}),
        ("worker", {"KOE_HOST": "0.0.0.0"}),
    ],
)
def test_other_commands_run(tmp_path: Path, command: str, environ: dict[str, str]) -> None:
    done = enter(tmp_path, command, "--help", environ=environ)
    assert (done.returncode, done.stdout) == (0, f"koe {command} --help\n")
