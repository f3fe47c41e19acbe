"""The weights that are measured: Kokoro's where a worker would find them, else random ones of the real dimensions, made once.

Why random ones at all: a machine without Kokoro's files can still compare speeds. How long an engine takes follows from how
many weights there are and how much audio they ask for, which is about as in speech.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from app.core.speech.voices import load_catalogue
from tests.benchmarks.kept import cache_folder, make_once
from tests.checkpoints import make_checkpoint
from tests.real import find_real
from workers.engines.kokoro.checkpoint import CheckpointFiles, MissingFile, find_checkpoint

RANDOM: Final = "random"


class Model(msgspec.Struct, frozen=True):
    """A checkpoint and what its weights are."""

    files: CheckpointFiles
    weights: str
    """`original`, `8-bit` or `random`."""

    @property
    def folder(self) -> Path:
        """What `KOE_MODEL_DIR` would be."""
        return self.files.weights.parent


def find_weights() -> str:
    """What the weights of `model_once` are, without making any."""
    real = _find_real()
    return real.weights if real is not None else RANDOM


def model_once() -> Model:
    """The checkpoint to measure; a random one is made the first time and kept."""
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
