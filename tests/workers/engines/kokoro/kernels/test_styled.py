"""A residual block of the decoder against the package's."""

import pytest
import torch
from kokoro.istftnet import AdainResBlk1d
from torch.nn.utils import remove_weight_norm

from workers.engines.kokoro.kernels.styled import StyledBlock


@torch.inference_mode()
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(("n_in", "n_out", "upsample"), [(20, 16, "none"), (16, 16, "none"), (20, 16, True)])
@pytest.mark.parametrize("n_samples", [2, 4, 5, 100, 101])
def test_it_is_the_packages(n_in: int, n_out: int, upsample: str | bool, n_samples: int) -> None:
    torch.manual_seed(0)
    original = AdainResBlk1d(n_in, n_out, 128, upsample=upsample).eval()
    for module in original.modules():
        if hasattr(module, "weight_g"):
            remove_weight_norm(module)
    x, style = torch.randn(n_samples, n_in), torch.randn(1, 128) * 0.3
    expected = original(x.t().unsqueeze(0), style)[0].t()
    torch.testing.assert_close(StyledBlock(original)(x, style), expected, rtol=1e-4, atol=1e-4)
