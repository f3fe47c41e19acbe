"""Signals gone through piece by piece, in memory that is written to again and again.

Why pieces: a signal is some tens of megabytes and is read and written by several operations, one after the other; what one has
just written is still in the processor's cache when the next one reads it, if both stay within a piece. Why no smaller ones,
which the inner cache would hold: each operation takes some microseconds to be called.

Why memory is kept, that of whole signals too: the first write to each page of fresh memory is a fault, which costs more than
the write. From twenty seconds of audio on, signals that were new for each segment took a tenth of its time.

Why signals are (n_samples, n_channels) here, and not as the package has them: every step is then on whole rows of memory, a
dilation included.
"""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch

PIECE_NUMBERS: Final = 1 << 18
"""Of all channels of a piece together: 1 MiB. A quarter of it takes a fifth longer."""


def rows_of_piece(n_channels: int) -> int:
    """How many samples of so many channels are a piece."""
    return max(1, PIECE_NUMBERS // n_channels)


def pieces_of(signal: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Of (n_samples, n_channels), views."""
    return torch.split(signal, rows_of_piece(signal.shape[1]))


class Workspace:
    """Memory by name; each name is for one thread at a time."""

    def __init__(self) -> None:
        self._rooms: dict[str, torch.Tensor] = {}

    def take(self, name: str, *shape: int) -> torch.Tensor:
        """Room of that shape, with anything in it; what was taken by that name before is lost."""
        n_numbers = math.prod(shape)
        if name not in self._rooms or len(self._rooms[name]) < n_numbers:
            # What was there is let go of first, so that both are never there at once.
            self._rooms.pop(name, None)
            self._rooms[name] = torch.empty(n_numbers)
        return self._rooms[name][:n_numbers].view(shape)


class Output:
    """Where a convolution writes, piece by piece: a signal by itself, or added to another; its moments are taken on the way."""

    def __init__(self, out: torch.Tensor, *, base: torch.Tensor | None = None, seen: "Moments | None" = None) -> None:
        """All of it in `out` (n_samples, n_channels), added to `base`, which may be `out`; `seen` sees it."""
        self._out, self._base, self._seen = out, base, seen

    def begin(self, start: int, n_samples: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The place of these samples, or of as many as there are, and what they are added to, which may be there already."""
        until = start + n_samples
        return self._out[start:until], None if self._base is None else self._base[start:until]

    def end(self, place: torch.Tensor) -> None:
        """It has been written."""
        if self._seen is not None:
            self._seen.see(place)

    def write(self, start: int, samples: torch.Tensor) -> None:
        """All at once: (n_samples, n_channels) from `start` on; what is behind the end is left out."""
        place, base = self.begin(start, len(samples))
        samples = samples[: len(place)]
        if base is None:
            place.copy_(samples)
        else:
            torch.add(base, samples, out=place)
        self.end(place)


class Workspaces:
    """As many as are in use at a time."""

    def __init__(self) -> None:
        self._free: deque[Workspace] = deque()

    @contextmanager
    def lend(self) -> Iterator[Workspace]:
        """One that nobody else has."""
        try:
            workspace = self._free.pop()
        except IndexError:
            workspace = Workspace()
        try:
            yield workspace
        finally:
            self._free.append(workspace)


class Moments:
    """The mean and the variance of each channel of a signal that is seen piece by piece.

    Those of a piece are taken by the operation that batch norm has for them, which goes through it twice and writes nothing:
    twice as fast as a mean, a difference, a square and a sum.
    """

    def __init__(self) -> None:
        self._counts: list[int] = []
        self._means: list[torch.Tensor] = []
        self._variances: list[torch.Tensor] = []

    def see(self, piece: torch.Tensor) -> None:
        """`piece`: (n_samples, n_channels), at least one sample."""
        mean, variance = torch.batch_norm_update_stats(piece, None, None, 0.0)
        self._counts.append(len(piece))
        self._means.append(mean)
        self._variances.append(variance)

    def result(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance, (n_channels,) each."""
        if len(self._counts) == 1:
            return self._means[0], self._variances[0]
        n_samples = sum(self._counts)
        shares = torch.tensor([count / n_samples for count in self._counts])
        means = torch.stack(self._means)
        mean = shares @ means
        apart = means - mean
        within_and_between = torch.stack(self._variances).addcmul_(apart, apart)
        return mean, shares @ within_and_between
