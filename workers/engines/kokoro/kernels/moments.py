"""Mean and variance of each channel of a signal, for AdaIN, measured piece by piece while the signal is written.

Why kinds of frames: a segment's silent edges are not heard, so few of their frames are computed. The norms must nevertheless
measure what they would measure in the whole segment, so silent and spoken frames are measured apart.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

import torch
from typing_extensions import override


class Moment(NamedTuple):
    """The moments of some frames."""

    n: float
    """Number of frames, or their weight."""
    mean: torch.Tensor
    """(n_channels,)"""
    variance: torch.Tensor
    """(n_channels,)"""

    def counted_as(self, n: float) -> "Moment":
        """Returns the same moments for `n` frames."""
        return self._replace(n=n)


def merge(moments: Sequence[Moment]) -> Moment:
    """Returns the moments of all frames together. At least one must be given."""
    if len(moments) == 1:
        return moments[0]
    n = sum(one.n for one in moments)
    shares = torch.tensor([one.n / n for one in moments])
    means = torch.stack([one.mean for one in moments])
    mean = shares @ means
    apart = means - mean
    within_and_between = torch.stack([one.variance for one in moments]).addcmul_(apart, apart)
    return Moment(n, mean, shares @ within_and_between)


class Moments:
    """The moments of a signal.

    A piece is measured with the operation of batch norm. It reads the piece twice and writes nothing, and is twice as fast as a
    mean, a difference, a square and a sum.
    """

    def __init__(self) -> None:
        self._seen: list[Moment] = []

    def see(self, piece: torch.Tensor) -> None:
        """Adds the next `piece`: (n_samples, n_channels), at least one sample."""
        self._seen.append(_moment(piece))

    def result(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns mean and variance, (n_channels,) each. Call it when the whole signal was seen."""
        _, mean, variance = merge(self._seen)
        return mean, variance


def _moment(piece: torch.Tensor) -> Moment:
    return Moment(len(piece), *torch.batch_norm_update_stats(piece, None, None, 0.0))


class Kind(Enum):
    """What the frames of a run are."""

    SPOKEN = "spoken"
    SILENT = "silent"
    BESIDE = "beside"
    """Computed only because their neighbours need them."""


class Run(NamedTuple):
    """Frames that follow each other in a segment."""

    first: int
    last: int
    """Exclusive end index."""
    kind: Kind

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self.last - self.first


Measured = Sequence[tuple[Run, Moment]]
"""Runs with their moments."""
ByKind = Mapping[Kind, Moment]


def by_kind(measured: Measured) -> ByKind:
    """Returns the moments of all runs of each kind."""
    return {
        kind: merge([moment for run, moment in measured if run.kind is kind])
        for kind in dict.fromkeys(run.kind for run, _ in measured)
    }


class MomentsByRun(Moments):
    """The moments of a signal that consists of runs, each run apart. The caller combines them."""

    def __init__(
        self,
        runs: Sequence[Run],
        n_samples: int,
        combine: Callable[[Measured], Moment],
        *,
        leaves_out: Collection[Kind] = (Kind.BESIDE,),
    ) -> None:
        """`n_samples`: the length of the signal. One that is longer than its frames has its surplus at the end. `leaves_out`:
        the kinds that are not measured.
        """
        super().__init__()
        self._n_of_frame = n_samples // sum(run.n_frames for run in runs)
        self._left = [(run, run.n_frames * self._n_of_frame) for run in reversed(runs)]
        self._parts: dict[Run, list[Moment]] = {}
        self._combine, self._leaves_out = combine, leaves_out
        self._result: Moment | None = None

    @override
    def see(self, piece: torch.Tensor) -> None:
        for run, part in self._divide(piece):
            self._parts.setdefault(run, []).append(_moment(part))

    @override
    def result(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self._result is None:
            self._result = self._combine([(run, self._in_frames(merge(parts))) for run, parts in self._parts.items()])
        return self._result.mean, self._result.variance

    def _in_frames(self, moment: Moment) -> Moment:
        return moment.counted_as(moment.n / self._n_of_frame)

    def _divide(self, piece: torch.Tensor) -> Iterator[tuple[Run, torch.Tensor]]:
        while len(piece) and self._left:
            run, n_left = self._left.pop()
            part, piece = piece[:n_left], piece[n_left:]
            if len(part) < n_left:
                self._left.append((run, n_left - len(part)))
            if run.kind not in self._leaves_out:
                yield run, part


class Norms(Protocol):
    """Makes the moments for the norms of one computation."""

    def moments(self, norm: object, n_samples: int) -> Moments:
        """Returns the moments for a signal of `n_samples`, whose first reader is `norm`."""
        ...


class WholeNorms:
    """Each norm measures its signal."""

    def moments(self, norm: object, n_samples: int) -> Moments:
        """Returns empty moments."""
        return Moments()


WHOLE = WholeNorms()
