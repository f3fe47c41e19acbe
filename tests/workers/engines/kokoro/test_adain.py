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
    signal = torch.randn(n_samples, 5) * 3 + torch.arange(5)
    mean, variance = moments(signal)
    torch.testing.assert_close(mean, signal.double().mean(0).float(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(variance, signal.double().var(0, correction=0).float(), rtol=1e-5, atol=1e-5)


@torch.inference_mode()
@pytest.mark.parametrize("piece_numbers", [64, 1 << 16])
def test_the_whole_is_the_plain_formula(piece_numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adain, "PIECE_NUMBERS", piece_numbers)
    original = AdaIN1d(128, 6)
    original.norm.weight.copy_(torch.rand(6) + 0.5)
    original.norm.bias.copy_(torch.randn(6))
    signal, style, alpha = torch.randn(1001, 6) * 2 + 1, torch.randn(1, 128), torch.rand(6) + 0.3
    styled = original(signal.t().unsqueeze(0), style)[0].t()
    expected = styled + (1 / alpha) * torch.sin(alpha * styled) ** 2

    snake = Snake(signal, *AdaIN(original).linear(signal, style), alpha)

    torch.testing.assert_close(snake.whole(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("start", "end"), [(-5, 40), (10, 50), (150, 260), (-3, 300)])
def test_a_piece_is_a_part_of_the_whole_and_zero_beside_it(start: int, end: int) -> None:
    ones = torch.ones(4)
    snake = Snake(torch.randn(203, 4), ones, ones * 0.5, ones)
    out = torch.full((end - start, 4), torch.nan)
    snake.piece(start, out, torch.empty_like(out))

    expected = torch.zeros(end - start, 4)
    begin, until = max(start, 0), min(end, 203)
    expected[begin - start : until - start] = snake.whole()[begin:until]
    assert torch.equal(out, expected)
