"""Finds the frames of a segment that the generator must compute: those that are heard, and a few silent ones.

Why the energy and not the durations decides: a sound begins up to six frames before its token, and ends up to thirty frames
before the end of the last one. The predicted energy follows the sound within three frames, in all voices.
"""

from typing import Final

import msgspec
import torch

from workers.engines.kokoro.kernels.moments import Kind, Run
from workers.engines.kokoro.model.prosody import Score

CONTEXT: Final = 4
"""Frames computed beside those that are heard. The generator reads three frames on each side; the fourth is for a crossfade."""
EDGE: Final = 4
"""Frames computed at the outer ends of a segment: the ends differ from the rest of the silence."""

_LEAST_ENERGY: Final = -5.0
"""Chosen from the edges of 45 segments of 33 voices. Where it is too high, a frame beside the extent is audible, and `Pieces`
computes it.
"""
_ABOVE_SILENCE: Final = 1.5
"""A few voices have silence of more energy than that. Their speech has this much more than their softest frame."""
HALVES: Final = 2
"""Half frames of a frame."""
_LEAST_SAVED: Final = 3
"""Fewer frames at one end are not worth an estimate. Spanish and Portuguese voices have so little silence."""


class Extent(msgspec.Struct, frozen=True):
    """The frames of a segment that are heard, [first, last), and what is before and after them."""

    n_frames: int
    """All frames of the score."""
    first: int
    last: int
    is_silent_before: bool
    """Whether the frames before `first` are silent. Otherwise they are other speech, or there are none."""
    is_silent_after: bool

    @property
    def n_silent(self) -> int:
        """Number of silent frames."""
        return self.first * self.is_silent_before + (self.n_frames - self.last) * self.is_silent_after

    @property
    def n_spoken(self) -> int:
        """Number of other frames, with those of other speech."""
        return self.n_frames - self.n_silent

    def piece(self, first: int, last: int) -> list[Run]:
        """Returns the runs of frames to compute so that [first, last) can be heard. The extent's first and last piece have the
        silence before and after it.
        """
        before = self._before() if first == self.first else [Run(first - CONTEXT, first, Kind.BESIDE)]
        after = self._after() if last == self.last else [Run(last, min(last + CONTEXT, self.n_frames), Kind.BESIDE)]
        return [*before, Run(first, last, Kind.SPOKEN), *after]

    def survey(self) -> list[Run]:
        """Returns all frames as runs. The silent ones that `piece` leaves out are BESIDE."""
        computed = self.piece(self.first, self.last)
        runs, at = [], 0
        for run in [*computed, Run(self.n_frames, self.n_frames, Kind.SPOKEN)]:
            if run.first > at:
                runs.append(Run(at, run.first, Kind.BESIDE))
            if run.n_frames:
                runs.append(run)
            at = run.last
        return runs

    def frame_survey(self) -> list[Run]:
        """Returns all frames as runs. Each spoken one is a run of its own; the silent ones are BESIDE."""
        spoken = [Run(i, i + 1, Kind.SPOKEN) for i in range(self.first, self.last)]
        return [*_run(0, self.first, Kind.BESIDE), *spoken, *_run(self.last, self.n_frames, Kind.BESIDE)]

    def _before(self) -> list[Run]:
        if not self.is_silent_before:
            return _run(max(0, self.first - CONTEXT), self.first, Kind.BESIDE)
        if self.first < EDGE + CONTEXT + _LEAST_SAVED:
            return _run(0, self.first, Kind.SILENT)
        return [Run(0, EDGE, Kind.SILENT), Run(self.first - CONTEXT, self.first, Kind.SILENT)]

    def _after(self) -> list[Run]:
        n = self.n_frames
        if not self.is_silent_after:
            return _run(self.last, min(n, self.last + CONTEXT), Kind.BESIDE)
        if n - self.last < EDGE + CONTEXT + _LEAST_SAVED:
            return _run(self.last, n, Kind.SILENT)
        return [Run(self.last, self.last + CONTEXT, Kind.SILENT), Run(n - EDGE, n, Kind.SILENT)]


def _run(first: int, last: int, kind: Kind) -> list[Run]:
    return [Run(first, last, kind)] if last > first else []


def energy_of(score: Score) -> torch.Tensor:
    """Returns the mean energy of each frame, (n_frames,)."""
    return score.energy.view(-1, HALVES).mean(1)


def whole(score: Score) -> Extent:
    """Returns an extent of all frames."""
    n = score.encoded.shape[2]
    return Extent(n, 0, n, is_silent_before=False, is_silent_after=False)


def find_extent(score: Score) -> Extent:
    """Returns the frames that may be heard."""
    n = score.encoded.shape[2]
    energy = score.energy.view(-1, HALVES).amax(1)
    loud = (energy > max(_LEAST_ENERGY, float(energy.min()) + _ABOVE_SILENCE)).nonzero()
    if not len(loud):
        return whole(score)
    first = score.n_lead or max(0, int(loud[0]) - 1)
    last = n - score.n_trail if score.n_trail else min(n, int(loud[-1]) + 2)
    return Extent(n, first, last, is_silent_before=first > score.n_lead, is_silent_after=last < n - score.n_trail)
