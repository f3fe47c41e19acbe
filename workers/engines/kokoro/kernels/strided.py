"""The generator's convolutions between its residual blocks, as matrix products of rows.

Why not PyTorch's: the signals before and after them are (n_samples, n_channels), and PyTorch would transpose these for each
convolution and back. oneDNN's transposed convolution from 256 to 128 channels takes three times as long as the equivalent
product.
"""

import math
from typing import Final

import torch
from torch.nn.functional import pad

from workers.engines.kokoro.kernels.matrices import Matrices, Precision
from workers.engines.kokoro.kernels.toom_cook import N_STEP, Toom
from workers.engines.kokoro.kernels.workspace import Output, rows_of_piece

_RUN_TILES: Final = 128
"""Tiles of an upsampling in a run. Its kernels take megabytes, and each run reads them again."""


class Upsampling:
    """A transposed convolution whose kernel is twice as long as its stride.

    Each input sample gives as many output samples as the stride. Each of these depends on that input sample and the one before.
    So this is a convolution with a kernel of two, and these samples are its output channels.
    """

    def __init__(
        self,
        original: torch.nn.ConvTranspose1d,
        bias: torch.Tensor,
        *,
        is_reflected: bool,
        precision: Precision = "float32",
    ) -> None:
        """Takes over the weight of `original`, which is unusable afterwards. `bias`: (n_out,), replaces the bias of `original`.
        `precision`: of the prepared weight.

        With `is_reflected` the output begins with one more sample, a copy of the second sample after it.
        """
        weight, self._stride = original.weight.detach(), original.stride[0]
        self._n_cut = int(original.padding[0]) - is_reflected
        self._bias, self._is_reflected = bias, is_reflected
        assert weight.shape[2] == 2 * self._stride, "a sample is made of two neighbours"
        self._n_out = weight.shape[1]
        now, before = torch.split(weight.permute(2, 1, 0), self._stride)
        self._toom = Toom(torch.stack([before.flatten(0, 1), now.flatten(0, 1)], dim=2), precision)
        original.weight.data = torch.empty(0)

    def __call__(self, x: torch.Tensor, output: Output) -> None:
        """Upsamples `x` (n, n_in) and writes (n * stride, n_out), or one sample more."""
        n_tiles = math.ceil((len(x) + 1) / N_STEP)
        x = pad(x, (0, 0, 1, n_tiles * N_STEP - len(x)))
        for tile in range(0, n_tiles, _RUN_TILES):
            n = min(_RUN_TILES, n_tiles - tile)
            read = x[tile * N_STEP :][: n * N_STEP + 1].float()
            samples = self._toom(read, n).view(-1, self._n_out).add_(self._bias)
            start = tile * N_STEP * self._stride - self._n_cut
            if tile == 0:
                samples, start = samples[self._n_cut :], 0
                if self._is_reflected:
                    samples[0] = samples[2]
            output.write(start, samples)


class WindowedConvolution:
    """A convolution with few input channels and any stride."""

    def __init__(self, original: torch.nn.Conv1d, precision: Precision = "float32") -> None:
        """Uses the weights of `original`. `precision`: of the weight."""
        assert original.bias is not None
        self._weight = Matrices(original.weight.detach().permute(2, 1, 0).flatten(0, 1).unsqueeze(0), precision)
        self._bias = original.bias.detach()
        self._n_kernel, self._stride, self._padding = original.kernel_size[0], original.stride[0], int(original.padding[0])

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(n_in, n) → (n_windows, n_out)."""
        return self._weight.multiply(self._windows(x), bias=self._bias)

    def shape(self, x: torch.Tensor) -> tuple[int, int]:
        """Returns the shape of the output for `x` (n_in, n)."""
        return (x.shape[1] + 2 * self._padding - self._n_kernel) // self._stride + 1, len(self._bias)

    def write(self, x: torch.Tensor, output: Output) -> None:
        """Convolves `x` (n_in, n) and writes (n_windows, n_out), piece by piece."""
        n_rows, at = rows_of_piece(len(self._bias)), 0
        for windows in torch.split(self._windows(x), n_rows):
            output.write(at, self._weight.multiply(windows, bias=self._bias))
            at += n_rows

    def _windows(self, x: torch.Tensor) -> torch.Tensor:
        rows = pad(x.t().contiguous(), (0, 0, self._padding, self._padding))
        n_in = len(x)
        return rows.as_strided((self.shape(x)[0], self._n_kernel * n_in), (self._stride * n_in, 1))


class NarrowConvolution:
    """A convolution of stride 1 with few output channels. It keeps the length."""

    def __init__(self, original: torch.nn.Conv1d) -> None:
        """Uses the weights of `original`."""
        assert original.bias is not None
        self._bias = original.bias.detach()
        self._n_out, n_in, self._n_kernel = original.weight.shape
        self._weights = original.weight.detach().permute(1, 2, 0).reshape(n_in, -1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_in) → (n, n_out): multiplies each row by all weights at once, then sums shifted rows."""
        n, n_beside, width = len(x), self._n_kernel // 2, self._weights.shape[1]
        out = torch.empty(n, self._n_out)
        n_rows = rows_of_piece(width)
        for start in range(0, n, n_rows):
            place = out[start : start + n_rows]
            begin, until = start - n_beside, start + len(place) + n_beside
            rows = pad(x[max(begin, 0) : until].float(), (0, 0, max(-begin, 0), max(until - n, 0)))
            moved = (rows @ self._weights).as_strided(
                (len(place), self._n_kernel, self._n_out), (width, width + self._n_out, 1)
            )
            torch.sum(moved, 1, out=place)
        return out.add_(self._bias)
