"""Compares `kokoro.KModel` with the two halves of Koe's model, on the same weights and with the same noise, in one thread.

Why the model alone and not the finished waveform: levelling and time stretching come after it, and the package has neither.
"""

from typing import Any
from unittest.mock import patch

import msgspec
import torch

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import Blend
from tests.benchmarks.speakers.as_shipped import load_model as load_original
from tests.noise import drawing
from workers.engines.base import Segment
from workers.engines.kokoro.checkpoint import CheckpointFiles, load_model
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.prosody import Prosody

ALLOWED = 1e-4
"""The largest difference of a sample that counts as equal, as a share of the original's peak."""


class Comparison(msgspec.Struct, frozen=True):
    """The result for one segment in both models."""

    segment: Segment
    audio_seconds: float
    difference: float
    """Largest difference of any sample, as a share of the original's peak."""
    is_as_long: bool
    """Whether every token has the same number of frames in both models."""

    @property
    def is_equal(self) -> bool:
        """Whether the durations are the same and no sample differs by more than `ALLOWED`."""
        return self.is_as_long and self.difference <= ALLOWED


class Both:
    """Both models, loaded."""

    def __init__(self, files: CheckpointFiles) -> None:
        torch.set_num_threads(1)
        self._original: Any = load_original(files)
        model = load_model(files)
        self._prosody, self._decoder = Prosody(model), Decoder(model.decoder)
        self._packs = {voice: torch.load(path, weights_only=True) for voice, path in files.voices.items()}

    def compare(self, segment: Segment) -> Comparison:
        """Runs the segment through both models and compares the results."""
        ids = torch.tensor([[0, *(self._original.vocab[phoneme] for phoneme in segment.phonemes), 0]])
        style = self._style(segment.voice, segment.n_phonemes)
        with patch.object(torch, "randn_like", drawing(segment.digest)):
            expected, expected_frames = self._original.forward_with_tokens(ids, style, segment.speed)
        score = self._prosody(ids, style, segment.speed, segment.digest)
        (spoken,) = self._decoder([score])
        n_samples = min(len(spoken), len(expected))
        return Comparison(
            segment=segment,
            audio_seconds=len(spoken) / SAMPLE_RATE_HZ,
            difference=float((spoken[:n_samples] - expected[:n_samples]).abs().max() / expected.abs().max()),
            is_as_long=torch.equal(score.n_frames, expected_frames),
        )

    def _style(self, voice: Blend, n_phonemes: int) -> torch.Tensor:
        """The style of a blend, (1, 256): the weighted mean of its voices' rows."""
        return torch.stack([part.weight * self._packs[part.voice_id][n_phonemes - 1] for part in voice]).sum(0)
