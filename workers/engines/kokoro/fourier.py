"""Convolution of long kernels through the frequency domain, as matrix products for each run of tiles.

A tile of N samples is turned into its spectrum, multiplied with the kernel's, and turned back; of what comes out, the
N - k + 1 samples are kept that no other tile reaches into. Written as real numbers this is y = Aᵀ((K w) ∘ (B x)) with three
small matrices: B (n_points, N) makes the points of a tile, K (n_points, k) those of the kernel, A (n_points, N - k + 1) makes
samples of their products. The frequencies 0 and N/2 are one point each; of every other, a complex product is made of three
real ones. So a tile of 48 costs 71 products for each pair of channels where the plain formula costs 38 x 11 = 418.

Why matrix products and no FFT: B and A are small, the library's products are fast, and B's output is where the next product
needs it. Why three points for a frequency and not four: fewer products, no second pass that adds, and the kernel's points need
less memory. The first step of an FFT is taken all the same: even frequencies see the sum of a tile's halves, odd ones their
difference, so that B is half as wide; making them takes no longer than the copy that puts tiles side by side.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.adain import Snake
from workers.engines.kokoro.pieces import Output, Workspace, rows_of_piece

RUN_TILES: Final = 384
"""At a time. Fewer are nearer in the cache, but each frequency's kernel is then fetched more often."""

Matrix = npt.NDArray[np.float64]


def matrices(n_tile: int, n_kernel: int) -> tuple[Matrix, Matrix, Matrix, int]:
    """B, K and A of the module's head, for an even `n_tile`; and how many of their rows, the first, are of even frequencies."""
    n_step, middle = n_tile - n_kernel + 1, n_tile // 2
    angles = 2 * np.pi * np.outer(np.arange(middle + 1), np.arange(n_tile)) / n_tile
    cos, sin = np.cos(angles), np.sin(angles)
    parts: tuple[list[tuple[Matrix, Matrix, Matrix]], ...] = ([], [])
    for f in range(middle + 1):
        if f in (0, middle):
            parts[f % 2].append((cos[f], cos[f, :n_kernel], cos[f, :n_step] / n_tile))
            continue
        # (x_cos - i x_sin)(w_cos + i w_sin), since what is called convolution correlates.
        w_cos, w_sin = cos[f, :n_kernel], sin[f, :n_kernel]
        y_cos, y_sin = 2 * cos[f, :n_step] / n_tile, 2 * sin[f, :n_step] / n_tile
        parts[f % 2].append((cos[f] - sin[f], w_cos, y_cos - y_sin))
        parts[f % 2].append((cos[f], w_sin - w_cos, -y_sin))
        parts[f % 2].append((-sin[f], w_cos + w_sin, -y_cos))
    b, k, a = (np.array(rows) for rows in zip(*parts[0], *parts[1], strict=True))
    return b, k, a, len(parts[0])


class FourierConvolution:
    """See workers.engines.kokoro.convolution.Convolution. Has as many channels out as in."""

    def __init__(self, weight: torch.Tensor, dilation: int, n_tile: int) -> None:
        """`weight`: (n_channels, n_channels, n_kernel)."""
        self._n_channels, n_kernel = weight.shape[1:]
        self._half, self._n_step = n_tile // 2, n_tile - n_kernel + 1
        self._width = dilation * self._n_channels
        """Numbers of one sample of a tile: with dilation d it has every d-th sample, and d tiles lie side by side."""
        self._span = dilation * self._n_step
        """Samples that they make together."""
        self._reach = dilation * (n_kernel - 1)
        self._n_run = max(1, RUN_TILES // dilation)
        self._n_piece = max(1, rows_of_piece(self._n_channels) // self._span)
        b, k, a, n_even = matrices(n_tile, n_kernel)
        self._kernels = torch.einsum("pk,oik->pio", torch.from_numpy(k), weight.double()).float().contiguous().unbind()
        self._parities = {"even": slice(n_even), "odd": slice(n_even, None)}
        self._to_points = torch.from_numpy(b[:, : self._half]).float()
        self._to_samples = torch.from_numpy(a[:, : self._half]).float()

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """See Convolution."""
        n_tiles = math.ceil(source.n_samples / self._span)
        for start in range(0, n_tiles, self._n_run):
            n = min(self._n_run, n_tiles - start)
            pieces = [(start + first, first, min(first + self._n_piece, n)) for first in range(0, n, self._n_piece)]
            # Products are written where the points were that have just been read, which is still in the cache.
            slots = workspace.take("slots", len(self._kernels) + 1, n, self._width)
            points, products = slots[1:], slots[:-1]
            for tile, first, last in pieces:
                self._transform(source, tile, points[:, first:last], workspace)
            rows = slots.view(len(slots), -1, self._n_channels).unbind()
            for i, kernel in enumerate(self._kernels):
                torch.mm(rows[i + 1], kernel, out=rows[i])
            for tile, first, last in pieces:
                place = output.begin(tile * self._span, (last - first) * self._span)
                self._restore(products[:, first:last], place, workspace, is_sum=output.is_sum)
                output.end(place)

    def _transform(self, source: Snake, tile: int, points: torch.Tensor, workspace: Workspace) -> None:
        """Writes the points of tiles from `tile` on: (n_points, n, width)."""
        n = points.shape[1]
        piece = source.piece(tile * self._span - self._reach // 2, n * self._span + self._reach, workspace)
        shape, strides = (self._half, n, self._width), (self._width, self._n_step * self._width, 1)
        halves = piece.as_strided(shape, strides), piece.as_strided(shape, strides, self._half * self._width)
        room = workspace.take("folded", *shape)
        for sign, points_of in zip((1, -1), self._parities.values(), strict=True):
            torch.add(*halves, alpha=sign, out=room)
            torch.mm(self._to_points[points_of], room.flatten(1), out=points[points_of].flatten(1))

    def _restore(self, products: torch.Tensor, place: torch.Tensor, workspace: Workspace, *, is_sum: bool) -> None:
        """Writes to `place`, or adds, the samples that tiles make of their products (n_points, n, width)."""
        even, odd = (self._half_samples(name, products, workspace) for name in ("even", "odd"))
        n_whole = len(place) // self._span
        whole, rest = place[: n_whole * self._span], place[n_whole * self._span :]
        both = torch.split(whole.view(n_whole, self._n_step, self._width), self._half, 1)
        for sign, part in zip((1, -1), both, strict=True):
            n_samples = part.shape[1]
            if is_sum:
                part.add_(even[:n_whole, :n_samples]).add_(odd[:n_whole, :n_samples], alpha=sign)
            else:
                torch.add(even[:n_whole, :n_samples], odd[:n_whole, :n_samples], alpha=sign, out=part)
        if len(rest):
            samples = torch.cat([even[-1] + odd[-1], even[-1] - odd[-1]]).view(-1, self._n_channels)[: len(rest)]
            rest.copy_(rest + samples if is_sum else samples)

    def _half_samples(self, parity: str, products: torch.Tensor, workspace: Workspace) -> torch.Tensor:
        """(n, n_tile / 2, width): what the frequencies of a parity add to a tile's first half."""
        points_of, n = self._parities[parity], products.shape[1]
        room = workspace.take(parity, self._half, n * self._width)
        torch.mm(self._to_samples[points_of].t(), products[points_of].flatten(1), out=room)
        return room.view(self._half, n, self._width).transpose(0, 1)
