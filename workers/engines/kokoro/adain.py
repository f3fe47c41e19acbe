"""AdaIN and Snake in one: a signal normalised, styled and bent, in pieces that stay in the processor's cache.

Why: as PyTorch's modules they cost more than the convolutions between them. `InstanceNorm1d` goes through its input with
Welford's recurrence, seven nanoseconds a sample, and what follows writes four more tensors of megabytes. Here the mean and the
variance are two sums, and the rest is four passes over a piece of some hundred kilobytes, asked for by the convolution that
needs it, so that nothing of it is ever written to memory. sin² is (1 - cos 2x) / 2, which saves a multiplication a sample.
"""

from typing import Any, Final

import torch

from workers.engines.kokoro.signal import Signal

EPSILON: Final = 1e-5
"""Of `InstanceNorm1d`."""
PIECE_SAMPLES: Final = 1 << 16
"""Of all channels of a piece together: 256 KiB."""


def moments(signal: Signal) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean and the variance of every channel: (n_channels, 1) each."""
    n_channels = signal.n_channels
    mean, variance = torch.empty(n_channels, 1), torch.zeros(n_channels, 1)
    for first, last in _pieces(n_channels, signal.n_samples):
        rows = list(signal.rows(first, last))
        here = mean[first:last]
        torch.sum(rows[0], 1, keepdim=True, out=here)
        for row in rows[1:]:
            here += row.sum(1, keepdim=True)
        here /= signal.n_samples
        for row in rows:
            centred = row - here
            variance[first:last] += torch.linalg.vecdot(centred, centred).unsqueeze(1)
    return mean, variance.div_(signal.n_samples)


def _pieces(n_channels: int, n_samples: int) -> list[tuple[int, int]]:
    """Runs of channels whose samples are about PIECE_SAMPLES."""
    size = max(1, min(n_channels, PIECE_SAMPLES // n_samples))
    return [(first, min(first + size, n_channels)) for first in range(0, n_channels, size)]


class AdaIN:
    """The weights of `kokoro.istftnet.AdaIN1d`."""

    def __init__(self, original: Any) -> None:
        """Takes over those of `original`."""
        self._fc = original.fc
        self._weight: torch.Tensor = original.norm.weight.detach().unsqueeze(1)
        self._bias: torch.Tensor = original.norm.bias.detach().unsqueeze(1)

    def linear(self, signal: Signal, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """AdaIN of `signal` as a scale and a shift of its channels, (n_channels, 1) each; `style` is (1, style_width)."""
        mean, variance = moments(signal)
        gamma, beta = self._fc(style).view(2, -1, 1)
        gain = 1 + gamma
        scale = gain * self._weight / torch.sqrt(variance + EPSILON)
        return scale, gain * self._bias + beta - scale * mean


class Snake:
    """x + sin²(alpha x) / alpha of a scaled and shifted signal, piece by piece."""

    def __init__(self, signal: Signal, scale: torch.Tensor, shift: torch.Tensor, alpha: torch.Tensor) -> None:
        """`scale`, `shift` and `alpha`: (n_channels, 1)."""
        self._signal = signal
        self._scale, self._shift = scale, shift + 0.5 / alpha
        self._turn_scale, self._turn_shift = 2 * alpha * scale, 2 * alpha * shift
        self._depth = -0.5 / alpha

    @property
    def signal(self) -> Signal:
        """What it is of."""
        return self._signal

    def whole(self) -> torch.Tensor:
        """(n_channels, n_samples), in natural order."""
        n_channels, n_samples = self._signal.n_channels, self._signal.n_samples
        out, turns = torch.empty(n_channels, n_samples), torch.empty(max(PIECE_SAMPLES, n_samples))
        for first, last in _pieces(n_channels, n_samples):
            self.piece(first, last, 0, n_samples, 0, 1, out[first:last], turns)
        return out

    def piece(
        self, first: int, last: int, start: int, end: int, phase: int, n_phases: int, out: torch.Tensor, turns: torch.Tensor
    ) -> None:
        """Writes the channels from `first` to before `last` and, of each `n_phases`-th sample from `phase` on, those from
        `start` to before `end`, into `out` (last - first, end - start); what is before the first and behind the last is 0.

        `start` is not behind the last; `turns` is room for as many samples.
        """
        most = self._signal.length(phase, n_phases)
        begin, until = max(start, 0), min(end, most)
        inside = out[:, begin - start : until - start]
        out[:, : begin - start] = 0
        out[:, until - start :] = 0
        source = self._source(first, last, begin, until, phase, n_phases, inside)
        channels = slice(first, last)
        turned = turns[: inside.numel()].view(inside.shape)
        torch.addcmul(self._turn_shift[channels], source, self._turn_scale[channels], out=turned).cos_()
        torch.addcmul(self._shift[channels], source, self._scale[channels], out=inside)
        inside.addcmul_(turned, self._depth[channels])

    def _source(
        self, first: int, last: int, begin: int, until: int, phase: int, n_phases: int, room: torch.Tensor
    ) -> torch.Tensor:
        """The signal's own samples there, put in order in `room` where they are not."""
        phases = self._signal.phases
        if phases.shape[1] == 1:
            if n_phases == 1:
                return phases[first:last, 0, begin:until]
            return room.copy_(phases[first:last, 0, phase + begin * n_phases : phase + (until - 1) * n_phases + 1 : n_phases])
        assert n_phases == 1
        d = phases.shape[1]
        for own in range(d):
            low, high = -(-(begin - own) // d), -(-(until - own) // d)
            room[:, low * d + own - begin :: d] = phases[first:last, own, low:high]
        return room
