"""`python -m tests.benchmarks.memory NAME MODEL_DIR ONNX_DIR|- N_THREADS PHONEMES...`: the memory of a process that speaks.

It prints JSON: resident MiB after loading, and the peak until all segments are spoken.

Why a separate process: memory that one library has taken would be counted for the next one.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.machine import ROOT
from tests.benchmarks.speakers import load_speaker
from tests.benchmarks.speakers.apart import environ_as_shipped
from tests.benchmarks.speakers.rivals import python_of


def measure_memory(
    name: str, model_dir: Path, onnx_dir: Path | None, *, n_threads: int, segments: Sequence[str]
) -> dict[str, float]:
    """Runs this module in a new process and returns its figures."""
    arguments = [name, str(model_dir), str(onnx_dir or "-"), str(n_threads), *segments]
    command = [python_of(name), "-m", "tests.benchmarks.memory", *arguments]
    environ = environ_as_shipped()
    done = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def read_status(name: str, pid: int | str = "self") -> float:
    """Returns a process's memory in MiB from Linux: `VmRSS` is resident now, `VmHWM` is the peak so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def _main(name: str, model_dir: str, onnx_dir: str, n_threads: str, *segments: str) -> None:
    speaker = load_speaker(name, Path(model_dir), Path(onnx_dir) if onnx_dir != "-" else None)
    loaded_mib = read_status("VmRSS")
    for phonemes in segments:
        speaker.speak(phonemes, int(n_threads))
    sys.stdout.write(json.dumps({"loaded MiB": loaded_mib, "peak MiB": read_status("VmHWM")}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
