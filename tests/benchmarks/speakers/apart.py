"""`python -m tests.benchmarks.speakers.apart NAME MODEL_DIR ONNX_DIR|-`: a speaker in a process of its own.

So that none has another's libraries, memory, threads or settings: what Koe sets for PyTorch when its engine is imported is
inherited by nobody. Each line in asks for a method with its arguments, each line out is what it returns, both in JSON.
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

_OF_KOE: Final = "THP_MEM_ALLOC_ENABLE"
"""See workers/engines/kokoro/__init__.py."""


def environ_as_shipped() -> Mapping[str, str]:
    """That of this process, less what importing Koe's engine has set."""
    return {name: value for name, value in os.environ.items() if name != _OF_KOE}


class SpeakerFailed(Exception):
    """Its process has ended."""


class Apart:
    """See Speaker. For the time of a `with`."""

    def __init__(self, name: str, model_dir: Path, onnx_dir: Path | None) -> None:
        command = [sys.executable, "-m", __spec__.name, name, str(model_dir), str(onnx_dir or "-")]
        self._told = TemporaryFile()  # noqa: SIM115, closed with the process
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ_as_shipped(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            text=True,
        )

    def __enter__(self) -> "Apart":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._told.close()

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        return float(self.call("speak", phonemes, n_threads))

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker."""
        return float(self.call("speak_all", segments, n_threads))

    def call(self, method: str, *arguments: object) -> Any:
        """What the speaker's method of that name returns. Raises SpeakerFailed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([method, arguments]) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError) as error:
            self._told.seek(0)
            raise SpeakerFailed(self._told.read().decode()) from error


def _main(name: str, model_dir: str, onnx_dir: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    speaker = load_speaker(name, Path(model_dir), Path(onnx_dir) if onnx_dir != "-" else None)
    for line in sys.stdin:
        method, arguments = json.loads(line)
        print(json.dumps(getattr(speaker, method)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
