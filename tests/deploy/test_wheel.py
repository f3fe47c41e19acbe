"""The wheel, built without a network: it has everything that Koe reads, nothing else, and it works away from the clone."""

import email
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

import app
from tests.promises.guides import ROOT

SOURCES = ("app", "workers")
DATA = {".css", ".html", ".js", ".json", ".lua", ".npz", ".png", ".svg", ".toml", ".txt", ".webmanifest", ".yaml"}
BUILT_FROM = ("LICENSE", "README.md", "pyproject.toml", *SOURCES, "deploy", "openapi")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is built from, with tests, so that a build leaves nothing here and would find them."""
    folder = tmp_path_factory.mktemp("clone")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True)
        else:
            shutil.copy(ROOT / name, folder / name)
    (folder / "tests" / "inner").mkdir(parents=True)
    (folder / "tests" / "inner" / "__init__.py").write_text("")
    return folder


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip builds."""
    return build(clone, tmp_path_factory.mktemp("wheel"))


def build(source: Path, folder: Path) -> Path:
    """Builds a wheel with the setuptools that is here. Returns its path."""
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", folder, source], check=True, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """The metadata in the wheel."""
    with zipfile.ZipFile(wheel) as opened:
        return email.message_from_bytes(opened.read(f"koe-{app.__version__}.dist-info/METADATA"))


def contents(wheel: Path) -> dict[str, bytes]:
    """Returns the files of a wheel, by name."""
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_wheel_has_every_module_and_every_file_that_koe_reads(wheel: Path) -> None:
    wanted = {
        str(path.relative_to(ROOT)): path.read_bytes()
        for side in SOURCES
        for path in (ROOT / side).rglob("*")
        if path.suffix in DATA | {".py"} and path.is_file()
    }

    assert {name: data for name, data in contents(wheel).items() if ".dist-info/" not in name} == wanted


def test_no_file_of_the_packages_has_an_ending_that_the_wheel_leaves_out() -> None:
    endings = {path.suffix for side in SOURCES for path in (ROOT / side).rglob("*") if path.is_file()}

    assert endings - {".pyc"} == DATA | {".py"}


def test_its_metadata_is_complete(metadata: Message) -> None:
    assert metadata["Version"] == app.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Description-Content-Type"] == "text/markdown"
    for name in ("Summary", "Author", "Keywords", "Requires-Python"):
        assert metadata[name]
    assert metadata.get_all("Project-URL")


def test_its_classifiers_name_the_versions_of_python_that_it_runs_on(metadata: Message) -> None:
    classifiers = metadata.get_all("Classifier") or []
    minors = [int(line.rpartition(".")[2]) for line in classifiers if re.search(r":: 3\.\d+$", line)]

    assert minors == list(range(min(minors), max(minors) + 1))
    assert metadata["Requires-Python"] in (f"<3.{max(minors) + 1},>=3.{min(minors)}", f">=3.{min(minors)},<3.{max(minors) + 1}")


def test_the_extra_all_has_everything_but_the_tools_of_developers(metadata: Message) -> None:
    extras = set(metadata.get_all("Provides-Extra") or [])
    (whole,) = [line for line in metadata.get_all("Requires-Dist") or [] if line.startswith("koe[")]
    named = re.findall(r"[\w-]+", whole.partition("[")[2].partition("]")[0])

    assert extras - set(named) - {"all"} == {"bench", "browser", "chart", "dev", "ears"}


def test_the_source_distribution_builds_the_same_wheel(clone: Path, wheel: Path, tmp_path: Path) -> None:
    script = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", script, tmp_path], cwd=clone, capture_output=True, check=True)
    with tarfile.open(tmp_path / f"koe-{app.__version__}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    again = build(tmp_path / f"koe-{app.__version__}", tmp_path)

    assert contents(again) == contents(wheel)


@pytest.fixture(scope="module")
def koe(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of an environment with the wheel and the packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", *options, wheel], check=True)
    (packages / "others.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("site-packages")))
    return folder / "bin" / "koe"


def call(program: Path, *arguments: str, folder: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """Runs the program in `folder`, without the settings of this process."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("KOE_", "PYTHON"))}
    return subprocess.run(
        [program, *arguments], cwd=folder, env=others | environ, capture_output=True, text=True, check=False, timeout=100
    )


def test_in_an_empty_folder_it_prints_its_version_contract_and_constraints(koe: Path, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}

    assert call(koe, "-V", folder=tmp_path).stdout == f"koe, version {app.__version__}\n"
    assert json.loads(call(koe, "openapi", folder=tmp_path, **home).stdout)["info"]["version"] == app.__version__
    assert call(koe, "constraints", folder=tmp_path).stdout == (ROOT / "deploy/constraints.txt").read_text()


def test_its_doctor_names_programs_that_are_there_and_nothing_of_a_clone(koe: Path, tmp_path: Path, data: Path) -> None:
    environ = {"HOME": str(tmp_path), "KOE_DATA": str(data), "KOE_MODEL_DIR": str(tmp_path), "KOE_ENGINE": "espeak"}
    done = call(koe, "doctor", "--json", folder=tmp_path, **environ)

    assert done.stdout, done.stderr
    remedies = [check["remedy"] for check in json.loads(done.stdout) if not check["is_well"]]
    assert f"{koe} fetch" in remedies
    for remedy in remedies:
        assert not re.search(r"\bmake\b|Makefile|deploy/|\.venv", remedy.replace(str(koe.parent), ""))


def test_one_of_its_errors_names_a_program_that_is_there(koe: Path, tmp_path: Path) -> None:
    done = call(koe, "voices", "--url", "http://127.0.0.1:9", folder=tmp_path)

    assert f"`{koe} serve` starts one" in done.stderr
