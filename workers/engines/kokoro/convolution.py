"""Which convolution is computed by the plain formula and which through the frequency domain.

Why a rule and no measurement at start: the two differ in the last digits, and two workers that chose differently would give
two recordings of one text. The rule is what was fastest for Kokoro's kernels and channels. Through the frequency domain a
kernel of 11 takes a third of the products of the plain formula and two fifths of its time, a kernel of 7 half of them and two
thirds; a kernel of 3 would take as long either way.
"""

from typing import Final, Protocol

import torch

from workers.engines.kokoro.adain import Snake
from workers.engines.kokoro.fourier import FourierConvolution

TILES: Final = {7: 24, 11: 48}
"""Length of a kernel → samples of a tile."""


class Convolution(Protocol):
    """A convolution of stride 1 that keeps the length."""

    def __call__(self, source: Snake) -> torch.Tensor:
        """(n_samples, n_out) of (n_samples, n_in), without the bias."""
        ...

    def add(self, source: Snake, to: torch.Tensor) -> None:
        """Adds its output to (n_samples, n_out)."""
        ...


class DirectConvolution:
    """By the plain formula."""

    def __init__(self, weight: torch.Tensor, dilation: int) -> None:
        """`weight`: (n_out, n_in, n_kernel)."""
        self._weight = weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        self._dilation = dilation
        self._padding = dilation * (weight.shape[2] - 1) // 2

    def __call__(self, source: Snake) -> torch.Tensor:
        """See Convolution."""
        # PyTorch knows channels behind samples of pictures alone: this is one of a single line.
        line = source.whole().t()[None, :, None]
        out = torch.conv2d(line, self._weight, padding=(0, self._padding), dilation=(1, self._dilation))
        return out[0, :, 0].t()

    def add(self, source: Snake, to: torch.Tensor) -> None:
        """See Convolution."""
        to.add_(self(source))


def make_convolution(original: torch.nn.Conv1d) -> Convolution:
    """One that computes what `original` does, its bias left out. The weight of `original` is gone afterwards."""
    weight, dilation = original.weight.detach(), original.dilation[0]
    n_tile = TILES.get(weight.shape[2])
    made = DirectConvolution(weight, dilation) if n_tile is None else FourierConvolution(weight, dilation, n_tile)
    # Each keeps it in a form of its own: twice would be a hundred megabytes.
    original.weight.data = torch.empty(0)
    return made
