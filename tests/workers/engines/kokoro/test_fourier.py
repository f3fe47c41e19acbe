"""Convolution through the frequency domain, against the plain formula."""

import numpy as np
import pytest
import torch

from workers.engines.kokoro import adain, fourier
from workers.engines.kokoro.adain import Snake
from workers.engines.kokoro.convolution import DirectConvolution
from workers.engines.kokoro.fourier import FourierConvolution, matrices


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def a_snake(n_channels: int, n_samples: int) -> Snake:
    ones = torch.ones(n_channels)
    return Snake(torch.randn(n_samples, n_channels), ones, ones * 0.1, ones)


@pytest.mark.parametrize(("n_tile", "n_kernel"), [(8, 3), (24, 7), (48, 11), (12, 12)])
def test_the_matrices_correlate_exactly(n_tile: int, n_kernel: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=n_tile), rng.normal(size=n_kernel)
    b, k, a = matrices(n_tile, n_kernel)
    np.testing.assert_allclose(a.T @ ((k @ w) * (b @ x)), np.correlate(x, w, "valid"), atol=1e-12)


@pytest.mark.parametrize(("n_kernel", "n_tile"), [(7, 24), (11, 48), (3, 8)])
@pytest.mark.parametrize("dilation", [1, 3, 5])
@pytest.mark.parametrize("n_samples", [1, 20, 1201])
def test_it_is_the_plain_formula(
    n_kernel: int, n_tile: int, dilation: int, n_samples: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fourier, "TILES", 16)
    monkeypatch.setattr(adain, "PIECE_NUMBERS", 1024)
    weight = torch.randn(12, 10, n_kernel) / n_kernel
    source = a_snake(10, n_samples)
    expected = torch.conv1d(source.whole().t().double(), weight.double(), padding=dilation * (n_kernel // 2), dilation=dilation)

    out = FourierConvolution(weight, dilation, n_tile)(source)

    torch.testing.assert_close(out, expected.t().float(), rtol=1e-5, atol=2e-5)
    torch.testing.assert_close(out, DirectConvolution(weight, dilation)(source), rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    "convolution", [FourierConvolution(torch.ones(6, 6, 7), 1, 24), DirectConvolution(torch.ones(6, 6, 7), 1)]
)
def test_it_can_be_added_to_what_is_there(convolution: FourierConvolution | DirectConvolution) -> None:
    source, there = a_snake(6, 500), torch.randn(500, 6)
    to = there.clone()
    convolution.add(source, to)
    torch.testing.assert_close(to, there + convolution(source), rtol=1e-5, atol=1e-4)
