"""The matrices of a convolution in the frequency domain."""

import numpy as np
import pytest

from workers.engines.kokoro.kernels.fourier import Matrix, Parity, parities


def correlate(parity: Parity, x: Matrix, w: Matrix) -> Matrix:
    """Returns the contribution of a parity's frequencies to the first half of a tile, product by product."""
    low, high = np.split(x, 2)
    real, complex_ = np.split(parity.to_spectrum @ (low + parity.sign * high), [len(parity.real_kernels)])
    u, v = complex_.reshape(-1, 2).T
    cosine, sine = (parity.kernels @ w).T
    of_sum, of_u, of_v = cosine, sine - cosine, -cosine - sine
    parts = np.stack([of_sum * (u + v) + of_u * u, of_sum * (u + v) + of_v * v], axis=1)
    samples: Matrix = parity.to_samples @ np.concatenate([(parity.real_kernels @ w) * real, parts.reshape(-1)])
    return samples


@pytest.mark.parametrize(("n_tile", "n_kernel"), [(8, 3), (24, 7), (48, 11), (12, 6), (14, 3)])
def test_they_correlate_exactly(n_tile: int, n_kernel: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=n_tile), rng.normal(size=n_kernel)
    even, odd = (correlate(parity, x, w) for parity in parities(n_tile, n_kernel))
    samples = np.concatenate([even + odd, even - odd])[: n_tile - n_kernel + 1]
    np.testing.assert_allclose(samples, np.correlate(x, w, "valid"), atol=1e-12)


@pytest.mark.parametrize("n_tile", [8, 14, 48])
def test_every_frequency_is_of_one_parity(n_tile: int) -> None:
    even, odd = parities(n_tile, 3)
    assert len(even.real_kernels) + len(odd.real_kernels) == 2
    assert 2 * (len(even.kernels) + len(odd.kernels)) == n_tile - 2
