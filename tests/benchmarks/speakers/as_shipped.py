"""The `kokoro` package as shipped: PyTorch eager, weight norms computed at every call, its own noise.

Why the package's own loader too, although it does not report missing keys: the comparison then covers everything from the file
to the audio. The 8-bit checkpoint lacks only the scales and shifts inside AdaIN, which the package sets to 1 and 0.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
import transformers

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.benchmarks.cached_files import VOICE
from workers.engines.kokoro.checkpoint import CheckpointFiles, find_checkpoint
from workers.engines.kokoro.names import REPOSITORY
from workers.engines.kokoro.package import KModel


class _Albert(transformers.AlbertModel):  # type: ignore[misc]  # transformers is not checked
    """As in the package, which Koe imports with another base class."""

    def forward(self, *arguments: Any, **named: Any) -> torch.Tensor:
        hidden: torch.Tensor = super().forward(*arguments, **named).last_hidden_state
        return hidden


def load_model(files: CheckpointFiles, *, disable_complex: bool = False) -> KModel:
    """Loads the model as the package does."""
    transformers.logging.set_verbosity_error()
    theirs = patch.multiple("kokoro.model", CustomAlbert=_Albert, AlbertConfig=transformers.AlbertConfig)
    with theirs, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KModel(REPOSITORY, str(files.config), str(files.weights), disable_complex=disable_complex).eval()


class ShippedSpeaker:
    """See Speaker."""

    def __init__(self, model_dir: Path) -> None:
        files = find_checkpoint(model_dir, [VOICE])
        self._model = load_model(files)
        self._pack = torch.load(files.voices[VOICE], weights_only=True)

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        torch.set_num_threads(n_threads)
        ids = torch.tensor([[0, *(self._model.vocab[phoneme] for phoneme in phonemes), 0]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            audio, _ = self._model.forward_with_tokens(ids, self._pack[len(phonemes) - 1], 1.0)
        n_samples: int = audio.shape[-1]
        return n_samples / SAMPLE_RATE_HZ

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker: one after the other, all threads for each."""
        return sum(self.speak(phonemes, n_threads) for phonemes in segments)


def load(model_dir: Path, _: Path | None) -> ShippedSpeaker:
    """Loads the checkpoint."""
    return ShippedSpeaker(model_dir)
