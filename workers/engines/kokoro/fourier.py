"""Convolution of long kernels through the frequency domain, as matrix products for each run of tiles.

A tile of N samples is turned into its spectrum, multiplied with the kernel's, and turned back; of what comes out, the
N - k + 1 samples are kept that no other tile reaches into. The frequencies 0 and N/2 are real, one product each. For every
other, (u + iv)(c + is) takes three real ones, (u + v) c, u (s - c) and v (c + s): the first less the third is the real part,
the first and the second are the imaginary one. So a tile of 48 costs 71 products for each pair of channels where the plain
formula costs 38 x 11 = 418.

Why matrix products and no FFT: the matrices are small, the library's products are fast, and what the first one writes is where
the next one needs it. The first step of an FFT is taken all the same: even frequencies see the sum of a tile's halves, odd ones
their difference, so that the matrices are half as wide; making them takes no longer than the copy that puts tiles side by side.
Why three products for a frequency and not four: fewer of them, and the kernel's points need less memory.
"""

import math
from collections.abc import Iterator
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.adain import Snake
from workers.engines.kokoro.pieces import Output, Workspace, rows_of_piece

RUN_TILES: Final = 384
"""At a time. Fewer are nearer in the cache, but each frequency's kernel is then fetched more often."""

Matrix = npt.NDArray[np.float64]


class Parity(msgspec.Struct, frozen=True):
    """The even or the odd frequencies of a tile of N samples: what makes their spectrum of a half tile, and samples of that.

    A spectrum is of real frequencies first, then u of all others, then v; what comes back is the real ones, then the others'
    imaginary parts, then their real ones.
    """

    sign: int
    """Of a tile's second half, which is added to the first or subtracted from it."""
    n_real: int
    n_complex: int
    to_spectrum: Matrix
    """(n_real + 2 n_complex, N / 2)"""
    to_samples: Matrix
    """(N / 2, n_real + 2 n_complex); the second half of the samples is the first, or its opposite."""
    kernel: Matrix
    """(n_real + 2 n_complex, n_kernel): of a kernel, what each number of a spectrum is multiplied with."""
    kernel_of_sums: Matrix
    """(n_complex, n_kernel): and each u + v."""


def parities(n_tile: int, n_kernel: int) -> tuple[Parity, Parity]:
    """The even and the odd frequencies of an even `n_tile`, and a kernel of at most half of that."""
    middle = n_tile // 2
    angles = 2 * np.pi * np.outer(np.arange(middle + 1), np.arange(middle)) / n_tile
    cos, sin = np.cos(angles), np.sin(angles)
    found = []
    for sign, first in ((1, 0), (-1, 1)):
        frequencies = range(first, middle + 1, 2)
        real = [f for f in frequencies if f in (0, middle)]
        others = [f for f in frequencies if f not in real]
        c, s = cos[others, :n_kernel], sin[others, :n_kernel]
        found.append(
            Parity(
                sign,
                len(real),
                len(others),
                # What is called convolution correlates, so that one of the two spectra is the conjugate.
                to_spectrum=np.concatenate([cos[real], cos[others], -sin[others]]),
                to_samples=np.concatenate([cos[real], -2 * sin[others], 2 * cos[others]]).T / n_tile,
                kernel=np.concatenate([cos[real, :n_kernel], s - c, c + s]),
                kernel_of_sums=c,
            )
        )
    return found[0], found[1]


class _Matrices:
    """Those of a parity, as the products take them, and how its spectrum is divided."""

    def __init__(self, parity: Parity) -> None:
        self.sign = parity.sign
        self.parts = parity.n_real, parity.n_complex, parity.n_complex
        self.to_spectrum = torch.from_numpy(parity.to_spectrum).float()
        self.to_samples = torch.from_numpy(parity.to_samples).float()


