"""The `kokoro` package as it is shipped: PyTorch eager, weight norms computed at every call, noise of its own."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
import transformers
from kokoro.model import KModel

from app.core.formats import SAMPLE_RATE_HZ
from tests.benchmarks.kept import VOICE


def load_model(model_dir: Path, *, disable_complex: bool = False) -> KModel:
    """As the package loads it."""
    transformers.logging.set_verbosity_error()
    config, weights = str(model_dir / "config.json"), str(model_dir / "kokoro-v1_0.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return KModel("hexgrad/Kokoro-82M", config, weights, disable_complex=disable_complex).eval()


class ShippedSpeaker:
    """See Speaker."""

    def __init__(self, model_dir: Path) -> None:
        self._model = load_model(model_dir)
        self._pack = torch.load(model_dir / "voices" / f"{VOICE}.pt", weights_only=True)

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        torch.set_num_threads(n_threads)
        ids = torch.tensor([[0, *(self._model.vocab[phoneme] for phoneme in phonemes), 0]])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            audio, _ = self._model.forward_with_tokens(ids, self._pack[len(phonemes) - 1], 1.0)
        return audio.shape[-1] / SAMPLE_RATE_HZ

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker: one after the other, all threads for each."""
        return sum(self.speak(phonemes, n_threads) for phonemes in segments)


def load(model_dir: Path, _: Path | None) -> ShippedSpeaker:
    """Loads the checkpoint."""
    return ShippedSpeaker(model_dir)
