"""The three that speak the same phonemes with the same weights; each is loaded by name and brings in no other's library."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol


class Speaker(Protocol):
    """A loaded model."""

    def speak(self, phonemes: str, n_threads: int) -> float:
        """Seconds of audio that it has made of them with so many threads."""
        ...

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """The same of several segments that are there at once, in whatever way is its own."""
        ...


NAMES: Final = {"koe": "koe_engine", "kokoro": "as_shipped", "onnxruntime": "onnx_runtime"}


def load_speaker(name: str, model_dir: Path, onnx_dir: Path | None) -> Speaker:
    """The speaker of that name. `onnx_dir` is what `tests.benchmarks.onnx_export` made; only ONNX Runtime needs it."""
    speaker: Speaker = import_module(f"{__name__}.{NAMES[name]}").load(model_dir, onnx_dir)
    return speaker
