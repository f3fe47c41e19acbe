"""The LSTM against PyTorch's."""

import pytest
import torch

from workers.engines.kokoro.kernels.lstm import BiLstm
from workers.engines.kokoro.kernels.threads import Team


@torch.inference_mode()
@pytest.mark.parametrize(("n_in", "n_hidden"), [(640, 256), (20, 8)])
@pytest.mark.parametrize("n_steps", [1, 3, 14, 138])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_every_bit_is_pytorchs(n_in: int, n_hidden: int, n_steps: int, n_threads: int) -> None:
    torch.manual_seed(0)
    original = torch.nn.LSTM(n_in, n_hidden, batch_first=True, bidirectional=True)
    x = torch.randn(n_steps, n_in)
    expected = original(x.unsqueeze(0))[0][0]
    with Team(n_threads) as team:
        assert torch.equal(BiLstm(original)(x, team), expected)
