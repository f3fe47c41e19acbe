"""The source against the package's: the same to the last bit, with the same noise."""

import pytest
import torch
from kokoro.istftnet import SourceModuleHnNSF

from workers.engines.kokoro.model.harmonic_source import Source, draw_noise

N_FRAMES = 40
N_SAMPLES = 300 * N_FRAMES


@pytest.fixture
def original() -> SourceModuleHnNSF:
    torch.manual_seed(0)
    return SourceModuleHnNSF(sampling_rate=24_000, upsample_scale=300, harmonic_num=8, voiced_threshod=10)


@pytest.fixture
def pitch_hz() -> torch.Tensor:
    """Half a second, first voiced and then not."""
    return torch.cat([torch.linspace(100, 237.3, 25), torch.rand(15) * 9]).unsqueeze(0)


def test_noise_belongs_to_the_segment() -> None:
    one, other, again = (draw_noise(digest, 100, 9) for digest in (b"1" * 32, b"2" * 32, b"1" * 32))
    assert one.shape == (100, 9)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    draw_noise(b"1" * 32, 100, 9)
    assert torch.equal(torch.random.get_rng_state(), before)


@torch.inference_mode()
def test_with_the_same_noise_it_is_the_original(
    original: SourceModuleHnNSF, pitch_hz: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = draw_noise(b"1" * 32, N_SAMPLES, 9).unsqueeze(0)
    monkeypatch.setattr(torch, "randn_like", lambda like: noise if like.shape == noise.shape else torch.zeros_like(like))
    expected, _, _ = original(pitch_hz.repeat_interleave(300, dim=1).unsqueeze(2))
    assert torch.equal(Source(original)(pitch_hz, noise), expected.squeeze(2))
