"""Koe's ALBERT against the one of transformers, on the same weights."""

import subprocess
import sys

import pytest
import torch
import transformers

from workers.engines.kokoro.albert import AlbertConfig, AlbertModel
from workers.engines.kokoro.kernels.threads import Team
from workers.engines.kokoro.package import KModel

SIZES = {
    "vocab_size": 178,
    "hidden_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 2048,
    "max_position_embeddings": 512,
    "num_hidden_layers": 12,
}


@pytest.fixture(scope="module")
def both() -> tuple[AlbertModel, torch.nn.Module]:
    """Both models with the same random weights. Loading fails if their names or shapes differ."""
    torch.manual_seed(0)
    theirs = transformers.AlbertModel(transformers.AlbertConfig(**SIZES, dropout=0.1)).eval()
    ours = AlbertModel(AlbertConfig(**SIZES, dropout=0.1)).eval()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("n_tokens", [1, 3, 6, 14, 33, 64, 512])
@torch.inference_mode()
def test_every_bit_is_that_of_transformers(both: tuple[AlbertModel, torch.nn.Module], n_tokens: int) -> None:
    ours, theirs = both
    ids = torch.randint(0, SIZES["vocab_size"], (1, n_tokens), generator=torch.Generator().manual_seed(n_tokens))
    mask = torch.ones_like(ids).int()
    expected = theirs(ids, attention_mask=mask).last_hidden_state
    assert torch.equal(ours(ids, attention_mask=mask).last_hidden_state, expected)


@torch.inference_mode()
def test_two_threads_give_the_same_bits(both: tuple[AlbertModel, torch.nn.Module]) -> None:
    ids = torch.arange(60).unsqueeze(0)
    with Team(2) as team:
        two = both[0](ids, run=team.run).last_hidden_state
    assert torch.equal(both[0](ids).last_hidden_state, two)


def test_the_package_has_ours_and_others_can_have_transformers() -> None:
    assert issubclass(sys.modules["kokoro.modules"].CustomAlbert, AlbertModel)
    assert sys.modules[KModel.__module__].AlbertConfig is AlbertConfig
    assert sys.modules["transformers"].AlbertModel is transformers.AlbertModel


def test_an_engine_loads_neither_transformers_nor_a_compiler() -> None:
    heavy = "transformers", "sympy", "torch._dynamo", "torch._inductor"
    code = f"import sys, workers.engines.kokoro.engine; sys.exit(', '.join(sys.modules.keys() & {set(heavy)}) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
