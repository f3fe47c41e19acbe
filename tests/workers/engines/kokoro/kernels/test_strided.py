"""Convolutions as matrix products of rows, against PyTorch's."""

import pytest
import torch
from torch.nn.functional import pad

from workers.engines.kokoro.kernels import strided, workspace
from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.strided import NarrowConvolution, Upsampling, WindowedConvolution
from workers.engines.kokoro.kernels.workspace import Output


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(workspace, "PIECE_NUMBERS", 1024)


@torch.inference_mode()
@pytest.mark.parametrize("stride", [2, 6, 10])
@pytest.mark.parametrize("is_reflected", [False, True])
@pytest.mark.parametrize("n", [1, 33])
def test_upsampling_is_a_transposed_convolution(
    monkeypatch: pytest.MonkeyPatch, stride: int, is_reflected: bool, n: int
) -> None:
    monkeypatch.setattr(strided, "_RUN_TILES", 3)
    original = torch.nn.ConvTranspose1d(6, 4, 2 * stride, stride, padding=stride // 2)
    x = torch.randn(n, 6)
    expected = original(x.t().unsqueeze(0))
    if is_reflected:
        expected = pad(expected, (1, 0), mode="reflect")
    base = torch.randn(expected.shape[2], 4)
    out, seen = torch.full_like(base, torch.nan), Moments()
    assert original.bias is not None
    Upsampling(original, original.bias, is_reflected=is_reflected)(x, Output(out, base=base, seen=seen))
    torch.testing.assert_close(out, base + expected[0].t(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(seen.result()[0], out.mean(0), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize(("n_kernel", "stride", "padding"), [(1, 1, 0), (12, 6, 3), (3, 2, 1)])
def test_a_windowed_convolution_has_any_stride(n_kernel: int, stride: int, padding: int) -> None:
    original = torch.nn.Conv1d(5, 7, n_kernel, stride, padding)
    x = torch.randn(5, 100)
    torch.testing.assert_close(WindowedConvolution(original)(x), original(x).t(), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("n_samples", [1, 5, 50, 333])
def test_a_narrow_convolution_keeps_the_length(n_samples: int) -> None:
    original = torch.nn.Conv1d(20, 3, 7, padding=3)
    x = torch.randn(n_samples, 20)
    torch.testing.assert_close(NarrowConvolution(original)(x), original(x.t()).t(), rtol=1e-5, atol=1e-5)
