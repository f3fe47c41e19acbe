"""A residual block of the decoder, before the generator: a few hundred samples of a thousand channels.

Why not the package's: here its convolutions need half of the products (see `toom_cook`), its norms take a tenth of the time of
PyTorch's, and its signals are (n_samples, n_channels), like the generator's.
"""

import math
from typing import Any

import torch
from torch.nn.functional import leaky_relu, pad

from workers.engines.kokoro.kernels.adain import AdaIN
from workers.engines.kokoro.kernels.matrices import Matrices, Precision
from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.toom_cook import N_STEP, Toom


class StyledBlock:
    """Computes `kokoro.istftnet.AdainResBlk1d`."""

    def __init__(self, original: Any, precision: Precision = "float32") -> None:
        """Takes over the weights of `original`. `precision`: of the prepared weights."""
        self._norms = AdaIN(original.norm1), AdaIN(original.norm2)
        self._convs = _take_over(original.conv1, precision), _take_over(original.conv2, precision)
        # The next norm removes the bias of the first convolution.
        self._bias: torch.Tensor = original.conv2.bias.detach()
        self._shortcut = Matrices(_transposed(original.conv1x1), precision, by_columns=True) if original.learned_sc else None
        self.doubles: bool = original.upsample_type != "none"
        """Whether the output has twice as many samples as the input."""
        if self.doubles:
            self._pool = original.pool.weight.detach()[:, 0].t().contiguous(), original.pool.bias.detach()

    def __call__(self, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """`x` (n, n_in), `style` (1, style_width) → (n or 2 n, n_out)."""
        hidden = self._activate(0, x, style)
        if self.doubles:
            hidden = self._double(hidden)
        hidden = self._convolve(1, self._activate(1, self._convolve(0, hidden), style))
        beside = x if self._shortcut is None else self._shortcut.multiply(x)
        if self.doubles:
            beside = beside.repeat_interleave(2, dim=0)
        return hidden.add_(self._bias).add_(beside).mul_(0.5**0.5)

    def _activate(self, which: int, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        moments = Moments()
        moments.see(x)
        scale, shift = self._norms[which](moments, style)
        return leaky_relu(torch.addcmul(shift, x, scale), negative_slope=0.2)

    def _convolve(self, which: int, x: torch.Tensor) -> torch.Tensor:
        """(n, n_in) → (n, n_out), padded with zeros at both ends."""
        n_tiles = math.ceil(len(x) / N_STEP)
        return self._convs[which](pad(x, (0, 0, 1, n_tiles * N_STEP - len(x) + 1)), n_tiles)[: len(x)]

    def _double(self, x: torch.Tensor) -> torch.Tensor:
        """Computes a depthwise transposed convolution with a kernel of three and a stride of two."""
        (after, here, before), bias = self._pool
        even, odd = torch.addcmul(bias, x, here), torch.addcmul(bias, x, before)
        odd[:-1].addcmul_(x[1:], after)
        return torch.stack([even, odd], dim=1).flatten(0, 1)


def _transposed(conv: torch.nn.Conv1d) -> torch.Tensor:
    """Returns the weight of a convolution with a kernel of one: (1, n_in, n_out)."""
    return conv.weight.detach().permute(2, 1, 0)


def _take_over(conv: torch.nn.Conv1d, precision: Precision) -> Toom:
    """Returns `conv` as a Toom, without its bias. `conv` is unusable afterwards."""
    toom = Toom(conv.weight.detach(), precision)
    conv.weight.data = torch.empty(0)
    return toom
