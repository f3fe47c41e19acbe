"""The encoders of phonemes against the package's."""

import pytest
import torch
from kokoro.modules import DurationEncoder as DurationEncoderOfPackage
from kokoro.modules import TextEncoder as TextEncoderOfPackage
from torch.nn.utils import remove_weight_norm

from workers.engines.kokoro.kernels.threads import Team
from workers.engines.kokoro.model.encoders import DurationEncoder, TextEncoder

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@torch.inference_mode()
@pytest.mark.parametrize("n_tokens", [3, 14, 60])
def test_every_bit_of_the_states_is_the_packages(n_tokens: int) -> None:
    torch.manual_seed(0)
    original = DurationEncoderOfPackage(sty_dim=128, d_model=512, nlayers=3, dropout=0.0).eval()
    hidden, style = torch.randn(n_tokens, 512), torch.randn(1, 128) * 0.3
    lengths, mask = torch.tensor([n_tokens]), torch.zeros(1, n_tokens, dtype=torch.bool)
    expected = original(hidden.t().unsqueeze(0), style, lengths, mask)[0]
    with Team(2) as team:
        assert torch.equal(DurationEncoder(original)(hidden, style, team), expected)


@torch.inference_mode()
@pytest.mark.parametrize("n_tokens", [3, 14, 60])
def test_the_text_is_encoded_like_in_the_package(n_tokens: int) -> None:
    torch.manual_seed(0)
    original = TextEncoderOfPackage(channels=512, kernel_size=5, depth=3, n_symbols=178).eval()
    for block in original.cnn:
        remove_weight_norm(block[0])
    ids = torch.randint(0, 178, (1, n_tokens))
    lengths, mask = torch.tensor([n_tokens]), torch.zeros(1, n_tokens, dtype=torch.bool)
    expected = original(ids, lengths, mask)[0].t()
    torch.testing.assert_close(TextEncoder(original)(ids[0], Team(1)), expected, rtol=1e-4, atol=1e-5)
