"""A residual block of the generator: three times x + conv2(snake(adain(conv1(snake(adain(x)))))).

Why biases wait until the end: a constant that is added to a channel does not survive the norm behind it. So the first
convolution's bias changes nothing, and that of the second matters in the sum alone.
"""

from typing import Any

import torch

from workers.engines.kokoro.adain import AdaIN, Snake
from workers.engines.kokoro.convolution import make_convolution


class ResBlock:
    """What `kokoro.istftnet.AdaINResBlock1` computes."""

    def __init__(self, original: Any) -> None:
        """Takes over its weights."""
        self._first = [_Half(*parts) for parts in zip(original.adain1, original.alpha1, original.convs1, strict=True)]
        self._second = [_Half(*parts) for parts in zip(original.adain2, original.alpha2, original.convs2, strict=True)]
        self._bias = sum(conv.bias.detach() for conv in original.convs2)

    def __call__(self, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """`x` (n_samples, n_channels), which is left as it is, `style` (1, style_width) → the same shape."""
        out = x.clone()
        for first, second in zip(self._first, self._second, strict=True):
            hidden = first.convolution(first.activation(out, style))
            second.convolution.add(second.activation(hidden, style), out)
        return out.add_(self._bias)


class _Half:
    """A norm, its sine and the convolution behind them."""

    def __init__(self, adain: Any, alpha: torch.Tensor, conv: torch.nn.Conv1d) -> None:
        self._adain = AdaIN(adain)
        self._alpha = alpha.detach().flatten()
        self.convolution = make_convolution(conv)

    def activation(self, signal: torch.Tensor, style: torch.Tensor) -> Snake:
        return Snake(signal, *self._adain.linear(signal, style), self._alpha)
