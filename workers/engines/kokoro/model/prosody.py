"""The first half of Kokoro's model: durations, pitch, energy, and the sound source that follows from them.

Why it repeats the package's arithmetic operation by operation, and always on the CPU: it computes durations and pitch. The
phase of a voice accumulates its pitch over the whole segment, and float32 leaves it a few digits. So if the last digit of a
pitch differs, samples differ by a hundredth of the peak. Only the energy and the encoded phonemes may be rounded differently:
they use the decoder's kernels. The second half of the model only rounds differently on another device, in a batch, or in our
own arithmetic.

Why ALBERT takes half of the time: it reads 22 MB of weights twelve times. Kernels with their own order of weights read them
faster, but other sums are other bits. So if there are more threads, two of them share its products, the directions of the
LSTMs, and pitch and energy. What is divided does not depend on their number.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec
import torch

from app.core.errors import InvalidValue
from workers.engines.kokoro.kernels.lstm import BiLstm
from workers.engines.kokoro.kernels.matrices import Precision
from workers.engines.kokoro.kernels.pitch_block import PitchBlock
from workers.engines.kokoro.kernels.styled import StyledBlock
from workers.engines.kokoro.kernels.threads import Team, stay
from workers.engines.kokoro.model.encoders import DurationEncoder, TextEncoder
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

    def __init__(self, model: Any, precision: Precision = "float32") -> None:
        """Takes over the weights of `model`, a `kokoro.KModel`, except for the decoder's. `precision`: of the weights on which
        neither durations nor pitch depend.
        """
        predictor = model.predictor
        self._bert, self._bert_encoder = model.bert, model.bert_encoder
        self._states, self._text_encoder = DurationEncoder(predictor.text_encoder), TextEncoder(model.text_encoder, precision)
        self._lstm, self._duration = BiLstm(predictor.lstm), predictor.duration_proj
        self._shared = BiLstm(predictor.shared)
        self._pitch, self._pitch_projection = [PitchBlock(block) for block in predictor.F0], predictor.F0_proj
        self._energy, self._energy_projection = [StyledBlock(block, precision) for block in predictor.N], predictor.N_proj
        self._source = Source(model.decoder.generator.m_source)
        self._stft = model.decoder.generator.stft

    @torch.inference_mode()
    def __call__(
        self,
        ids: torch.Tensor,
        style: torch.Tensor,
        speed: float,
        digest: bytes,
        tokens: tuple[int, int] | None = None,
        n_threads: int = 1,
        give_way: Callable[[], None] = stay,
        max_frames: float = math.inf,
    ) -> Score:
        """Returns the score of `ids` (1, n_tokens) with `style` (1, 256); `digest` is the seed of the noise.

        `tokens`, a first and an exclusive end, limits the score to these tokens; the others are only context. None: all tokens.
        The score does not depend on `n_threads`. `give_way` is called in this thread between the steps. Raises InvalidValue for
        a voice with which it would have more than `max_frames`, which takes too much memory.
        """
        with Team(n_threads, give_way) as team:
            return self._score(ids, style, speed, digest, tokens or (0, ids.shape[1]), team, max_frames)

    def _score(
        self,
        ids: torch.Tensor,
        style: torch.Tensor,
        speed: float,
        digest: bytes,
        tokens: tuple[int, int],
        team: Team,
        max_frames: float,
    ) -> Score:
        encoding = team.start(partial(self._text_encoder, ids[0], Team(1)))
        manner = style[:, _HALF:]
        states = self._states(self._bert_encoder(self._bert(ids, run=team.run))[0], manner, team)
        duration = torch.sigmoid(self._duration(self._lstm(states, team))).sum(dim=-1)
        n_frames = _whole(duration / speed)
        if not duration.isfinite().all() or n_frames.sum() > max_frames:
            raise InvalidValue("This voice cannot be used: Kokoro would draw its sounds out far too long.", param="voice")
        place = _Place.of(n_frames, tokens)
        noise = team.start(partial(self._noise, digest, place))
        token_of_frame = torch.repeat_interleave(torch.arange(len(n_frames)), n_frames)
        pitch_hz, energy = self._curves(states[token_of_frame], manner, team)
        pitch_hz, energy = (curve[:, 2 * place.first : 2 * place.last] for curve in (pitch_hz, energy))
        own = slice(*tokens)
        return Score(
            encoded=encoding.result().t().unsqueeze(0)[:, :, token_of_frame[place.first : place.last]],
            pitch_hz=pitch_hz,
            energy=energy,
            source=self._spectrum(pitch_hz, noise.result()),
            style=style[:, :_HALF],
            n_frames=n_frames[own],
            n_natural_frames=int(_whole(duration)[own].sum()) + place.n_before - place.n_after,
            n_lead=place.begin - place.n_before - place.first,
            n_trail=place.last - (place.end - place.n_after),
            n_before=place.n_before,
        )

    def _curves(self, states: torch.Tensor, manner: torch.Tensor, team: Team) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns pitch and energy, (1, 2 n_frames) each, for `states` (n_frames, n_channels)."""
        shared = self._shared(states, team)
        pitch, energy = team.run([partial(self._pitch_curve, shared, manner), partial(self._energy_curve, shared, manner)])
        return pitch, energy

    def _pitch_curve(self, shared: torch.Tensor, manner: torch.Tensor) -> torch.Tensor:
        pitch = shared.t().unsqueeze(0)
        for block in self._pitch:
            pitch = block(pitch, manner)
        curve: torch.Tensor = self._pitch_projection(pitch).squeeze(1)
        return curve

    def _energy_curve(self, shared: torch.Tensor, manner: torch.Tensor) -> torch.Tensor:
        energy = shared
        for block in self._energy:
            energy = block(energy, manner)
        curve: torch.Tensor = self._energy_projection(energy.t().unsqueeze(0)).squeeze(1)
        return curve

    def _noise(self, digest: bytes, place: "_Place") -> torch.Tensor:
        n_samples = 2 * (place.last - place.first) * self._source.n_samples_of_frame
        return draw_noise(digest, n_samples, self._source.n_harmonics)

    def _spectrum(self, pitch_hz: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        magnitude, angle = self._stft.transform(self._source(pitch_hz, noise.unsqueeze(0)))
        return torch.cat([magnitude, angle], dim=1)


class _Place(msgspec.Struct, frozen=True):
    """The frames of a segment among all frames that the model reads."""

    first: int
    """The first frame of the score."""
    last: int
    """The exclusive end of the score."""
    begin: int
    """The first frame of the segment's tokens."""
    end: int
    """The exclusive end of the segment's tokens."""
    n_before: int
    """Audible frames before `begin`."""
    n_after: int
    """Inaudible frames before `end`."""

    @classmethod
    def of(cls, n_frames: torch.Tensor, tokens: tuple[int, int]) -> "_Place":
        """`n_frames` (n_tokens,): frames of each token. `tokens`: the segment's, first and exclusive end."""
        own = slice(*tokens)
        begin, end, n_all = int(n_frames[: own.start].sum()), int(n_frames[: own.stop].sum()), int(n_frames.sum())
        n_before, n_after = min(begin, _ONSET), min(n_all - end, _ONSET)
        first, last = max(0, begin - n_before - _NEIGHBOURS), min(n_all, end - n_after + _NEIGHBOURS)
        return cls(first, last, begin, end, n_before, n_after)


def _whole(duration: torch.Tensor) -> torch.Tensor:
    """Rounds durations to whole frames, at least one each: (n_tokens,)."""
    return torch.round(duration).clamp(min=1).long().reshape(-1)
