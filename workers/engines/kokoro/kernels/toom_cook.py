"""Convolution of short kernels with fewer products.

Four samples and the kernel between them are a product of polynomials, of degree 5 for a kernel of three. That is known from its
values at six points (Toom and Cook; for pictures, Winograd), so that six products for each pair of channels do where the plain
formula takes twelve; for a kernel of two, five do instead of eight. Why not through the frequency domain: a kernel of three
takes as many products there, and a longer way; and tiles are longer, while a short segment has only some hundred samples before
the generator, too few tiles for a good matrix product. Why four samples and no more: with each one the points lie farther
apart, and digits are lost; with four it is the sixth of float32's seven.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.kernels.adain import Snake
from workers.engines.kokoro.kernels.workspace import Output, Workspace, rows_of_piece

N_STEP: Final = 4
_POINTS: Final = (0.0, 1.0, -1.0, 2.0, -2.0)
"""Of which a kernel of two has no need of the last; beside them, infinity."""

_MANY_CHANNELS: Final = 1024
"""From so many in on, kernels are kept by columns, which multiplies a tenth faster; with fewer it is slower."""

Matrix = npt.NDArray[np.float64]


def matrices(n_kernel: int) -> tuple[Matrix, Matrix, Matrix]:
    """B (n_points, n_points), K (n_points, n_kernel) and A (n_points, N_STEP) of y = Aᵀ((K w) ∘ (B x)): x correlated with w.

    Correlation is the product of polynomials read backwards: the matrix that would turn values into coefficients, transposed,
    is what is applied to x. `n_kernel`: at most three.
    """
    n_points = N_STEP + n_kernel - 1
    b = np.linalg.inv(_values(n_points, n_points)).T.astype(np.float64)
    return b, _values(n_points, n_kernel), _values(n_points, N_STEP)


def _values(n_points: int, n_coefficients: int) -> Matrix:
    """(n_points, n_coefficients): what a polynomial's coefficients are multiplied with to give its values at the points."""
    at_infinity = np.eye(n_coefficients)[-1:]
    return np.concatenate([np.vander(_POINTS[: n_points - 1], n_coefficients, increasing=True), at_infinity])


class Toom:
    """A convolution of rows that have their neighbours beside them, without a bias."""

    def __init__(self, weight: torch.Tensor) -> None:
        """`weight`: (n_out, n_in, n_kernel), of at most three."""
        b, k, a = matrices(weight.shape[2])
        kernel = torch.einsum("pk,oik->poi", torch.from_numpy(k), weight.double()).float().contiguous().transpose(1, 2)
        self._kernel = kernel if weight.shape[1] >= _MANY_CHANNELS else kernel.contiguous()
        self._to_points, self._to_samples = torch.from_numpy(b).float(), torch.from_numpy(a.T.copy()).float()

    def __call__(self, x: torch.Tensor, n_tiles: int, dilation: int = 1) -> torch.Tensor:
        """`x` (dilation * (n_tiles * N_STEP + n_kernel - 1), n_in) → (n_tiles * N_STEP * dilation, n_out)."""
        n_points, n_in, n_out = self._kernel.shape
        width = dilation * n_in
        tiles = x.as_strided((n_points, n_tiles, width), (width, N_STEP * width, 1))
        points = torch.mm(self._to_points, tiles.flatten(1)).view(n_points, -1, n_in)
        products = torch.bmm(points, self._kernel)
        samples = torch.mm(self._to_samples, products.flatten(1))
        return samples.view(N_STEP, n_tiles, dilation * n_out).transpose(0, 1).reshape(-1, n_out)


class ToomConvolution:
    """See workers.engines.kokoro.kernels.convolution.Convolution."""

    def __init__(self, weight: torch.Tensor, dilation: int) -> None:
        """`weight`: (n_out, n_in, n_kernel), of at most three."""
        self._toom, self._dilation = Toom(weight), dilation
        self._span, self._reach = N_STEP * dilation, dilation * (weight.shape[2] - 1)
        self._n_piece = max(1, rows_of_piece(weight.shape[1]) // self._span)

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """See Convolution."""
        n_tiles = math.ceil(source.n_samples / self._span)
        for start in range(0, n_tiles, self._n_piece):
            n = min(self._n_piece, n_tiles - start)
            piece = source.piece(start * self._span - self._reach // 2, n * self._span + self._reach, workspace)
            output.write(start * self._span, self._toom(piece, n, self._dilation))
