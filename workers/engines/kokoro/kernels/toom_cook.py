"""Convolution with short kernels, with fewer products.

Four samples and a kernel multiply as polynomials. For a kernel of three the product has degree 5, so its values at six points
determine it (Toom-Cook; Winograd for images). That takes six products for each pair of channels instead of the plain formula's
twelve. For a kernel of two it takes five instead of eight.

Why not the frequency domain: a kernel of three takes as many products there, and longer transforms. Tiles are longer there too,
and a short segment has only a few hundred samples before the generator, too few tiles for an efficient matrix product.

Why four samples and no more: more samples need points that lie farther apart, which loses precision. With four, the error is in
the sixth of float32's seven digits.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from workers.engines.kokoro.kernels.adain import Snake
from workers.engines.kokoro.kernels.matrices import Matrices, Precision
from workers.engines.kokoro.kernels.workspace import Output, Workspace, rows_of_piece

N_STEP: Final = 4
_POINTS: Final = (0.0, 1.0, -1.0, 2.0, -2.0)
"""Infinity is one more point. A kernel of two does not use the last point listed here."""

_MANY_CHANNELS: Final = 1024
"""From this number of input channels on, kernels are stored by columns: a tenth faster there, slower for fewer channels."""

Matrix = npt.NDArray[np.float64]


def matrices(n_kernel: int) -> tuple[Matrix, Matrix, Matrix]:
    """Returns B, K and A of y = Aᵀ((K w) ∘ (B x)), the correlation of x with w.

    B is (n_points, n_points), K (n_points, n_kernel) and A (n_points, N_STEP). Correlation is the transpose of the polynomial
    product: B is the transpose of the matrix that turns values into coefficients. `n_kernel` is at most three.
    """
    n_points = N_STEP + n_kernel - 1
    b = np.linalg.inv(_values(n_points, n_points)).T.astype(np.float64)
    return b, _values(n_points, n_kernel), _values(n_points, N_STEP)


def _values(n_points: int, n_coefficients: int) -> Matrix:
    """Returns the matrix (n_points, n_coefficients) from a polynomial's coefficients to its values at the points."""
    at_infinity = np.eye(n_coefficients)[-1:]
    return np.concatenate([np.vander(_POINTS[: n_points - 1], n_coefficients, increasing=True), at_infinity])


class Toom:
    """A convolution of rows without a bias. The input already contains its padding."""

    def __init__(self, weight: torch.Tensor, precision: Precision = "float32") -> None:
        """`weight`: (n_out, n_in, n_kernel), with n_kernel at most three. `precision`: of its values at the points."""
        b, k, a = matrices(weight.shape[2])
        kernels = torch.einsum("pk,oik->pio", torch.from_numpy(k), weight.double()).float()
        self._kernels = Matrices(kernels, precision, by_columns=weight.shape[1] >= _MANY_CHANNELS)
        self._to_points, self._to_samples = torch.from_numpy(b).float(), torch.from_numpy(a.T.copy()).float()

    def __call__(self, x: torch.Tensor, n_tiles: int, dilation: int = 1) -> torch.Tensor:
        """`x` (dilation * (n_tiles * N_STEP + n_kernel - 1), n_in) → (n_tiles * N_STEP * dilation, n_out)."""
        n_points, n_in, n_out = len(self._kernels), self._kernels.n_in, self._kernels.n_out
        width = dilation * n_in
        tiles = x.as_strided((n_points, n_tiles, width), (width, N_STEP * width, 1))
        points = torch.mm(self._to_points, tiles.flatten(1)).view(n_points, -1, n_in)
        products = torch.empty(n_points, points.shape[1], n_out)
        for number, (values, product) in enumerate(zip(points, products, strict=True)):
            self._kernels.multiply(values, number, out=product)
        samples = torch.mm(self._to_samples, products.flatten(1))
        return samples.view(N_STEP, n_tiles, dilation * n_out).transpose(0, 1).reshape(-1, n_out)


class ToomConvolution:
    """A Convolution by Toom-Cook."""

    def __init__(self, weight: torch.Tensor, dilation: int, precision: Precision = "float32") -> None:
        """`weight`: (n_out, n_in, n_kernel), with n_kernel at most three."""
        self._toom, self._dilation = Toom(weight, precision), dilation
        self._span, self._reach = N_STEP * dilation, dilation * (weight.shape[2] - 1)
        self._n_piece = max(1, rows_of_piece(weight.shape[1]) // self._span)

    def __call__(self, source: Snake, output: Output, workspace: Workspace) -> None:
        """Convolves `source` (n_samples, n_in) and writes (n_samples, n_out) to `output`."""
        n_tiles = math.ceil(source.n_samples / self._span)
        for start in range(0, n_tiles, self._n_piece):
            workspace.give_way()
            n = min(self._n_piece, n_tiles - start)
            piece = source.piece(start * self._span - self._reach // 2, n * self._span + self._reach, workspace)
            output.write(start * self._span, self._toom(piece, n, self._dilation))
