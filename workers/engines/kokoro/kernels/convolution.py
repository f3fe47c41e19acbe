"""Chooses the algorithm of a convolution.

Why a rule and no measurement at start: the algorithms differ in the last digits, so two workers with different choices would
return different samples for one text. The rule was the fastest for Kokoro's kernels and channels. Toom-Cook needs half of the
plain formula's products for a kernel of 3; the frequency domain needs a quarter for a kernel of 7 and a sixth for a kernel of
11. Longer tiles need even fewer products, but longer transforms: with 40 and 64 samples instead of 32 and 48, a segment takes
the same time.
"""

from typing import Final, Protocol

import torch

from workers.engines.kokoro.kernels.adain import Snake
from workers.engines.kokoro.kernels.fourier import FourierConvolution
from workers.engines.kokoro.kernels.matrices import Precision
from workers.engines.kokoro.kernels.toom_cook import ToomConvolution
from workers.engines.kokoro.kernels.workspace import Output, Workspace

LONGEST_OF_TOOM: Final = 3
"""Longest kernel for Toom-Cook; longer ones use the frequency domain."""


class Convolution(Protocol):
    """A convolution of stride 1 that keeps the length, without a bias."""

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """Convolves `source` (n_samples, n_in) and writes (n_samples, n_out) to `output`."""
        ...


def make_convolution(weight: torch.Tensor, dilation: int, precision: Precision = "float32") -> Convolution:
    """Returns the convolution that the rule chooses; `weight`: (n_channels, n_channels, n_kernel). `precision`: of the prepared
    weight.
    """
    n_kernel = weight.shape[2]
    if n_kernel <= LONGEST_OF_TOOM:
        return ToomConvolution(weight, dilation, precision)
    return FourierConvolution(weight, dilation, n_tile=4 * (n_kernel + 1), precision=precision)
