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
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.adain import Snake, rows_of_piece

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
        self.span = dilation * self.n_step
        self._padding = dilation * (n_kernel - 1) // 2
        b, k, a = matrices(n_tile, n_kernel)
        self.n_points = len(b)
        self._kernel = torch.einsum("pk,oik->pio", torch.from_numpy(k), weight.double()).float().contiguous()
        self._to_points = torch.from_numpy(b).float()
        self._to_samples = torch.from_numpy(a).float().t().contiguous()

    def __call__(self, source: Snake) -> torch.Tensor:
        """See Convolution."""
        out = torch.empty(source.n_samples, self.n_out)
        self._run(source, out, is_added=False)
        return out

    def add(self, source: Snake, to: torch.Tensor) -> None:
        """See Convolution."""
        self._run(source, to, is_added=True)

    def _run(self, source: Snake, out: torch.Tensor, *, is_added: bool) -> None:
        """In runs of tiles, of all phases together: with dilation d, a tile has every d-th sample, and d of them a span."""
        n_tiles = math.ceil(source.n_samples / self.span)
        work = _Workspace(self, min(max(1, TILES // self.dilation), n_tiles))
        for tile in range(0, n_tiles, work.n_tiles):
            n = min(work.n_tiles, n_tiles - tile)
            points, products = work.points(n), work.products(n)
            for first, last in work.pieces(n):
                self._transform(source, (tile + first) * self.span, points[:, first:last], work)
            torch.bmm(points.view(self.n_points, -1, self.n_in), self._kernel, out=products.view(self.n_points, -1, self.n_out))
            for first, last in work.pieces(n):
                self._restore(products[:, first:last], out[(tile + first) * self.span :], work, is_added=is_added)

    def _transform(self, source: Snake, start: int, points: torch.Tensor, work: "_Workspace") -> None:
        """Writes the points of tiles from sample `start` on: (n_points, n, dilation * n_in)."""
        n, width = points.shape[1:]
        piece, tiles = work.piece(n), work.tiles(n)
        source.piece(start - self._padding, piece, work.turns)
        tiles.copy_(piece.view(-1, width).as_strided(tiles.shape, (width, self.n_step * width, 1)))
        torch.mm(self._to_points, tiles.flatten(1), out=points.flatten(1))

    def _restore(self, products: torch.Tensor, out: torch.Tensor, work: "_Workspace", *, is_added: bool) -> None:
        """Writes the samples of some tiles to the beginning of `out`, or adds them; what is behind its end is lost."""
        n, width = products.shape[1:]
        samples = work.samples(n)
        torch.mm(self._to_samples, products.flatten(1), out=samples.flatten(1))
        in_order, n_whole = samples.transpose(0, 1), min(n, len(out) // self.span)
        parts = [(out[: n_whole * self.span].view(n_whole, self.n_step, width), in_order[:n_whole])]
        if n_whole < n:
            rest = out[n_whole * self.span :]
            parts.append((rest, in_order[n_whole].reshape(self.span, self.n_out)[: len(rest)]))
        for place, part in parts:
            if is_added:
                place.add_(part)
            else:
                place.copy_(part)


class _Workspace:
    """What one run writes to again and again: fresh memory costs a page fault for each page."""

    def __init__(self, convolution: FourierConvolution, n_tiles: int) -> None:
        """For so many tiles of each phase at a time."""
        self.n_tiles = n_tiles
        self._of = convolution
        self._n_at_once = max(1, min(n_tiles, rows_of_piece(convolution.n_in) // convolution.span))
        d, n_in, n_out = convolution.dilation, convolution.n_in, convolution.n_out
        self._points = torch.empty(convolution.n_points * n_tiles * d * n_in)
        self._products = torch.empty(convolution.n_points * n_tiles * d * n_out)
        self._tiles = torch.empty(convolution.n_tile * self._n_at_once * d * n_in)
        self._samples = torch.empty(convolution.n_step * self._n_at_once * d * n_out)
        self._piece = torch.empty(self._n_samples(self._n_at_once), n_in)
        self.turns = torch.empty_like(self._piece)

    def pieces(self, n: int) -> Iterator[tuple[int, int]]:
        """Of `n` tiles: those that are transformed while they are in the cache, from and to before."""
        for first in range(0, n, self._n_at_once):
            yield first, min(first + self._n_at_once, n)

    def points(self, n: int) -> torch.Tensor:
        """(n_points, n, dilation * n_in)"""
        return _view(self._points, self._of.n_points, n, self._of.dilation * self._of.n_in)

    def products(self, n: int) -> torch.Tensor:
        """(n_points, n, dilation * n_out)"""
        return _view(self._products, self._of.n_points, n, self._of.dilation * self._of.n_out)

    def piece(self, n: int) -> torch.Tensor:
        """(n_samples, n_in): all that `n` tiles reach into."""
        return self._piece[: self._n_samples(n)]

    def tiles(self, n: int) -> torch.Tensor:
        """(n_tile, n, dilation * n_in)"""
        return _view(self._tiles, self._of.n_tile, n, self._of.dilation * self._of.n_in)

    def samples(self, n: int) -> torch.Tensor:
        """(n_step, n, dilation * n_out)"""
        return _view(self._samples, self._of.n_step, n, self._of.dilation * self._of.n_out)

    def _n_samples(self, n: int) -> int:
        return self._of.dilation * ((n - 1) * self._of.n_step + self._of.n_tile)


def _view(room: torch.Tensor, *shape: int) -> torch.Tensor:
    return room[: math.prod(shape)].view(shape)
