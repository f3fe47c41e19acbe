"""Which convolution is computed in which way.

Why a rule and no measurement at start: the ways differ in the last digits, and two workers that chose differently would give
two recordings of one text. The rule is what was fastest for Kokoro's kernels and channels. By Toom and Cook a kernel of three
takes half of the products of the plain formula; through the frequency domain a kernel of 7 takes a quarter of them and a kernel
of 11 a sixth. Longer tiles take fewer still, and a longer way there and back: with 40 and 64 samples instead of 32 and 48 a
segment takes as long.
"""

from typing import Final, Protocol

import torch

from workers.engines.kokoro.kernels.adain import Snake
from workers.engines.kokoro.kernels.fourier import FourierConvolution
from workers.engines.kokoro.kernels.toom_cook import ToomConvolution
from workers.engines.kokoro.kernels.workspace import Output, Workspace

LONGEST_OF_TOOM: Final = 3
"""Of a kernel; what is longer goes through the frequency domain."""


class Convolution(Protocol):
    """A convolution of stride 1 that keeps the length, without a bias."""

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """Writes (n_samples, n_out) of (n_samples, n_in)."""
        ...


def make_convolution(weight: torch.Tensor, dilation: int) -> Convolution:
    """By the rule; `weight`: (n_channels, n_channels, n_kernel)."""
    n_kernel = weight.shape[2]
    if n_kernel <= LONGEST_OF_TOOM:
        return ToomConvolution(weight, dilation)
    return FourierConvolution(weight, dilation, n_tile=4 * (n_kernel + 1))
