"""A residual block of the generator against the package's."""

import pytest
import torch
from kokoro.istftnet import AdaINResBlock1
from torch.nn.utils import remove_weight_norm

from workers.engines.kokoro.kernels.moments import Moments
from workers.engines.kokoro.kernels.resblock import ResBlock
from workers.engines.kokoro.kernels.workspace import Workspace


@torch.inference_mode()
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("n_kernel", [3, 7, 11])
@pytest.mark.parametrize("least_alpha", [0.001, 0.5])
def test_it_is_the_packages_less_a_constant(n_kernel: int, least_alpha: float) -> None:
    torch.manual_seed(0)
    original = AdaINResBlock1(16, n_kernel, (1, 3, 5), 128)
    for conv in (*original.convs1, *original.convs2):
        remove_weight_norm(conv)
    for alpha in (*original.alpha1, *original.alpha2):
        alpha.copy_(torch.rand_like(alpha) + least_alpha)
    x, style = torch.randn(700, 16), torch.randn(1, 128) * 0.3
    expected, before = original(x.t().unsqueeze(0), style)[0].t(), x.clone()

    block, workspace = ResBlock(original), Workspace()
    moments = Moments()
    moments.see(x)

    beside = block(x, moments, style, torch.empty_like(x), workspace)
    torch.testing.assert_close(beside + block.bias, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(x, before)
    assert torch.equal(block(x, moments, style, x, workspace), beside)
