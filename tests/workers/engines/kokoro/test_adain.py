"""AdaIN and Snake in pieces, against the plain formula of the package."""

import pytest
import torch
from kokoro.istftnet import AdaIN1d

from workers.engines.kokoro import adain
from workers.engines.kokoro.adain import AdaIN, Snake, moments


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("n_samples", [7, 100, 70_000])
def test_moments_are_those_of_all_samples(n_samples: int) -> None:
    signal = torch.randn(5, n_samples) * 3 + torch.arange(5).unsqueeze(1)
    mean, variance = moments(signal)
    torch.testing.assert_close(mean, signal.double().mean(1, keepdim=True).float(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(variance, signal.double().var(1, keepdim=True, correction=0).float(), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("piece_samples", [64, 1 << 16])
def test_the_whole_is_the_plain_formula(piece_samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adain, "PIECE_SAMPLES", piece_samples)
    original = AdaIN1d(128, 6)
    original.norm.weight.copy_(torch.rand(6) + 0.5)
    original.norm.bias.copy_(torch.randn(6))
    signal, style, alpha = torch.randn(6, 1001) * 2 + 1, torch.randn(1, 128), torch.rand(6, 1) + 0.3
    styled = original(signal.unsqueeze(0), style)[0]
    expected = styled + (1 / alpha) * torch.sin(alpha * styled) ** 2

    snake = Snake(signal, *AdaIN(original).linear(signal, style), alpha)

    torch.testing.assert_close(snake.whole(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("start", "end"), [(-5, 40), (10, 50), (150, 260), (-3, 300)])
def test_a_piece_is_a_part_of_the_whole_and_zero_beside_it(start: int, end: int) -> None:
    ones = torch.ones(4, 1)
    snake = Snake(torch.randn(4, 203), ones, ones * 0.5, ones)
    whole = snake.whole()[1:3]
    out = torch.full((2, end - start), torch.nan)
    snake.piece(1, 3, start, end, out, torch.empty(2 * (end - start)))

    expected = torch.zeros(2, end - start)
    begin, until = max(start, 0), min(end, 203)
    expected[:, begin - start : until - start] = whole[:, begin:until]
    assert torch.equal(out, expected)
