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

from workers.engines.kokoro.adain import PIECE_SAMPLES, Snake

TILES: Final = 256
"""At a time: their points are some megabytes."""


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
    """A convolution of stride 1 that keeps the length. See workers.engines.kokoro.convolution.Convolution."""

    def __init__(self, weight: torch.Tensor, dilation: int, n_tile: int) -> None:
        """`weight`: (n_out, n_in, n_kernel)."""
        self.n_out, self.n_in, n_kernel = weight.shape
        self.dilation, self.n_tile, self.n_step = dilation, n_tile, n_tile - n_kernel + 1
        self._padding = dilation * (n_kernel - 1) // 2
        b, k, a = matrices(n_tile, n_kernel)
        self.n_points = len(b)
        self._kernel = torch.einsum("pk,oik->poi", torch.from_numpy(k), weight.double()).float().contiguous()
        self._to_points = torch.from_numpy(b).float()
        self._to_samples = torch.from_numpy(a).float()

    def __call__(self, source: Snake) -> torch.Tensor:
        """See Convolution."""
        out = torch.empty(self.n_out, source.n_samples)
        self._run(source, out, is_added=False)
        return out

    def add(self, source: Snake, to: torch.Tensor) -> None:
        """See Convolution."""
        self._run(source, to, is_added=True)

    def _run(self, source: Snake, out: torch.Tensor, *, is_added: bool) -> None:
        """A run of tiles is of all phases together: with dilation d, tile t of phase p has every d-th sample from p on."""
        span = self.dilation * self.n_step
        n_tiles = math.ceil(source.n_samples / span)
        work = _Workspace(self, min(max(1, TILES // self.dilation), n_tiles))
        for tile in range(0, n_tiles, work.n_tiles):
            n = min(work.n_tiles, n_tiles - tile)
            points, products = self._transform(source, tile * span, n, work), work.products(n)
            torch.bmm(self._kernel, points, out=products)
            self._restore(products, out[:, tile * span : (tile + n) * span], work, is_added=is_added)

    def _transform(self, source: Snake, start: int, n: int, work: "_Workspace") -> torch.Tensor:
        """The points of `n` tiles of each phase from sample `start` on: (n_points, n_in, dilation * n)."""
        points, d = work.points(n), self.dilation
        start, n_samples = start - self._padding, d * ((n - 1) * self.n_step + self.n_tile)
        for first in range(0, self.n_in, work.n_channels):
            last = min(first + work.n_channels, self.n_in)
            piece, tiles = work.piece(last - first, n_samples), work.tiles(last - first, n)
            source.piece(first, last, start, start + n_samples, piece, work.turns)
            tiles.copy_(piece.as_strided(tiles.shape, (n_samples, 1, d * self.n_step, d)))
            of_channels = points.flatten(1)[:, first * d * n : last * d * n]
            torch.mm(self._to_points, tiles.view(-1, self.n_tile).t(), out=of_channels)
        return points

    def _restore(self, products: torch.Tensor, out: torch.Tensor, work: "_Workspace", *, is_added: bool) -> None:
        """Writes the samples of a run of tiles into `out` (n_out, at most dilation * n * n_step), or adds them."""
        samples = work.samples(products.shape[2])
        torch.bmm(products.permute(1, 2, 0), self._to_samples.expand(self.n_out, -1, -1), out=samples)
        for phase, row in enumerate(samples.view(self.n_out, self.dilation, -1).unbind(1)):
            place = out[:, phase :: self.dilation]
            own = row[:, : place.shape[1]]
            if is_added:
                place.add_(own)
            else:
                place.copy_(own)


class _Workspace:
    """What one run writes to again and again: fresh memory costs a page fault for each page."""

    def __init__(self, convolution: FourierConvolution, n_tiles: int) -> None:
        """For so many tiles of each phase at a time."""
        self.n_tiles = n_tiles
        self._of = convolution
        d, n_tile, n_step = convolution.dilation, convolution.n_tile, convolution.n_step
        n_samples = d * ((n_tiles - 1) * n_step + n_tile)
        self.n_channels = max(1, min(convolution.n_in, PIECE_SAMPLES // n_samples))
        self._points = torch.empty(convolution.n_points * convolution.n_in * d * n_tiles)
        self._products = torch.empty(convolution.n_points * convolution.n_out * d * n_tiles)
        self._samples = torch.empty(convolution.n_out * d * n_tiles * n_step)
        self._tiles = torch.empty(self.n_channels * d * n_tiles * n_tile)
        self._piece, self.turns = torch.empty(2, self.n_channels * n_samples)

    def points(self, n: int) -> torch.Tensor:
        """(n_points, n_in, dilation * n)"""
        return _view(self._points, self._of.n_points, self._of.n_in, self._of.dilation * n)

    def products(self, n: int) -> torch.Tensor:
        """(n_points, n_out, dilation * n)"""
        return _view(self._products, self._of.n_points, self._of.n_out, self._of.dilation * n)

    def samples(self, n: int) -> torch.Tensor:
        """(n_out, n, n_step), `n` of all phases."""
        return _view(self._samples, self._of.n_out, n, self._of.n_step)

    def piece(self, n_channels: int, n_samples: int) -> torch.Tensor:
        """(n_channels, n_samples)"""
        return _view(self._piece, n_channels, n_samples)

    def tiles(self, n_channels: int, n: int) -> torch.Tensor:
        """(n_channels, dilation, n, n_tile)"""
        return _view(self._tiles, n_channels, self._of.dilation, n, self._of.n_tile)


def _view(room: torch.Tensor, *shape: int) -> torch.Tensor:
    return room[: math.prod(shape)].view(shape)
