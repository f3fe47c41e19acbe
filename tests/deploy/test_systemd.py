"""The systemd units: systemd accepts them, they are confined, and a wrong setting restarts nothing."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.core.errors import Misconfigured
from tests.promises.guides import ROOT

FOLDER = ROOT / "deploy" / "systemd"
SHARED = (FOLDER / "koe-.service.d" / "koe.conf").read_text(encoding="utf-8")
UNITS = ["koe-api.service", "koe-serve.service", "koe-worker@.service"]
MAX_EXPOSURE = 2.0
"""Of 10, as `systemd-analyze security` counts."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder in which the units and their program are installed."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    shutil.copytree(FOLDER, tmp_path / "etc/systemd/system")
    for program in ("opt/koe/bin/koe", "bin/kill"):
        (tmp_path / program).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / program).touch(mode=0o755)
    for unit in ("sysinit.target", "basic.target", "shutdown.target", "network-online.target", "multi-user.target"):
        (tmp_path / "etc/systemd/system" / unit).write_text("[Unit]\nDefaultDependencies=no\n")
    return tmp_path


def analyze(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environ = os.environ | {"SYSTEMD_COLORS": "0", "LC_ALL": "C.UTF-8"}
    return subprocess.run(["systemd-analyze", *arguments], env=environ, capture_output=True, text=True, check=False)


def test_these_are_all_units() -> None:
    assert sorted(path.name for path in FOLDER.glob("*.service")) == UNITS


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_accepts_the_unit(root: Path, unit: str) -> None:
    done = analyze("verify", f"--root={root}", "--man=no", unit.replace("@", "@1"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_is_confined(root: Path, unit: str) -> None:
    done = analyze("security", "--offline=true", f"--root={root}", unit.replace("@", "@1"))
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= MAX_EXPOSURE


def test_a_wrong_setting_is_not_tried_again() -> None:
    assert f"RestartPreventExitStatus={Misconfigured.EXIT_STATUS}\n" in SHARED


def test_a_reload_renews_what_can_be_renewed() -> None:
    units = {name: configparser.ConfigParser(strict=False, interpolation=None) for name in UNITS}
    for name, unit in units.items():
        unit.read(FOLDER / name, encoding="utf-8")
    assert {name for name, unit in units.items() if "ExecReload" in unit["Service"]} == {"koe-serve.service"}
    assert "-HUP $MAINPID" in units["koe-serve.service"]["Service"]["ExecReload"]
