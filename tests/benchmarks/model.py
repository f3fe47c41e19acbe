"""The measured weights: Kokoro's if a worker would find them, otherwise random ones of the real dimensions, made once.

Why random weights: without Kokoro's files, speeds can still be compared. The time of an engine depends on the number of weights
and on the amount of audio that they ask for, which is about the same as in speech.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from app.core.speech.voices import load_catalogue
from tests.benchmarks.cached_files import cache_folder, make_once
from tests.checkpoints import make_checkpoint
from tests.real import find_real
from workers.engines.kokoro.checkpoint import CheckpointFiles, MissingFile, find_checkpoint

RANDOM: Final = "random"


class Model(msgspec.Struct, frozen=True):
    """A checkpoint and the kind of its weights."""

    files: CheckpointFiles
    weights: str
    """Kind of the weights: `original`, `8-bit` or `random`."""

    @property
    def folder(self) -> Path:
        """Value of `KOE_MODEL_DIR` for this checkpoint."""
        return self.files.weights.parent


def find_weights() -> str:
    """Returns the kind of weights that `model_once` would return, without making any."""
    real = _find_real()
    return real.weights if real is not None else RANDOM


def model_once() -> Model:
    """Returns the checkpoint to measure. A random one is made the first time and kept."""
    return _find_real() or _random_once()


def _find_real() -> Model | None:
    try:
        files = find_real(os.environ)
    except MissingFile:
        return None
    return Model(files, files.precision)


def _random_once() -> Model:
    folder = make_once(cache_folder() / "model", lambda half: make_checkpoint(half, tiny=False))
    return Model(find_checkpoint(folder, load_catalogue().voices), RANDOM)
