"""Which convolution is computed by the plain formula and which through the frequency domain.

Why a rule and no measurement at start: the two differ in the last digits, and two workers that chose differently would give
two recordings of one text. The rule is what was fastest for Kokoro's kernels and channels. Through the frequency domain a
kernel of 11 takes a third of the products of the plain formula and a kernel of 7 half of them; a kernel of 3 takes three
fifths, which is worth the way there and back if there are many channels.
"""

from typing import Final, Protocol

import torch

from workers.engines.kokoro.adain import Snake
from workers.engines.kokoro.fourier import FourierConvolution
from workers.engines.kokoro.pieces import Output, Workspace, rows_of_piece

TILES: Final = {3: 24, 7: 32, 11: 48}
"""Length of a kernel → samples of a tile."""
CHANNELS: Final = {3: 256}
"""Length of a kernel → channels from which on."""


class Convolution(Protocol):
    """A convolution of stride 1 that keeps the length, without a bias."""

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """Writes (n_samples, n_out) of (n_samples, n_in)."""
        ...


class DirectConvolution:
    """By the plain formula: a matrix product for each weight of the kernel, on rows that are moved."""

    def __init__(self, weight: torch.Tensor, dilation: int) -> None:
        """`weight`: (n_out, n_in, n_kernel)."""
        self._weights = list(weight.permute(2, 1, 0).contiguous())
        self._dilation = dilation

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """See Convolution."""
        reach = self._dilation * (len(self._weights) - 1)
        n_rows = rows_of_piece(self._weights[0].shape[0])
        for start in range(0, source.n_samples, n_rows):
            place = output.begin(start, n_rows)
            piece = source.piece(start - reach // 2, len(place) + reach, workspace)
            for i, weight in enumerate(self._weights):
                moved = piece[i * self._dilation :][: len(place)]
                place.addmm_(moved, weight, beta=1 if output.is_sum or i else 0)
            output.end(place)


def make_convolution(weight: torch.Tensor, dilation: int) -> Convolution:
    """By the rule; `weight`: (n_out, n_in, n_kernel)."""
    n_channels, n_kernel = weight.shape[1:]
    if n_kernel in TILES and n_channels >= CHANNELS.get(n_kernel, 0):
        return FourierConvolution(weight, dilation, TILES[n_kernel])
    return DirectConvolution(weight, dilation)
