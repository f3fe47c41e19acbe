"""A convolution with six products for four samples, against the plain formula."""

import numpy as np
import pytest
import torch

from workers.engines.kokoro.toom import ToomConvolution, matrices


def test_the_matrices_correlate_exactly() -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=6), rng.normal(size=3)
    b, k, a = matrices()
    np.testing.assert_allclose(a.T @ ((k @ w) * (b @ x)), np.correlate(x, w, "valid"), atol=1e-12)


@torch.inference_mode()
@pytest.mark.parametrize("n_samples", [1, 4, 5, 99, 100])
def test_it_is_the_plain_formula(n_samples: int) -> None:
    torch.manual_seed(0)
    original = torch.nn.Conv1d(30, 20, 3, padding=1, bias=False)
    x = torch.randn(n_samples, 30)
    expected = original(x.t()).t()
    torch.testing.assert_close(ToomConvolution(original)(x), expected, rtol=1e-5, atol=1e-5)
