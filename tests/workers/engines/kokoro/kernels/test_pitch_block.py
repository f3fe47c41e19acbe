"""A residual block of the pitch curve against the package's."""

import pytest
import torch
from kokoro.istftnet import AdainResBlk1d
from torch.nn.utils import remove_weight_norm

from workers.engines.kokoro.kernels.pitch_block import PitchBlock

pytestmark = pytest.mark.usefixtures("one_thread_of_torch")


@torch.inference_mode()
@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    ("n_in", "n_out", "upsample"), [(512, 512, "none"), (512, 256, True), (20, 16, True), (16, 16, "none")]
)
@pytest.mark.parametrize("n_frames", [30, 55, 120, 335])
def test_every_bit_is_the_packages(n_in: int, n_out: int, upsample: str | bool, n_frames: int) -> None:
    torch.manual_seed(0)
    original = AdainResBlk1d(n_in, n_out, 128, upsample=upsample).eval()
    for module in original.modules():
        if hasattr(module, "weight_g"):
            remove_weight_norm(module)
        if isinstance(module, torch.nn.InstanceNorm1d):
            module.weight.copy_(torch.rand(module.num_features) + 0.5)
            module.bias.copy_(torch.randn(module.num_features))
    # The order of memory in which the LSTM before the first block gives it.
    x, style = torch.randn(n_frames, n_in).t().unsqueeze(0), torch.randn(1, 128) * 0.3
    assert torch.equal(PitchBlock(original)(x, style), original(x, style))
