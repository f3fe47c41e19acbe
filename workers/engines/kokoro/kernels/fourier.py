"""Convolution with long kernels in the frequency domain, as matrix products for each run of tiles.

A tile of N samples is transformed to its spectrum, multiplied by the kernel's spectrum, and transformed back. Only the
N - k + 1 samples that do not depend on other tiles are kept. The frequencies 0 and N/2 are real and take one product each. At
every other frequency, (u + iv)(c + is) takes three real products: (u + v) c, u (s - c) and v (c + s). The real part is the
first minus the third, the imaginary part is the first plus the second. So a tile of 48 takes 71 products for each pair of
channels, and the plain formula 38 x 11 = 418.

Why matrix products and no FFT: the matrices are small, the library's products are fast, and each product writes its output
where the next one reads it. Only the first step of an FFT is used: even frequencies depend on the sum of a tile's halves, odd
ones on their difference, so the matrices are half as wide. Computing sum and difference takes no longer than the copy that puts
tiles side by side.

Why three products for a frequency and not four: it is less work. u + v and its product are computed when they are needed, in
the inner cache. If they were stored for a whole run, they would take a third of its memory, and the products a tenth more time.
Likewise s - c and c + s are computed for each run: it takes a fiftieth of the time of their products, and a kernel's spectrum
takes two thirds of the memory, which is a hundred megabytes for the whole model.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.kernels.adain import Snake
from workers.engines.kokoro.kernels.matrices import Matrices, Precision
from workers.engines.kokoro.kernels.workspace import Output, Workspace, rows_of_piece

RUN_TILES: Final = 256
"""Tiles in a run. Fewer tiles fit the cache better, but each frequency's kernel is then read more often. With 192 and 384 a
long segment takes three percent longer."""

Matrix = npt.NDArray[np.float64]


class Parity(msgspec.Struct, frozen=True):
    """The matrices of the even or the odd frequencies of a tile of N samples.

    A spectrum has the real frequencies first, then u and v of each other one. The products have the real frequencies first,
    then the imaginary part and the real part of each other one.
    """

    sign: int
    """1 if a tile's second half is added to the first, -1 if it is subtracted."""
    to_spectrum: Matrix
    """(n_real + 2 n_complex, N / 2)"""
    to_samples: Matrix
    """(N / 2, n_real + 2 n_complex). The second half of the samples is `sign` times the first."""
    real_kernels: Matrix
    """(n_real, n_kernel): from a kernel to the factor of each real frequency."""
    kernels: Matrix
    """(n_complex, 2, n_kernel): from a kernel to c and s of each other frequency."""


def parities(n_tile: int, n_kernel: int) -> tuple[Parity, Parity]:
    """Returns the even and the odd frequencies. `n_tile` must be even, `n_kernel` at most half of it."""
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
                # PyTorch's convolution is a correlation, so one of the two spectra is the conjugate.
                to_spectrum=np.concatenate([cos[real], _in_turns(cos[others], -sin[others])]),
                to_samples=np.concatenate([cos[real], _in_turns(-2 * sin[others], 2 * cos[others])]).T / n_tile,
                real_kernels=cos[real, :n_kernel],
                kernels=np.stack([c, s], axis=1),
            )
        )
    return found[0], found[1]


def _in_turns(*matrices: Matrix) -> Matrix:
    """Interleaves the rows of the matrices."""
    return np.stack(matrices, axis=1).reshape(-1, matrices[0].shape[1])


class _Half:
    """A parity's matrices as float32 tensors."""

    def __init__(self, parity: Parity) -> None:
        self.sign, self.n_points = parity.sign, len(parity.to_spectrum)
        self.to_spectrum = torch.from_numpy(parity.to_spectrum).float()
        self.to_samples = torch.from_numpy(parity.to_samples).float()