class FourierConvolution:
    """See workers.engines.kokoro.convolution.Convolution. Has as many channels out as in."""

    def __init__(self, weight: torch.Tensor, dilation: int, n_tile: int) -> None:
        """`weight`: (n_channels, n_channels, n_kernel), at most half as long as a tile."""
        self._n_channels, n_kernel = weight.shape[1:]
        self._half, self._n_step = n_tile // 2, n_tile - n_kernel + 1
        self._width = dilation * self._n_channels
        """Numbers of one sample of a tile: with dilation d it has every d-th sample, and d tiles lie side by side."""
        self._span = dilation * self._n_step
        """Samples that they make together."""
        self._reach = dilation * (n_kernel - 1)
        self._n_run = max(1, RUN_TILES // dilation)
        self._n_piece = max(1, rows_of_piece(self._n_channels) // self._span)
        parts = parities(n_tile, n_kernel)
        self._matrices = [_Matrices(parity) for parity in parts]
        kernels = [parity.kernel for parity in parts] + [parity.kernel_of_sums for parity in parts]
        self._parts = [len(kernel) for kernel in kernels]
        """How a tile's points are divided: the spectra of both parities, and the sums of both."""
        k = np.concatenate(kernels)
        self._kernels = torch.einsum("pk,oik->pio", torch.from_numpy(k), weight.double()).float().contiguous().unbind()

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
                self._transform(source, tile, points.narrow(1, first, last - first), workspace)
            rows = slots.view(len(slots), -1, self._n_channels).unbind()
            for i, kernel in enumerate(self._kernels):
                torch.mm(rows[i + 1], kernel, out=rows[i])
            for tile, first, last in pieces:
                place, base = output.begin(tile * self._span, (last - first) * self._span)
                self._restore(products.narrow(1, first, last - first), place, base, workspace)
                output.end(place)

    def _transform(self, source: Snake, tile: int, points: torch.Tensor, workspace: Workspace) -> None:
        """Writes the points of tiles from `tile` on: (n_points, n, width)."""
        n = points.shape[1]
        piece = source.piece(tile * self._span - self._reach // 2, n * self._span + self._reach, workspace)
        shape, strides = (self._half, n, self._width), (self._width, self._n_step * self._width, 1)
        halves = piece.as_strided(shape, strides), piece.as_strided(shape, strides, self._half * self._width)
        room = workspace.take("folded", *shape)
        rows = room.flatten(1)
        for of, (spectrum, sums) in zip(self._matrices, self._divide(points), strict=True):
            torch.add(*halves, alpha=of.sign, out=room)
            torch.mm(of.to_spectrum, rows, out=spectrum.flatten(1))
            _, u, v = spectrum.split(of.parts)
            torch.add(u, v, out=sums)

    def _divide(self, points: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """For each parity, its spectrum and its sums."""
        even, odd, even_sums, odd_sums = points.split(self._parts)
        return zip((even, odd), (even_sums, odd_sums), strict=True)

    def _restore(self, products: torch.Tensor, place: torch.Tensor, base: torch.Tensor | None, workspace: Workspace) -> None:
        """Writes to `place` the samples that tiles make of their products (n_points, n, width), which are lost, and `base`."""
        divided = zip(self._matrices, self._divide(products), strict=True)
        even, odd = (self._half_samples(of, *parts, workspace) for of, parts in divided)
        n_whole = len(place) // self._span
        n_rows = n_whole * self._span
        bases = (None, None) if base is None else self._halves(base[:n_rows])
        for sign, part, below in zip((1, -1), self._halves(place[:n_rows]), bases, strict=True):
            first, second = (half[:n_whole, : part.shape[1]] for half in (even, odd))
            torch.add(first if below is None else torch.add(below, first, out=part), second, alpha=sign, out=part)
        if n_rows < len(place):
            samples = torch.cat([even[-1] + odd[-1], even[-1] - odd[-1]]).view(-1, self._n_channels)[: len(place) - n_rows]
            place[n_rows:] = samples if base is None else base[n_rows:] + samples

    def _halves(self, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Of what is kept of each of the tiles that these rows are."""
        return torch.split(rows.view(len(rows) // self._span, self._n_step, self._width), self._half, 1)

    def _half_samples(
        self, of: _Matrices, spectrum: torch.Tensor, sums: torch.Tensor, workspace: Workspace
    ) -> torch.Tensor:
        """(n, n_tile / 2, width): what the products of a parity add to a tile's first half."""
        _, u, v = spectrum.split(of.parts)
        u.add_(sums)
        torch.sub(sums, v, out=v)
        room = workspace.take(f"samples {of.sign}", self._half, *spectrum.shape[1:])
        torch.mm(of.to_samples, spectrum.flatten(1), out=room.flatten(1))
        return room.transpose(0, 1)
