"""The engines that speak the same phonemes. Each is loaded by name and imports no library of another.

All have the same weights except `onnxruntime-8bit`, which runs Kokoro's 8-bit ONNX file as it is: its weights are 8-bit
integers, as are the inputs of most of its products. Some are other programs, in environments of their own: see `rivals`.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol

from tests.benchmarks.speakers.rivals import RIVALS, find_rivals


class Speaker(Protocol):
    """A loaded model."""

    def speak(self, phonemes: str, n_threads: int) -> float:
        """Speaks the phonemes with `n_threads` threads. Returns the seconds of audio."""
        ...

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """Speaks several segments that are available at once, in the speaker's own way. Returns the seconds of audio."""
        ...


ONNX: Final = "onnxruntime"
ONNX_8BIT: Final = "onnxruntime-8bit"

NAMES: Final = {
    "koe": "koe_engine",
    "kokoro": "as_shipped",
    ONNX: "onnx_runtime",
    ONNX_8BIT: "onnx_runtime",
    **{name: rival.module for name, rival in RIVALS.items()},
}
"""Speaker → its module."""


def find_speakers(onnx_dir: Path | None) -> list[str]:
    """Returns the names of all speakers, except an ONNX speaker whose file is not in `onnx_dir`, and a rival that has no Python
    or no export.
    """
    if onnx_dir is None:
        return ["koe", "kokoro"]
    missing = {name for name in (ONNX, ONNX_8BIT) if not (onnx_dir / f"{name}.onnx").exists()}
    missing |= RIVALS.keys() - find_rivals()
    return [name for name in NAMES if name not in missing]


def load_speaker(name: str, model_dir: Path, onnx_dir: Path | None) -> Speaker:
    """Loads the speaker of that name. `onnx_dir` is made by `tests.benchmarks.onnx_export`; Koe and `kokoro` do not need it."""
    onnx_file = onnx_dir / f"{name}.onnx" if onnx_dir is not None else None
    speaker: Speaker = import_module(f"{__name__}.{NAMES[name]}").load(model_dir, onnx_file)
    return speaker
