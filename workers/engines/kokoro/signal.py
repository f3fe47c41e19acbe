"""Channels over time, as the generator's blocks hand them on: natural order, or the phases of a dilation one after the other.

Why phases: a dilated convolution is a plain one on every d-th sample, and whatever comes behind it (a mean, a variance, a sine)
does not care for order. So its output stays in phases, and is put in order only as the next convolution reads it.
"""

from collections.abc import Iterator
from typing import Final

import torch

SLACK: Final = 64
"""Samples behind each row that may be written: a convolution in tiles writes its last tile whole."""


class Signal:
    """(n_channels, n_samples), float32. Sample t of a channel is `phases[channel, t % d, t // d]`."""

    def __init__(self, phases: torch.Tensor, n_samples: int) -> None:
        """`phases`: (n_channels, d, at least ceil(n_samples / d)), with samples that are none behind each phase."""
        self.phases = phases
        self.n_samples = n_samples

    @classmethod
    def empty(cls, n_channels: int, n_samples: int, n_phases: int = 1) -> "Signal":
        """Room for so much."""
        length = -(-n_samples // n_phases) + SLACK
        return cls(torch.empty(n_channels, n_phases, length), n_samples)

    @classmethod
    def copy(cls, natural: torch.Tensor) -> "Signal":
        """A copy of (n_channels, n_samples) with room behind each row."""
        signal = cls.empty(*natural.shape)
        signal.natural.copy_(natural)
        return signal

    @property
    def n_channels(self) -> int:
        """How many rows."""
        return self.phases.shape[0]

    @property
    def n_phases(self) -> int:
        """1 in natural order."""
        return self.phases.shape[1]

    @property
    def natural(self) -> torch.Tensor:
        """(n_channels, n_samples): a view. Only of a signal in natural order."""
        assert self.n_phases == 1
        return self.phases[:, 0, : self.n_samples]

    def rows(self, first: int, last: int) -> Iterator[torch.Tensor]:
        """The samples of the channels from `first` to before `last`, phase by phase: views (n_channels, n_of_the_phase)."""
        for phase in range(self.n_phases):
            yield self.phases[first:last, phase, : self.length(phase)]

    def length(self, phase: int, n_phases: int | None = None) -> int:
        """How many samples are in a phase of `n_phases`; of its own where None."""
        return -(-(self.n_samples - phase) // (n_phases or self.n_phases))
