"""`koe doctor` on a machine that has Kokoro's files: the workers' checks, and nothing else on standard output."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app.core.host.check import Check


def run(*command: str, model_dir: Path, data: Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"KOE_MODEL_DIR": str(model_dir), "KOE_DATA": str(data)}
    return subprocess.run([sys.executable, "-m", *command], env=environ, capture_output=True, text=True, check=False)


@pytest.fixture
def eight_bit(checkpoint: Path, tmp_path: Path) -> Path:
    """The files of the checkpoint, with the weights under the name of 8-bit weights."""
    for name in ("config.json", "voices"):
        (tmp_path / name).symlink_to(checkpoint / name)
    (tmp_path / "kokoro-v1_0.8-bit.pth").symlink_to(checkpoint / "kokoro-v1_0.pth")
    return tmp_path


def test_standard_output_is_the_checks_alone_and_the_log_is_on_standard_error(checkpoint: Path, data: Path) -> None:
    done = run("workers.setup.diagnose", model_dir=checkpoint, data=data)

    checks = {check.name: check for check in msgspec.json.decode(done.stdout, type=list[Check])}
    assert checks["kokoro"].is_well
    assert checks["kokoro"].detail == "loads and speaks, original weights"
    assert checks["espeak"].detail == "loads and speaks"
    assert "kokoro_loaded" in done.stderr


def test_the_doctor_says_which_weights_speak(eight_bit: Path, data: Path) -> None:
    done = run("app.cli", "doctor", model_dir=eight_bit, data=data)

    assert "kokoro: loads and speaks, 8-bit weights" in done.stdout
    assert "Traceback" not in done.stderr
