"""AdaIN and Snake in one step: normalises, styles and activates a signal, piece by piece.

Why not PyTorch's modules: they are slow. `InstanceNorm1d` uses Welford's recurrence, some nanoseconds a sample, and the next
operations write four more tensors of megabytes. Here the code that writes the signal also computes mean and variance. The rest
is computed for a piece when the next convolution reads it, and is never written to memory.

Why not the library's sine: it takes 2 ns a number, as long as ten other operations. With u = alpha x / pi, Snake is
(u + sin²(pi u) / pi) pi / alpha. sin² has period 1 in u, so it needs only r, the difference of u to the nearest whole number,
which is at most 0.5. sin(pi r) / r is even in r, and three squares, one operation each, approximate it to a millionth. A
polynomial for sin² itself would take one operation less, but for a small alpha u is small, and the error would be larger than
u. AdaIN computes u. The unit of Snake's output, pi / alpha, is folded into the weights of the next convolution.
"""

from typing import Any, Final

import torch

from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.workspace import Workspace

EPSILON: Final = 1e-5
"""Epsilon of `InstanceNorm1d`."""

_SINE: Final = tuple(torch.tensor(number) for number in (-1.68628409, 5.71117853, -38.1045747))
_FACTOR: Final = 0.0025530457
"""sin²(pi r) / pi = _FACTOR r² (c + (b + (a + r²)²)²)² for |r| <= 0.5: a fit with an error of two millionths."""


class AdaIN:
    """Computes the scale and shift that `kokoro.istftnet.AdaIN1d` applies to a signal, with one product of the style."""

    def __init__(self, original: Any, unit: torch.Tensor | float = 1.0) -> None:
        """Takes over the weights of `original`, which is unusable afterwards. `unit`: (n_channels,), the unit of the output."""
        fc, norm = original.fc, original.norm
        (gamma, beta), (gamma_bias, beta_bias) = fc.weight.detach().chunk(2), fc.bias.detach().chunk(2)
        gain, bias = norm.weight.detach() / unit, norm.bias.detach() / unit
        self._weight = torch.cat([gamma.t() * gain, gamma.t() * bias + beta.t() / unit], dim=1)
        self._bias = torch.cat([(1 + gamma_bias) * gain, (1 + gamma_bias) * bias + beta_bias / unit])
        self.n_channels: int = norm.num_features
        fc.weight.data = torch.empty(0)

    def __call__(self, moments: Moments, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns scale and shift, (n_channels,) each, for a signal with `moments`; `style` is (1, style_width)."""
        mean, variance = moments.result()
        gain, bias = torch.addmm(self._bias, style, self._weight).view(2, -1)
        scale = gain * torch.rsqrt(variance + EPSILON)
        return scale, torch.addcmul(bias, scale, mean, value=-1)


class Snake:
    """Computes x + sin²(alpha x) / alpha in units of pi / alpha, where x is AdaIN's output for a signal."""

    def __init__(self, signal: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> None:
        """`signal`: (n_samples, n_channels), float32 or float16. `scale`, `shift`: AdaIN's, in the same unit, (n_channels,)."""
        self._signal, self._scale, self._shift = signal, scale, shift

    @property
    def n_samples(self) -> int:
        """Number of samples in each channel."""
        return self._signal.shape[0]

    def piece(self, start: int, n_samples: int, workspace: Workspace) -> torch.Tensor:
        """Returns (n_samples, n_channels) from `start` on, float32, with zeros outside the signal. `start` must not be after
        the signal's end.
        """
        out = workspace.take("piece", n_samples, self._signal.shape[1])
        begin, until = max(start, 0), min(start + n_samples, self.n_samples)
        if begin > start:
            out[: begin - start] = 0
        if until < start + n_samples:
            out[until - start :] = 0
        inside = out[begin - start : until - start]
        signal = self._signal[begin:until]
        if signal.dtype != inside.dtype:
            signal = inside.copy_(signal)
        torch.addcmul(self._shift, signal, self._scale, out=inside)
        turns, sines = workspace.take("turns", 2, *inside.shape)
        torch.sub(inside, torch.round(inside, out=turns), out=turns)
        torch.addcmul(_SINE[0], turns, turns, out=sines)
        for constant in _SINE[1:]:
            torch.addcmul(constant, sines, sines, out=sines)
        sines.mul_(turns)
        inside.addcmul_(sines, sines, value=_FACTOR)
        return out
