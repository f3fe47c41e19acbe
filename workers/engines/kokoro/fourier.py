"""Convolution of long kernels through the frequency domain, as three matrix products for each run of tiles.

A tile of N samples is turned into its spectrum, multiplied with the kernel's, and turned back; of what comes out, the
N - k + 1 samples are kept that no other tile reaches into. Written as real numbers this is y = Aᵀ((K w) ∘ (B x)) with three
small matrices: B (n_points, N) makes the points of a tile, K (n_points, k) those of the kernel, A (n_points, N - k + 1) makes
samples of their products. The frequencies 0 and N/2 are one point each; of every other, a complex product is made of three
real ones. So a tile of 48 costs 71 products for each pair of channels where the plain formula costs 38 x 11 = 418.

Why matrix products and no FFT: B and A are small, the library's products are fast, and B's output is where the next product
needs it. Why three points for a frequency and not four: fewer products, no second pass that adds, and the kernel's points need
less memory.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.adain import Snake
from workers.engines.kokoro.signal import Signal

TILES: Final = 256
"""At a time: their points are some megabytes."""
PIECE_BYTES: Final = 1 << 18


def matrices(n_tile: int, n_kernel: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """B, K and A of the module's head, for an even `n_tile`."""
    n_step = n_tile - n_kernel + 1
    angles = 2 * np.pi * np.outer(np.arange(n_tile // 2 + 1), np.arange(n_tile)) / n_tile
    cos, sin = np.cos(angles), np.sin(angles)
    b, k, a = [], [], []
    for f in (0, n_tile // 2):
        b.append(cos[f])
        k.append(cos[f, :n_kernel])
        a.append(cos[f, :n_step] / n_tile)
    for f in range(1, n_tile // 2):
        # (x_cos - i x_sin)(w_cos + i w_sin), since what is called convolution correlates.
        w_cos, w_sin = cos[f, :n_kernel], sin[f, :n_kernel]
        y_cos, y_sin = 2 * cos[f, :n_step] / n_tile, 2 * sin[f, :n_step] / n_tile
        b += [cos[f] - sin[f], cos[f], -sin[f]]
        k += [w_cos, w_sin - w_cos, w_cos + w_sin]
        a += [y_cos - y_sin, -y_sin, -y_cos]
    return np.array(b), np.array(k), np.array(a)


class FourierConvolution:
    """A convolution of stride 1 that keeps the length; with a dilation its output is in phases."""

    def __init__(self, weight: torch.Tensor, dilation: int, n_tile: int) -> None:
        """`weight`: (n_out, n_in, n_kernel)."""
        self._n_out, self._n_in, self._n_kernel = weight.shape
        self._dilation = dilation
        self._n_tile, self._n_step = n_tile, n_tile - self._n_kernel + 1
        b, k, a = matrices(n_tile, self._n_kernel)
        self._kernel = torch.einsum("pk,oik->poi", torch.from_numpy(k), weight.double()).float().contiguous()
        self._to_points = torch.from_numpy(b).float()
        self._to_samples = torch.from_numpy(a).float()

    def __call__(self, source: Snake) -> Signal:
        """(n_out, n_samples) of (n_in, n_samples)."""
        out = Signal.empty(self._n_out, source.signal.n_samples, self._dilation)
        self._run(source, out, is_added=False)
        return out

    def add(self, source: Snake, to: Signal) -> None:
        """Adds its output to a signal in natural order."""
        self._run(source, to, is_added=True)

    def _run(self, source: Snake, out: Signal, *, is_added: bool) -> None:
        n_points = len(self._to_points)
        n_tiles = min(TILES, math.ceil(math.ceil(source.signal.n_samples / self._dilation) / self._n_step))
        points = torch.empty(self._n_in, n_points, n_tiles)
        products = torch.empty(self._n_out, n_points, n_tiles)
        n_samples = (n_tiles - 1) * self._n_step + self._n_tile
        n_channels = max(1, PIECE_BYTES // 4 // n_samples)
        piece, turns = torch.empty(n_channels, n_samples), torch.empty(n_channels * n_samples)
        for phase in range(self._dilation):
            total = math.ceil(source.signal.length(phase, self._dilation) / self._n_step)
            for tile in range(0, total, n_tiles):
                n = min(n_tiles, total - tile)
                self._transform(source, phase, tile, n, points, piece, turns)
                torch.bmm(self._kernel, points[:, :, :n].transpose(0, 1), out=products[:, :, :n].transpose(0, 1))
                self._restore(products[:, :, :n], out.phases[:, phase], tile, is_added=is_added)

    def _transform(
        self, source: Snake, phase: int, tile: int, n: int, points: torch.Tensor, piece: torch.Tensor, turns: torch.Tensor
    ) -> None:
        start = tile * self._n_step - (self._n_kernel - 1) // 2
        end = start + (n - 1) * self._n_step + self._n_tile
        for first in range(0, self._n_in, len(piece)):
            last = min(first + len(piece), self._n_in)
            room = piece[: last - first, : end - start]
            source.piece(first, last, start, end, phase, self._dilation, room, turns)
            tiles = room.as_strided((last - first, self._n_tile, n), (room.stride(0), 1, self._n_step))
            torch.bmm(self._to_points.expand(last - first, -1, -1), tiles, out=points[first:last, :, :n])

    def _restore(self, products: torch.Tensor, out: torch.Tensor, tile: int, *, is_added: bool) -> None:
        n = products.shape[2]
        tiles = out.as_strided(
            (self._n_out, n, self._n_step), (out.stride(0), self._n_step, 1), out.storage_offset() + tile * self._n_step
        )
        to_samples = self._to_samples.expand(self._n_out, -1, -1)
        if is_added:
            tiles.baddbmm_(products.transpose(1, 2), to_samples)
        else:
            torch.bmm(products.transpose(1, 2), to_samples, out=tiles)
