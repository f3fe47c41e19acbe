"""Convolutions with fewer products, against the plain formula."""

import numpy as np
import pytest
import torch

from workers.engines.kokoro.kernels import toom_cook
from workers.engines.kokoro.kernels.toom_cook import N_STEP, Toom, matrices


@pytest.mark.parametrize("n_kernel", [2, 3])
def test_the_matrices_correlate_exactly(n_kernel: int) -> None:
    rng = np.random.default_rng(0)
    b, k, a = matrices(n_kernel)
    x, w = rng.normal(size=len(b)), rng.normal(size=n_kernel)
    np.testing.assert_allclose(a.T @ ((k @ w) * (b @ x)), np.correlate(x, w, "valid"), atol=1e-12)


@torch.inference_mode()
@pytest.mark.parametrize("n_kernel", [2, 3])
@pytest.mark.parametrize("dilation", [1, 3])
@pytest.mark.parametrize("n_tiles", [1, 25])
@pytest.mark.parametrize("many_channels", [30, 31])
def test_it_is_the_plain_formula(
    monkeypatch: pytest.MonkeyPatch, n_kernel: int, dilation: int, n_tiles: int, many_channels: int
) -> None:
    monkeypatch.setattr(toom_cook, "_MANY_CHANNELS", many_channels)
    torch.manual_seed(0)
    weight = torch.randn(20, 30, n_kernel) / 10
    x = torch.randn(dilation * (n_tiles * N_STEP + n_kernel - 1), 30)
    expected = torch.conv1d(x.t(), weight, dilation=dilation).t()
    torch.testing.assert_close(Toom(weight)(x, n_tiles, dilation), expected, rtol=1e-5, atol=1e-5)
