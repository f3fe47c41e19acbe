"""Both kinds of convolution against the plain formula, and the rule that chooses between them."""

import pytest
import torch

from workers.engines.kokoro.kernels import fourier, workspace
from workers.engines.kokoro.kernels.adain import Snake
from workers.engines.kokoro.kernels.convolution import Convolution, make_convolution
from workers.engines.kokoro.kernels.fourier import FourierConvolution
from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.toom_cook import ToomConvolution
from workers.engines.kokoro.kernels.workspace import Output, Workspace

N_CHANNELS = 10

KINDS = {
    "three by Toom and Cook": (3, None),
    "three in tiles of 8": (3, 8),
    "seven in tiles of 24": (7, 24),
    "seven in tiles of 32": (7, 32),
    "eleven in tiles of 48": (11, 48),
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes runs and pieces so small that a short signal has many of them."""
    torch.manual_seed(0)
    monkeypatch.setattr(fourier, "RUN_TILES", 16)
    monkeypatch.setattr(workspace, "PIECE_NUMBERS", 1024)


def a_convolution(weight: torch.Tensor, dilation: int, n_tile: int | None) -> Convolution:
    return ToomConvolution(weight, dilation) if n_tile is None else FourierConvolution(weight, dilation, n_tile)


def a_snake(n_samples: int) -> Snake:
    ones = torch.ones(N_CHANNELS)
    return Snake(torch.randn(n_samples, N_CHANNELS), ones, ones * 0.1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dilation", [1, 3, 5])
@pytest.mark.parametrize("n_samples", [1, 20, 1201])
def test_it_is_the_plain_formula_of_what_it_is_added_to(kind: str, dilation: int, n_samples: int) -> None:
    n_kernel, n_tile = KINDS[kind]
    weight = torch.randn(N_CHANNELS, N_CHANNELS, n_kernel) / n_kernel
    source, workspace = a_snake(n_samples), Workspace()
    whole = source.piece(0, n_samples, workspace).t().double()
    expected = torch.conv1d(whole, weight.double(), padding=dilation * (n_kernel // 2), dilation=dilation).t().float()
    convolution, base, seen = a_convolution(weight, dilation, n_tile), torch.randn(n_samples, N_CHANNELS), Moments()

    out = torch.full_like(base, torch.nan)
    convolution(source, Output(out), workspace)
    torch.testing.assert_close(out, expected, rtol=1e-5, atol=2e-5)
    convolution(source, Output(out, base=base), workspace)
    torch.testing.assert_close(out, base + expected, rtol=1e-5, atol=2e-5)
    convolution(source, Output(base, base=base, seen=seen), workspace)
    assert torch.equal(base, out)
    torch.testing.assert_close(seen.result()[0], out.mean(0), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_of_float16_is_read_and_added_to_in_float32(kind: str) -> None:
    n_kernel, n_tile = KINDS[kind]
    convolution = a_convolution(torch.randn(N_CHANNELS, N_CHANNELS, n_kernel) / n_kernel, 3, n_tile)
    signal, base = (torch.randn(1201, N_CHANNELS).half() for _ in range(2))
    ones, workspace = torch.ones(N_CHANNELS), Workspace()

    expected = torch.empty(1201, N_CHANNELS)
    convolution(Snake(signal.float(), ones, ones), Output(expected, base=base.float()), workspace)
    convolution(Snake(signal, ones, ones), Output(base, base=base), workspace)

    assert torch.equal(base, expected.half())


@pytest.mark.parametrize(("n_kernel", "kind"), [(3, ToomConvolution), (7, FourierConvolution), (11, FourierConvolution)])
def test_the_rule_knows_lengths_alone(n_kernel: int, kind: type) -> None:
    assert isinstance(make_convolution(torch.zeros(N_CHANNELS, N_CHANNELS, n_kernel), 1), kind)
