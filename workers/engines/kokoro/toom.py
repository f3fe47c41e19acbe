"""Convolution of a kernel of three with fewer products, for the decoder's blocks of a thousand channels.

Four samples and the kernel between them are a product of polynomials, of degree 5. That is known from its values at six points
(Toom and Cook; for pictures, Winograd), so that six products for each pair of channels do where the plain formula takes twelve.
Why here alone: making the points costs a few passes over the signal, which is little beside a thousand products a number, and
half of the time beside a hundred. Why not through the frequency domain: its tiles are longer, and a short segment has only some
hundred samples here, too few tiles for a good matrix product. Why four samples and no more: with each one the points lie
farther apart, and digits are lost; with four it is the sixth of float32's seven.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import pad

N_STEP: Final = 4
N_KERNEL: Final = 3
_POINTS: Final = (0.0, 1.0, -1.0, 2.0, -2.0)
"""The sixth is infinity."""

Matrix = npt.NDArray[np.float64]


def matrices() -> tuple[Matrix, Matrix, Matrix]:
    """B (6, 6), K (6, 3) and A (6, 4) of y = Aᵀ((K w) ∘ (B x)): what correlates six samples x with the kernel w.

    Correlation is the product of polynomials read backwards: the matrix that would turn values into coefficients, transposed,
    is what is applied to x.
    """
    values = _values(len(_POINTS) + 1)
    return np.linalg.inv(values).T.astype(np.float64), _values(N_KERNEL), _values(N_STEP)


def _values(n_coefficients: int) -> Matrix:
    """(6, n_coefficients): what a polynomial's coefficients are multiplied with to give its values at the points."""
    at_infinity = np.eye(n_coefficients)[-1:]
    return np.concatenate([np.vander(_POINTS, n_coefficients, increasing=True), at_infinity])


class ToomConvolution:
    """A convolution with a kernel of three that keeps the length, zeros beside its ends, without its bias."""

    def __init__(self, original: torch.nn.Conv1d) -> None:
        """Takes over its weight, which is gone afterwards."""
        b, k, a = matrices()
        weight = original.weight.detach().double()
        self._kernel = torch.einsum("pk,oik->pio", torch.from_numpy(k), weight).float().contiguous()
        self._to_points, self._to_samples = torch.from_numpy(b).float(), torch.from_numpy(a.T.copy()).float()
        original.weight.data = torch.empty(0)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_in) → (n, n_out)"""
        n_samples, n_in = x.shape
        n_points, _, n_out = self._kernel.shape
        n_tiles = math.ceil(n_samples / N_STEP)
        padded = pad(x, (0, 0, 1, n_tiles * N_STEP - n_samples + 1))
        tiles = padded.as_strided((n_points, n_tiles, n_in), (n_in, N_STEP * n_in, 1))
        points = torch.mm(self._to_points, tiles.flatten(1))
        products = torch.bmm(points.view(n_points, n_tiles, n_in), self._kernel)
        samples = torch.mm(self._to_samples, products.flatten(1)).view(N_STEP, n_tiles, n_out)
        return samples.transpose(0, 1).reshape(-1, n_out)[:n_samples]
