"""Other programs that speak with Kokoro on CPUs, each run by the Python of an environment of its own.

Why their own environments: they pin other versions of ONNX Runtime and numpy than Koe, and Koe needs none of their packages.
Why the variables do not begin with `KOE_`: Koe refuses to start with one that is not a setting of its own.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.machine import ROOT


class Rival(NamedTuple):
    """Another program, in the version that the speaker was written for."""

    requirement: str
    """What pip installs."""
    variable: str
    """Environment variable with the path of the Python that has it."""
    module: str
    """The speaker's module in this package."""


RIVALS: Final = {
    "kokoro-pi": Rival("kokoro-pi==1.2.0", "BENCH_KOKORO_PI", "kokoro_pi"),
    "fastkokoro": Rival("fastkokoro[cpu]==0.7.0", "BENCH_FASTKOKORO", "fastkokoro"),
}
"""Speaker → its program."""


def find_rivals(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Returns the names of those whose variable is set."""
    return [name for name, rival in RIVALS.items() if environ.get(rival.variable)]


def python_of(name: str) -> str:
    """Returns the path of the Python that runs this speaker: a rival's own, or that of this process."""
    return os.environ[RIVALS[name].variable] if name in RIVALS else sys.executable


def prepare(name: str, onnx_dir: Path) -> None:
    """Has a rival make its files from the export in `onnx_dir`, once. Raises CalledProcessError, with its error output."""
    command = [python_of(name), "-m", f"{__package__}.{RIVALS[name].module}", str(onnx_dir)]
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def how_to_measure(name: str) -> str:
    """Returns a note that says why a rival was not measured, and what would be needed."""
    requirement, variable, _ = RIVALS[name]
    return f"{name} was not measured: install {requirement} into an environment of its own and set {variable} to its Python."
