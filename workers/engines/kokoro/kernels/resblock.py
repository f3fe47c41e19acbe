"""A residual block of the generator: three times x + conv2(snake(adain(conv1(snake(adain(x)))))).

Why the caller adds the biases: the next norm removes a constant that is added to a channel. So the first convolution's bias has
no effect, and the second's affects only the output.
"""

from typing import Any

import torch

from workers.engines.kokoro.kernels.adain import AdaIN, Snake
from workers.engines.kokoro.kernels.convolution import make_convolution
from workers.engines.kokoro.kernels.matrices import Precision
from workers.engines.kokoro.kernels.moments import WHOLE, Moments, Norms
from workers.engines.kokoro.kernels.workspace import Output, Workspace


class ResBlock:
    """Computes `kokoro.istftnet.AdaINResBlock1`, except for a constant in each channel."""

    def __init__(self, original: Any, precision: Precision = "float32") -> None:
        """Takes over the weights of `original`, which is unusable afterwards. `precision`: of the prepared weights."""
        of_first, of_second = (
            (original.adain1, original.alpha1, original.convs1),
            (original.adain2, original.alpha2, original.convs2),
        )
        first, second = ([_Half(*one, precision) for one in zip(*parts, strict=True)] for parts in (of_first, of_second))
        self._halves = list(zip(first, second, strict=True))
        self.bias = torch.stack([half.bias for half in second]).sum(0)
        """(n_channels,): the constant that the caller must add."""
        self.norms = [half.norm for pair in self._halves for half in pair]
        """Its norms in the order in which they are used: the first reads the block's input."""

    def __call__(
        self,
        x: torch.Tensor,
        moments: Moments,
        style: torch.Tensor,
        out: torch.Tensor,
        workspace: Workspace,
        norms: Norms = WHOLE,
    ) -> torch.Tensor:
        """Writes the result to `out` and returns it.

        `x`, `out`: (n_samples, n_channels), perhaps the same memory. `moments`: the moments of `x`. `style`: (1, style_width).
        `norms` makes the moments of all later signals.
        """
        hidden = workspace.take("hidden", *x.shape, dtype=x.dtype)
        base, seen = x, moments
        followers = [*self._halves[1:], None]
        for (first, second), following in zip(self._halves, followers, strict=True):
            inner = norms.moments(second.norm, len(x))
            outer = None if following is None else norms.moments(following[0].norm, len(x))
            first.convolution(first.activation(base, seen, style), Output(hidden, seen=inner), workspace)
            second.convolution(second.activation(hidden, inner, style), Output(out, base=base, seen=outer), workspace)
            base, seen = out, outer or seen
        return out


class _Half:
    """A norm, a Snake and the convolution that follows."""

    def __init__(self, adain: Any, alpha: torch.Tensor, conv: torch.nn.Conv1d, precision: Precision) -> None:
        unit = torch.pi / alpha.detach().flatten()
        self.norm = AdaIN(adain, unit)
        weight = conv.weight.detach() * unit[:, None]
        self.convolution = make_convolution(weight, conv.dilation[0], precision)
        assert conv.bias is not None
        self.bias = conv.bias.detach()
        # Each convolution keeps its weights in its own form. The originals would take another hundred megabytes.
        conv.weight.data = torch.empty(0)

    def activation(self, signal: torch.Tensor, moments: Moments, style: torch.Tensor) -> Snake:
        return Snake(signal, *self.norm(moments, style))
