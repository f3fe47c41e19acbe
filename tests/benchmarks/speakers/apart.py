"""`python -m tests.benchmarks.speakers.apart NAME MODEL_DIR ONNX_DIR|-`: a speaker in its own process.

Each input line asks for a method with its arguments, and each output line is the result, both in JSON.

Why a process for each: no speaker has another's libraries, memory, threads or settings. None inherits the setting that Koe's
engine makes for PyTorch when it is imported. A rival's process runs the Python of its own environment; see `rivals`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

from tests.benchmarks.machine import ROOT
from tests.benchmarks.speakers import load_speaker
from tests.benchmarks.speakers.rivals import python_of

_OF_KOE: Final = "THP_MEM_ALLOC_ENABLE"
"""Variable that Koe's engine sets; see workers/engines/kokoro/__init__.py."""


def environ_as_shipped() -> Mapping[str, str]:
    """Returns the environment of this process, without the variable that importing Koe's engine has set."""
    return {name: value for name, value in os.environ.items() if name != _OF_KOE}


class SpeakerFailed(Exception):
    """The speaker's process has ended. The message is its error output."""


class Apart:
    """See Speaker. The process ends with the `with` block."""

    def __init__(self, name: str, model_dir: Path, onnx_dir: Path | None) -> None:
        command = [python_of(name), "-m", __spec__.name, name, str(model_dir), str(onnx_dir or "-")]
        self._errors = TemporaryFile()  # noqa: SIM115, closed with the process
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ_as_shipped(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._errors.close()

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        return float(self.call("speak", phonemes, n_threads))

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker."""
        return float(self.call("speak_all", segments, n_threads))

    def call(self, method: str, *arguments: object) -> Any:
        """Calls the speaker's method of that name and returns its result. Raises SpeakerFailed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([method, arguments]) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            self._errors.seek(0)
            raise SpeakerFailed(self._errors.read().decode()) from error


def _main(name: str, model_dir: str, onnx_dir: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of libraries is not a result
    speaker = load_speaker(name, Path(model_dir), Path(onnx_dir) if onnx_dir != "-" else None)
    for line in sys.stdin:
        method, arguments = json.loads(line)
        print(json.dumps(getattr(speaker, method)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