class FourierConvolution:
    """A Convolution in the frequency domain. It has as many output channels as input channels."""

    def __init__(self, weight: torch.Tensor, dilation: int, n_tile: int, precision: Precision = "float32") -> None:
        """`weight`: (n_channels, n_channels, n_kernel), with n_kernel at most n_tile / 2. `precision`: of its spectrum."""
        self._n_channels, n_kernel = weight.shape[1:]
        self._half, self._n_step = n_tile // 2, n_tile - n_kernel + 1
        self._width = dilation * self._n_channels
        """Numbers in one sample of a tile. With dilation d a tile has every d-th sample, and d tiles lie side by side."""
        self._span = dilation * self._n_step
        """Samples that d tiles produce together."""
        self._reach = dilation * (n_kernel - 1)
        self._n_run = max(1, RUN_TILES // dilation)
        self._n_piece = max(1, rows_of_piece(self._n_channels) // self._span)
        both = parities(n_tile, n_kernel)
        self._halves = [_Half(parity) for parity in both]
        self._n_factors = [n for parity in both for n in (*[1] * len(parity.real_kernels), *[2] * len(parity.kernels))]
        """1 for each real frequency, 2 for each other one."""
        self._kernels = Matrices(_kernels(both, weight), precision)

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """Convolves `source` (n_samples, n_channels) and writes the same shape to `output`."""
        n_tiles = math.ceil(source.n_samples / self._span)
        for start in range(0, n_tiles, self._n_run):
            workspace.give_way()
            n = min(self._n_run, n_tiles - start)
            pieces = [(start + first, first, min(first + self._n_piece, n)) for first in range(0, n, self._n_piece)]
            slots = workspace.take("slots", 2 * self._half + 1, n, self._width)
            points, products = slots[1:], slots[:-1]
            for tile, first, last in pieces:
                self._transform(source, tile, points.narrow(1, first, last - first), workspace)
            self._multiply(slots.view(len(slots), -1, self._n_channels).unbind(), workspace)
            for tile, first, last in pieces:
                begin = tile * self._span
                place, base = output.begin(begin, (last - first) * self._span, workspace)
                self._restore(products.narrow(1, first, last - first), place, base, workspace)
                output.end(begin, place)

    def _transform(self, source: Snake, tile: int, points: torch.Tensor, workspace: Workspace) -> None:
        """Writes the spectra of tiles from `tile` on to `points`: (n_points, n, width)."""
        n = points.shape[1]
        piece = source.piece(tile * self._span - self._reach // 2, n * self._span + self._reach, workspace)
        shape, strides = (self._half, n, self._width), (self._width, self._n_step * self._width, 1)
        halves = piece.as_strided(shape, strides), piece.as_strided(shape, strides, self._half * self._width)
        buffer = workspace.take("folded", *shape)
        rows = buffer.flatten(1)
        for half, spectrum in zip(self._halves, self._of_parities(points), strict=True):
            torch.add(*halves, alpha=half.sign, out=buffer)
            torch.mm(half.to_spectrum, rows, out=spectrum.flatten(1))

    def _of_parities(self, points: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return torch.split(points, [half.n_points for half in self._halves])

    def _multiply(self, slots: Sequence[torch.Tensor], workspace: Workspace) -> None:
        """Turns `slots` from [free, points …] into [products …, free]; each slot is (n_rows, n_channels).

        So each output is written over an input that has just been read and is still in the cache. The product of u + v stays in
        the cache too, until it is added to the other two.
        """
        total, product = workspace.take("sum and product", 2, *slots[0].shape)
        combined = workspace.take("kernel", self._n_channels, self._n_channels)
        at = 0
        for n_factors in self._n_factors:
            cosine = self._kernels.read(at, partial(workspace.take, "cosine"))
            if n_factors > 1:
                sine = self._kernels.read(at + 1, partial(workspace.take, "sine"))
                out, u, v = slots[at : at + 3]
                torch.mm(torch.add(u, v, out=total), cosine, out=product)
                torch.addmm(product, u, torch.sub(sine, cosine, out=combined), out=out)
                torch.addmm(product, v, torch.add(sine, cosine, out=combined), alpha=-1, out=u)
            else:
                torch.mm(slots[at + 1], cosine, out=slots[at])
            at += n_factors

    def _restore(self, products: torch.Tensor, place: torch.Tensor, base: torch.Tensor | None, workspace: Workspace) -> None:
        """Transforms `products` (n_points, n, width) to samples, adds `base` to them, and writes them to `place`."""
        even, odd = (self._samples(*parts, workspace) for parts in zip(self._halves, self._of_parities(products), strict=True))
        n_whole = len(place) // self._span
        n_rows = n_whole * self._span
        bases = (None, None) if base is None else self._split(base[:n_rows])
        for sign, part, below in zip((1, -1), self._split(place[:n_rows]), bases, strict=True):
            first, second = (half[:n_whole, : part.shape[1]] for half in (even, odd))
            torch.add(first if below is None else torch.add(below, first, out=part), second, alpha=sign, out=part)
        if n_rows < len(place):
            samples = torch.cat([even[-1] + odd[-1], even[-1] - odd[-1]]).view(-1, self._n_channels)[: len(place) - n_rows]
            place[n_rows:] = samples if base is None else base[n_rows:] + samples

    def _split(self, rows: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Splits the kept samples of each tile at the middle of the tile."""
        return torch.split(rows.view(len(rows) // self._span, self._n_step, self._width), self._half, 1)

    def _samples(self, half: _Half, products: torch.Tensor, workspace: Workspace) -> torch.Tensor:
        """Returns the parity's contribution to the first half of each tile: (n, n_tile / 2, width)."""
        buffer = workspace.take(f"samples {half.sign}", self._half, *products.shape[1:])
        torch.mm(half.to_samples, products.flatten(1), out=buffer.flatten(1))
        return buffer.transpose(0, 1)


def _kernels(both: Sequence[Parity], weight: torch.Tensor) -> torch.Tensor:
    """Returns the factors of the frequencies in the order of the points, (n_points, n_in, n_out): one of a real frequency, and
    c and s of each other one.
    """
    factors = [one for parity in both for one in (*parity.real_kernels[:, None], *parity.kernels)]
    return torch.einsum("pk,oik->pio", torch.from_numpy(np.concatenate(factors)), weight.double()).float()
