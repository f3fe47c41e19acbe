"""Those that speak the same phonemes; each is loaded by name and brings in no other's library.

All have the same weights but one: `onnxruntime-8bit` runs Kokoro's 8-bit ONNX file as it is, whose weights are 8-bit integers,
as are the inputs of most of its products.
"""

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


ONNX: Final = "onnxruntime"
ONNX_8BIT: Final = "onnxruntime-8bit"

NAMES: Final = {"koe": "koe_engine", "kokoro": "as_shipped", ONNX: "onnx_runtime", ONNX_8BIT: "onnx_runtime"}
"""Speaker → its module."""


def find_speakers(onnx_dir: Path | None) -> list[str]:
    """Those that can be loaded: all, but those that have no ONNX file in `onnx_dir`."""
    return [name for name in NAMES if name not in (ONNX, ONNX_8BIT) or (onnx_dir and (onnx_dir / f"{name}.onnx").exists())]


def load_speaker(name: str, model_dir: Path, onnx_dir: Path | None) -> Speaker:
    """The speaker of that name. `onnx_dir` is what `tests.benchmarks.onnx_export` made; only ONNX Runtime needs it."""
    onnx_file = onnx_dir / f"{name}.onnx" if onnx_dir is not None else None
    speaker: Speaker = import_module(f"{__name__}.{NAMES[name]}").load(model_dir, onnx_file)
    return speaker
