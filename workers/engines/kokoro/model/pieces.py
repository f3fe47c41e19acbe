"""Computes the samples of a segment from its beginning, in one or more pieces.

Why pieces: a listener then hears the beginning while the rest is computed. Each piece gets the frames beside it that the
generator reads. What differs from the whole segment is only what the norms know of later frames, and they know more with each
piece. Pieces meet where the voice is soft, in a crossfade.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Final

import msgspec
import torch

from workers.engines.kokoro.kernels.moments import WHOLE, Kind, Norms, Run
from workers.engines.kokoro.model.extent import HALVES, Extent, energy_of
from workers.engines.kokoro.model.prosody import Score
from workers.engines.kokoro.model.statistics import Habits, Statistics, UsualNorms

FRAME_SAMPLES: Final = 600
"""Samples of a frame of 25 ms."""
_STEPS: Final = 120
"""Steps of the source's spectrum in a frame."""

_SILENT: Final = 0.001
"""A frame beside the extent must have no sample above this, -60 dBFS. Loudness is raised by 10 dB at most, and joining takes
anything below -50 dBFS for silence.
"""
_SEARCH_BEFORE, _SEARCH_AFTER = 2, 6
"""Frames around a wanted end within which a piece ends where the voice is softest."""
_LEAST_FRAMES: Final = 12
"""Fewest frames of the last piece."""

_RISE: Final = torch.linspace(0.0, 1.0, FRAME_SAMPLES)
_FALL: Final = 1 - _RISE


Generate = Callable[[Callable[[], torch.Tensor], torch.Tensor, Norms], torch.Tensor]
"""Computes samples from half frames and the source's spectrum in these frames."""


class _Computed(msgspec.Struct, frozen=True):
    """The samples of a piece, and of the frame on each side of it; empty where there is none."""

    before: torch.Tensor
    own: torch.Tensor
    after: torch.Tensor
    is_last: bool
    """Whether it ends where the extent ends."""


class Pieces:
    """The pieces of one segment."""

    def __init__(
        self,
        generate: Generate,
        score: Score,
        half_frames: Callable[[], torch.Tensor],
        extent: Extent,
        habits: Habits,
        usual: UsualNorms | None,
    ) -> None:
        """`half_frames` returns all of them, (2 n_frames, n_channels). `usual`: what is usual for the voice."""
        self._generate, self._score, self._half_frames = generate, score, half_frames
        self._extent = extent
        self._energy = energy_of(score)
        self._statistics = Statistics(habits, extent, self._energy, usual)

    def speak(self, ends: Sequence[int]) -> Iterator[torch.Tensor]:
        """Yields the samples of the whole segment. A piece ends about at each of `ends`, in frames after the extent's first."""
        fading: torch.Tensor | None = None
        for begin, end in pairwise([None, *self._joints(ends), None]):
            piece = self._compute(begin, end)
            if fading is not None:
                piece.own[: len(fading)].mul_(_RISE).add_(fading.mul_(_FALL))
            fading = piece.after
            yield torch.cat([*self._silence_before(begin, piece), piece.own, *self._silence_after(piece)])
            if piece.is_last:
                return

    def _joints(self, ends: Sequence[int]) -> Iterator[int]:
        """Yields the softest frame near each wanted end, unless too few frames would be left after it.

        Yields none if other speech is before it. The norms of the first piece would not know any silence, and its speech was up
        to thirty decibels too soft.
        """
        if not self._extent.is_silent_before:
            return
        at = self._extent.first
        for end in ends:
            first = max(at + _LEAST_FRAMES, self._extent.first + end - _SEARCH_BEFORE)
            last = max(first + 1, self._extent.first + end + _SEARCH_AFTER)
            if last + _LEAST_FRAMES > self._extent.last:
                return
            at = first + int(self._energy[first:last].argmin())
            yield at

    def _compute(self, begin: int | None, end: int | None) -> _Computed:
        """Computes the frames from one joint to the next; None is the end of the extent. If the silence there is audible, the
        extent is widened, and all frames up to its end are computed: a first piece needs silence that can be left out.
        """
        first, last = begin or self._extent.first, end or self._extent.last
        runs = self._extent.piece(first, last)
        is_whole = sum(run.n_frames for run in runs) == self._extent.n_frames
        norms = self._statistics.norms(runs)
        samples = self._generate(partial(self._rows, runs), self._source(runs), WHOLE if is_whole else norms)
        piece = _divide(samples, runs, is_last=last == self._extent.last)
        if self._widen(begin is None and _is_audible(piece.before), end is None and _is_audible(piece.after)):
            return self._compute(begin, None)
        self._statistics.keep(norms)
        return piece

    def _widen(self, is_audible_before: bool, is_audible_after: bool) -> bool:
        """Adds the silence that is audible to the extent. Returns whether there is any."""
        extent = self._extent
        if extent.is_silent_before and is_audible_before:
            extent = msgspec.structs.replace(extent, first=0, is_silent_before=False)
        if extent.is_silent_after and is_audible_after:
            extent = msgspec.structs.replace(extent, last=extent.n_frames, is_silent_after=False)
        if extent is self._extent:
            return False
        self._extent = self._statistics.extent = extent
        return True

    def _rows(self, runs: Sequence[Run]) -> torch.Tensor:
        return torch.cat([self._half_frames()[HALVES * run.first : HALVES * run.last] for run in runs])

    def _source(self, runs: Sequence[Run]) -> torch.Tensor:
        source = self._score.source
        # The spectrum has one step more than its frames.
        after = source[..., _STEPS * runs[-1].last :][..., :1]
        return torch.cat([*(source[..., _STEPS * run.first : _STEPS * run.last] for run in runs), after], dim=2)

    def _silence_before(self, begin: int | None, piece: _Computed) -> Iterator[torch.Tensor]:
        n_frames = self._extent.first if begin is None else 0
        if n_frames and self._extent.is_silent_before:
            yield torch.zeros(FRAME_SAMPLES * (n_frames - 1))
            yield piece.before * _RISE
        else:
            yield torch.zeros(FRAME_SAMPLES * n_frames)

    def _silence_after(self, piece: _Computed) -> Iterator[torch.Tensor]:
        n_frames = self._extent.n_frames - self._extent.last if piece.is_last else 0
        if n_frames and self._extent.is_silent_after:
            yield piece.after * _FALL
            yield torch.zeros(FRAME_SAMPLES * (n_frames - 1))
        else:
            yield torch.zeros(FRAME_SAMPLES * n_frames)


def _divide(samples: torch.Tensor, runs: Sequence[Run], *, is_last: bool) -> _Computed:
    place = next(number for number, run in enumerate(runs) if run.kind is Kind.SPOKEN)
    first = FRAME_SAMPLES * sum(run.n_frames for run in runs[:place])
    last = first + FRAME_SAMPLES * runs[place].n_frames
    before, after = samples[max(0, first - FRAME_SAMPLES) : first], samples[last:][:FRAME_SAMPLES]
    return _Computed(before, samples[first:last], after, is_last)


def _is_audible(frame: torch.Tensor) -> bool:
    return bool(len(frame)) and float(frame.abs().max()) > _SILENT
