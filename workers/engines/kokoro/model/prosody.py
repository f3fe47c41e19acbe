"""The first half of Kokoro's model: durations, pitch, energy, and the sound source that follows from them.

Why it repeats the package's arithmetic operation by operation, in one thread and always on the CPU: it computes durations and
pitch. The phase of a voice accumulates its pitch over the whole segment, so a difference in the last digit would be audible.
This half takes a seventh of the time. Its last blocks compute only the energy, so they use the decoder's kernels. The second
half only rounds differently on another device, in a batch, or in our own arithmetic.
"""

from typing import Any, Final

import msgspec
import torch

from workers.engines.kokoro.kernels.styled import StyledBlock
from workers.engines.kokoro.model.harmonic_source import Source, draw_noise

_NEIGHBOURS: Final = 10
"""Inaudible frames of 25 ms that the decoder gets on each side."""
_ONSET: Final = 2
"""Frames by which a sound may begin before its token: without them Whisper heard "a nessuno" for "ma nessuno". The audible part
ends the same number of frames before the next token.
"""
_HALF: Final = 128
"""Width of half a style: the decoder uses the first half, the prosody the second."""


class Score(msgspec.Struct, frozen=True):
    """The decoder's input for one segment; all tensors are on the CPU."""

    encoded: torch.Tensor
    """(1, n_channels, n_frames): the encoded phonemes, each repeated for its duration in frames of 25 ms."""
    pitch_hz: torch.Tensor
    """The pitch curve, (1, 2 n_frames)."""
    energy: torch.Tensor
    """The energy curve, (1, 2 n_frames)."""
    source: torch.Tensor
    """(1, 2 n_bins, n_steps): magnitudes and angles of the source's spectrum."""
    style: torch.Tensor
    """The decoder's half of the style, (1, 128)."""
    n_frames: torch.Tensor
    """(n_tokens,): frames of each token, including the pads at both ends."""
    n_natural_frames: int
    """Number of audible frames at speed 1."""
    n_lead: int = 0
    """Inaudible frames at the beginning. The decoder needs them, since it computes each frame from its neighbours."""
    n_trail: int = 0
    """Inaudible frames at the end, for the same reason."""
    n_before: int = 0
    """Audible frames before the first of `n_frames`: a sound begins a little before its token."""


class Prosody:
    """Computes scores of segments. Thread-safe."""

    def __init__(self, model: Any) -> None:
        """Uses the weights of `model`, a `kokoro.KModel`, and takes over the weights of its energy blocks."""
        self._bert, self._bert_encoder = model.bert, model.bert_encoder
        self._predictor, self._text_encoder = model.predictor, model.text_encoder
        self._energy = [StyledBlock(block) for block in model.predictor.N]
        self._source = Source(model.decoder.generator.m_source)
        self._stft = model.decoder.generator.stft

    @torch.inference_mode()
    def __call__(
        self, ids: torch.Tensor, style: torch.Tensor, speed: float, digest: bytes, tokens: tuple[int, int] | None = None
    ) -> Score:
        """Returns the score of `ids` (1, n_tokens) with `style` (1, 256); `digest` is the seed of the noise.

        `tokens`, a first and an exclusive end, limits the score to these tokens; the others are only context. None: all tokens.
        """
        manner = style[:, _HALF:]
        lengths, mask = torch.tensor([ids.shape[1]]), torch.zeros(ids.shape, dtype=torch.bool)
        hidden = self._bert_encoder(self._bert(ids, attention_mask=(~mask).int())).transpose(-1, -2)
        states = self._predictor.text_encoder(hidden, manner, lengths, mask)
        duration = torch.sigmoid(self._predictor.duration_proj(self._predictor.lstm(states)[0])).sum(dim=-1)
        n_frames = _whole(duration / speed)
        token_of_frame = torch.repeat_interleave(torch.arange(ids.shape[1]), n_frames)
        pitch_hz, energy = self._curves(states[:, token_of_frame], manner)
        encoded = self._text_encoder(ids, lengths, mask)[:, :, token_of_frame]
        own = slice(*(tokens or (0, ids.shape[1])))
        begin, end = int(n_frames[: own.start].sum()), int(n_frames[: own.stop].sum())
        n_all = encoded.shape[2]
        n_before, n_after = min(begin, _ONSET), min(n_all - end, _ONSET)
        first, last = max(0, begin - n_before - _NEIGHBOURS), min(n_all, end - n_after + _NEIGHBOURS)
        pitch_hz, energy = (curve[:, 2 * first : 2 * last] for curve in (pitch_hz, energy))
        return Score(
            encoded=encoded[:, :, first:last],
            pitch_hz=pitch_hz,
            energy=energy,
            source=self._spectrum(pitch_hz, digest),
            style=style[:, :_HALF],
            n_frames=n_frames[own],
            n_natural_frames=int(_whole(duration)[own].sum()) + n_before - n_after,
            n_lead=begin - n_before - first,
            n_trail=last - (end - n_after),
            n_before=n_before,
        )

    def _curves(self, states: torch.Tensor, manner: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns pitch and energy, (1, 2 n_frames) each, for `states` (1, n_frames, n_channels)."""
        shared = self._predictor.shared(states)[0]
        pitch, energy = shared.transpose(-1, -2), shared[0]
        for block in self._predictor.F0:
            pitch = block(pitch, manner)
        for ours in self._energy:
            energy = ours(energy, manner)
        return self._predictor.F0_proj(pitch).squeeze(1), self._predictor.N_proj(energy.t().unsqueeze(0)).squeeze(1)

    def _spectrum(self, pitch_hz: torch.Tensor, digest: bytes) -> torch.Tensor:
        n_samples = pitch_hz.shape[1] * self._source.n_samples_of_frame
        noise = draw_noise(digest, n_samples, self._source.n_harmonics)
        magnitude, angle = self._stft.transform(self._source(pitch_hz, noise.unsqueeze(0)))
        return torch.cat([magnitude, angle], dim=1)


def _whole(duration: torch.Tensor) -> torch.Tensor:
    """Rounds durations (1, n_tokens) to whole frames, at least one each: (n_tokens,)."""
    return torch.round(duration).clamp(min=1).long().reshape(-1)
