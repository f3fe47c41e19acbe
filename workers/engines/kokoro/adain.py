"""AdaIN and Snake in one: a signal normalised, styled and bent, in pieces that stay in the processor's cache.

Why: as PyTorch's modules they are slow. `InstanceNorm1d` goes through its input with Welford's recurrence, some nanoseconds a
sample, and what follows writes four more tensors of megabytes. Here the mean and the variance are two sums, and the rest is a
few passes over a piece of some hundred kilobytes, asked for by the convolution that needs it, so that nothing of it is ever
written to memory. sin² is (1 - cos 2x) / 2, which saves a multiplication a sample.

Why signals are (n_samples, n_channels) here, and not as the package has them: every step is then on whole rows of memory, a
dilation included.
"""

from typing import Any, Final

import torch

EPSILON: Final = 1e-5
"""Of `InstanceNorm1d`."""
PIECE_NUMBERS: Final = 1 << 16
"""Of all channels of a piece together: 256 KiB."""


def moments(signal: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and the variance of every channel of (n_samples, n_channels): (n_channels,) each."""
    n_samples, n_channels = signal.shape
    mean, variance = signal.mean(0), torch.zeros(n_channels)
    n_rows = rows_of_piece(n_channels)
    for first in range(0, n_samples, n_rows):
        variance += (signal[first : first + n_rows] - mean).square_().sum(0)
    return mean, variance.div_(n_samples)


def rows_of_piece(n_channels: int) -> int:
    """How many samples of so many channels are a piece."""
    return max(1, PIECE_NUMBERS // n_channels)


class AdaIN:
    """The weights of `kokoro.istftnet.AdaIN1d`."""

    def __init__(self, original: Any) -> None:
        """Takes over those of `original`."""
        self._fc = original.fc
        self._weight: torch.Tensor = original.norm.weight.detach()
        self._bias: torch.Tensor = original.norm.bias.detach()

    def linear(self, signal: torch.Tensor, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """AdaIN of `signal` as a scale and a shift of its channels, (n_channels,) each; `style` is (1, style_width)."""
        mean, variance = moments(signal)
        gamma, beta = self._fc(style).view(2, -1)
        gain = 1 + gamma
        scale = gain * self._weight / torch.sqrt(variance + EPSILON)
        return scale, gain * self._bias + beta - scale * mean


class Snake:
    """x + sin²(alpha x) / alpha of a scaled and shifted signal, piece by piece."""

    def __init__(self, signal: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, alpha: torch.Tensor) -> None:
        """`signal`: (n_samples, n_channels); `scale`, `shift` and `alpha`: (n_channels,)."""
        self._signal = signal
        self._scale, self._shift = scale, shift + 0.5 / alpha
        self._turn_scale, self._turn_shift = 2 * alpha * scale, 2 * alpha * shift
        self._depth = -0.5 / alpha

    @property
    def n_samples(self) -> int:
        """Of each channel."""
        return self._signal.shape[0]

    def whole(self) -> torch.Tensor:
        """(n_samples, n_channels)."""
        out = torch.empty_like(self._signal)
        n_rows = rows_of_piece(out.shape[1])
        turns = torch.empty(n_rows, out.shape[1])
        for first in range(0, self.n_samples, n_rows):
            self.piece(first, out[first : first + n_rows], turns)
        return out

    def piece(self, start: int, out: torch.Tensor, turns: torch.Tensor) -> None:
        """Writes the samples from `start` on into `out` (n, n_channels); what is before the first and behind the last is 0.

        `start` is not behind the last; `turns` is room for as many samples.
        """
        begin, until = max(start, 0), min(start + len(out), self.n_samples)
        source, inside, turned = self._signal[begin:until], out[begin - start : until - start], turns[: until - begin]
        out[: begin - start] = 0
        out[until - start :] = 0
        # Not `addcmul` with two rows, which takes four times as long as one pass for each of its two steps.
        torch.mul(source, self._turn_scale, out=turned).add_(self._turn_shift).cos_()
        torch.mul(source, self._scale, out=inside).add_(self._shift).addcmul_(turned, self._depth)
