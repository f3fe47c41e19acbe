"""AdaIN and Snake in one: a signal normalised, styled and bent, piece by piece.

Why: as PyTorch's modules they are slow. `InstanceNorm1d` goes through its input with Welford's recurrence, some nanoseconds a
sample, and what follows writes four more tensors of megabytes. Here the mean and the variance come from whoever wrote the
signal, and the rest is done to a piece when the convolution behind it asks for that, and is never written to memory.

Why no sine of the library's: it takes 2 ns a number, as long as ten other operations. With u = alpha x / pi, Snake is
(u + sin²(pi u) / pi) pi / alpha, and sin² repeats itself with each whole number: what remains is a sine of half a turn, of
which four coefficients leave an error of a millionth. AdaIN's scale is in that of u, and pi / alpha in the weights of the
convolution behind it.
"""

from typing import Any, Final

import numpy as np
import torch
from numpy.polynomial import Chebyshev, Polynomial

from workers.engines.kokoro.pieces import Moments, Workspace

EPSILON: Final = 1e-5
"""Of `InstanceNorm1d`."""

_SINE: Final = [
    torch.tensor(coefficient, dtype=torch.float32)
    for coefficient in Chebyshev.interpolate(lambda square: np.pi * np.sinc(square**0.5), 3, domain=[0, 0.25])
    .convert(kind=Polynomial)
    .coef[::-1]
]
"""sin(pi r) / r as a polynomial in r², for r of at most a half; the highest power first."""


class AdaIN:
    """The weights of `kokoro.istftnet.AdaIN1d`."""

    def __init__(self, original: Any) -> None:
        """Takes over those of `original`."""
        self._fc = original.fc
        self._weight: torch.Tensor = original.norm.weight.detach()
        self._bias: torch.Tensor = original.norm.bias.detach()

    def __call__(self, moments: Moments, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What a signal of those moments is multiplied with and what is added, (n_channels,) each; `style` (1, style_width)."""
        mean, variance = moments.result()
        gamma, beta = self._fc(style).view(2, -1)
        gain = 1 + gamma
        scale = gain * self._weight / torch.sqrt(variance + EPSILON)
        return scale, gain * self._bias + beta - scale * mean


class Snake:
    """x + sin²(alpha x) / alpha of what AdaIN makes of a signal, divided by pi / alpha."""

    def __init__(self, signal: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, divisor: torch.Tensor) -> None:
        """`signal`: (n_samples, n_channels); `scale` and `shift`, AdaIN's, and `divisor`, pi / alpha: (n_channels,)."""
        self._signal = signal
        self._scale, self._shift = scale / divisor, shift / divisor

    @property
    def n_samples(self) -> int:
        """Of each channel."""
        return self._signal.shape[0]

    def piece(self, start: int, n_samples: int, workspace: Workspace) -> torch.Tensor:
        """(n_samples, n_channels) from `start` on, which is not behind the last; beside the signal there are zeros."""
        out = workspace.take("piece", n_samples, self._signal.shape[1])
        begin, until = max(start, 0), min(start + n_samples, self.n_samples)
        out[: begin - start] = 0
        out[until - start :] = 0
        inside = out[begin - start : until - start]
        torch.addcmul(self._shift, self._signal[begin:until], self._scale, out=inside)
        turns, squares, sines = workspace.take("turns", 3, *inside.shape)
        torch.sub(inside, torch.round(inside, out=turns), out=turns)
        torch.mul(turns, turns, out=squares)
        torch.add(_SINE[1], squares, alpha=_SINE[0].item(), out=sines)
        for coefficient in _SINE[2:]:
            torch.addcmul(coefficient, sines, squares, out=sines)
        sines.mul_(turns)
        inside.addcmul_(sines, sines, value=1 / np.pi)
        return out
