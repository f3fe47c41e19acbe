"""The matrices of a convolution through the frequency domain."""

import numpy as np
import pytest

from workers.engines.kokoro.fourier import matrices


@pytest.mark.parametrize(("n_tile", "n_kernel"), [(8, 3), (24, 7), (48, 11), (12, 12), (14, 3)])
def test_they_correlate_exactly(n_tile: int, n_kernel: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=n_tile), rng.normal(size=n_kernel)
    b, k, a, _ = matrices(n_tile, n_kernel)
    np.testing.assert_allclose(a.T @ ((k @ w) * (b @ x)), np.correlate(x, w, "valid"), atol=1e-12)


@pytest.mark.parametrize("n_tile", [8, 14, 48])
def test_the_first_rows_see_the_sum_of_halves_and_the_others_their_difference(n_tile: int) -> None:
    b, _, _, n_even = matrices(n_tile, 3)
    low, high = b[:, : n_tile // 2], b[:, n_tile // 2 :]
    np.testing.assert_allclose(high[:n_even], low[:n_even], atol=1e-12)
    np.testing.assert_allclose(high[n_even:], -low[n_even:], atol=1e-12)
