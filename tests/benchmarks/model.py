"""The checkpoint that is measured: random weights of the real dimensions, made once."""

from pathlib import Path

from tests.benchmarks.kept import cache_folder, make_once
from tests.checkpoints import make_checkpoint


def model_once() -> Path:
    """Its folder."""
    return make_once(cache_folder() / "model", lambda half: make_checkpoint(half, tiny=False))
