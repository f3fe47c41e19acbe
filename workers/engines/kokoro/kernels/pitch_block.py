"""A residual block of the pitch curve: the package's, to the last bit, with fewer operations around its convolutions.

Why not `StyledBlock`: it rounds differently, and pitch needs every bit (see `workers.engines.kokoro.model.prosody`). The
convolutions are PyTorch's. The norm is called without the copies that `InstanceNorm1d` makes, and the depthwise transposed
convolution is a few products, which take a tenth of oneDNN's time.
"""

from typing import Any

import torch
from torch.nn.functional import conv1d, leaky_relu_, pad


class PitchBlock:
    """Computes `kokoro.istftnet.AdainResBlk1d`."""

    def __init__(self, original: Any) -> None:
        """Uses the weights of `original`."""
        self._norms = original.norm1, original.norm2
        self._convs = original.conv1, original.conv2
        self._slope: float = original.actv.negative_slope
        self._shortcut = original.conv1x1.weight.detach() if original.learned_sc else None
        self._pool = None
        if original.upsample_type != "none":
            after, here, before = original.pool.weight.detach()[:, 0].t().unsqueeze(2).contiguous()
            self._pool = after, here, before, original.pool.bias.detach().unsqueeze(1)

    def __call__(self, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """`x` (1, n_in, n), `style` (1, style_width) → (1, n_out, n or 2 n)."""
        first = self._activate(0, x, style)
        if self._pool is not None:
            first = _double(first[0], *self._pool).unsqueeze(0)
        hidden: torch.Tensor = self._convs[1](self._activate(1, self._convs[0](first), style))
        beside = x if self._shortcut is None else conv1d(x, self._shortcut)
        if self._pool is not None:
            beside = beside.repeat_interleave(2, dim=2)
        return hidden.add_(beside).mul_(torch.rsqrt(torch.tensor(2)))

    def _activate(self, which: int, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        adain = self._norms[which]
        gamma, beta = adain.fc(style).unsqueeze(2).chunk(2, dim=1)
        norm = adain.norm
        # PyTorch measures a signal in another order of memory with other bits.
        normed, _, _ = torch.native_batch_norm(
            x.contiguous(), norm.weight, norm.bias, None, None, training=True, momentum=0.0, eps=norm.eps
        )
        return leaky_relu_(normed.mul_(1 + gamma).add_(beta), self._slope)


def _double(x: torch.Tensor, after: torch.Tensor, here: torch.Tensor, before: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Computes a depthwise transposed convolution with a kernel of three and a stride of two: (n_in, n) → (n_in, 2 n).

    `addcmul` rounds once, like oneDNN.
    """
    even = torch.mul(x, here)
    odd = torch.addcmul(pad(x[:, 1:], (0, 1)).mul_(after), x, before)
    return torch.stack([even, odd], dim=2).flatten(1).add_(bias)
