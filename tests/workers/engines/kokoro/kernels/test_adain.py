"""AdaIN and Snake in pieces, against the plain formula of the package."""

import pytest
import torch
from kokoro.istftnet import AdaIN1d

from workers.engines.kokoro.kernels.adain import AdaIN, Snake
from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.workspace import Workspace


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@torch.inference_mode()
def test_it_is_the_plain_formula() -> None:
    original = AdaIN1d(128, 6)
    original.norm.weight.copy_(torch.rand(6) + 0.5)
    original.norm.bias.copy_(torch.randn(6))
    signal, style, alpha = torch.randn(1001, 6) * 2 + 1, torch.randn(1, 128), torch.rand(6) * 3 + 0.3
    styled = original(signal.t().unsqueeze(0), style)[0].t()
    expected = styled + (1 / alpha) * torch.sin(alpha * styled) ** 2

    moments, unit = Moments(), torch.pi / alpha
    moments.see(signal)
    bent = Snake(signal, *AdaIN(original, unit)(moments, style)).piece(0, 1001, Workspace())

    torch.testing.assert_close(bent * unit, expected, rtol=1e-5, atol=2e-5)


def test_the_sine_is_right_to_a_millionth_at_every_angle() -> None:
    turns = torch.linspace(-20, 20, 100_001).unsqueeze(1)
    one = torch.ones(1)
    bent = Snake(turns, one, one * 0).piece(0, len(turns), Workspace())
    expected = turns.double() + torch.sin(torch.pi * turns.double()) ** 2 / torch.pi
    assert (bent - expected).abs().max() < 3e-6  # 1e-6 of it is the rounding of numbers near 20


@pytest.mark.parametrize("reach", [1e-4, 1e-2, 0.5])
def test_what_is_small_keeps_its_digits(reach: float) -> None:
    turns = torch.linspace(-reach, reach, 1000).unsqueeze(1)
    one = torch.ones(1)
    bent = Snake(turns, one, one * 0).piece(0, len(turns), Workspace())
    expected = turns.double() + torch.sin(torch.pi * turns.double()) ** 2 / torch.pi
    assert (bent - expected).abs().max() < 2e-6 * reach


@pytest.mark.parametrize(("start", "end"), [(-5, 40), (10, 50), (150, 260), (-3, 300)])
def test_a_piece_is_a_part_of_the_whole_and_zero_beside_it(start: int, end: int) -> None:
    ones = torch.ones(4)
    snake, workspace = Snake(torch.randn(203, 4), ones, ones * 0.5), Workspace()
    workspace.take("piece", 400, 4).fill_(torch.nan)
    whole = snake.piece(0, 203, workspace).clone()
    expected = torch.zeros(end - start, 4)
    begin, until = max(start, 0), min(end, 203)
    expected[begin - start : until - start] = whole[begin:until]
    assert torch.equal(snake.piece(start, end - start, workspace), expected)
