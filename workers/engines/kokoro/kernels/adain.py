"""AdaIN and Snake in one: a signal normalised, styled and bent, piece by piece.

Why: as PyTorch's modules they are slow. `InstanceNorm1d` goes through its input with Welford's recurrence, some nanoseconds a
sample, and what follows writes four more tensors of megabytes. Here the mean and the variance come from whoever wrote the
signal, and the rest is done to a piece when the convolution behind it asks for that, and is never written to memory.

Why no sine of the library's: it takes 2 ns a number, as long as ten other operations. With u = alpha x / pi, Snake is
(u + sin²(pi u) / pi) pi / alpha, and sin² repeats itself with each whole number: r, what is left of u beside the nearest one,
is at most a half. sin(pi r) / r is even in r, and three squares, each one operation, come within a millionth of it. For sin²
itself a polynomial would take one operation less; but where alpha is small, u is, and its error would be larger than u. AdaIN
gives u; the unit of what Snake gives, pi / alpha, is in the weights of the convolution behind it.
"""

from typing import Any, Final

import torch

from workers.engines.kokoro.kernels.workspace import Moments, Workspace

EPSILON: Final = 1e-5
"""Of `InstanceNorm1d`."""

_SINE: Final = tuple(torch.tensor(number) for number in (-1.68628409, 5.71117853, -38.1045747))
_FACTOR: Final = 0.0025530457
"""sin²(pi r) / pi = _FACTOR r² (c + (b + (a + r²)²)²)², for r of at most a half: a fit, right to two millionths."""


class AdaIN:
    """What `kokoro.istftnet.AdaIN1d` multiplies a signal with and adds to it. What the style does to that is one product."""

    def __init__(self, original: Any, unit: torch.Tensor | float = 1.0) -> None:
        """Takes over the weights of `original`, which are gone afterwards. `unit`: (n_channels,), of what comes out."""
        fc, norm = original.fc, original.norm
        (gamma, beta), (gamma_bias, beta_bias) = fc.weight.detach().chunk(2), fc.bias.detach().chunk(2)
        gain, bias = norm.weight.detach() / unit, norm.bias.detach() / unit
        self._weight = torch.cat([gamma.t() * gain, gamma.t() * bias + beta.t() / unit], dim=1)
        self._bias = torch.cat([(1 + gamma_bias) * gain, (1 + gamma_bias) * bias + beta_bias / unit])
        fc.weight.data = torch.empty(0)

    def __call__(self, moments: Moments, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n_channels,) each, for a signal of those moments; `style` (1, style_width)."""
        mean, variance = moments.result()
        gain, bias = torch.addmm(self._bias, style, self._weight).view(2, -1)
        scale = gain * torch.rsqrt(variance + EPSILON)
        return scale, torch.addcmul(bias, scale, mean, value=-1)


class Snake:
    """x + sin²(alpha x) / alpha of what AdaIN makes of a signal, in units of pi / alpha."""

    def __init__(self, signal: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> None:
        """`signal`: (n_samples, n_channels); `scale` and `shift`: AdaIN's, in that unit, (n_channels,)."""
        self._signal, self._scale, self._shift = signal, scale, shift

    @property
    def n_samples(self) -> int:
        """Of each channel."""
        return self._signal.shape[0]

    def piece(self, start: int, n_samples: int, workspace: Workspace) -> torch.Tensor:
        """(n_samples, n_channels) from `start` on, which is not behind the last; beside the signal there are zeros."""
        out = workspace.take("piece", n_samples, self._signal.shape[1])
        begin, until = max(start, 0), min(start + n_samples, self.n_samples)
        if begin > start:
            out[: begin - start] = 0
        if until < start + n_samples:
            out[until - start :] = 0
        inside = out[begin - start : until - start]
        torch.addcmul(self._shift, self._signal[begin:until], self._scale, out=inside)
        turns, sines = workspace.take("turns", 2, *inside.shape)
        torch.sub(inside, torch.round(inside, out=turns), out=turns)
        torch.addcmul(_SINE[0], turns, turns, out=sines)
        for constant in _SINE[1:]:
            torch.addcmul(constant, sines, sines, out=sines)
        sines.mul_(turns)
        inside.addcmul_(sines, sines, value=_FACTOR)
        return out
