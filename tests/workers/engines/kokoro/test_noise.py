import threading

import pytest
import torch
from kokoro.istftnet import SourceModuleHnNSF

from workers.engines.kokoro.noise import SeededSource, seeded


@pytest.fixture
def original() -> SourceModuleHnNSF:
    torch.manual_seed(0)
    return SourceModuleHnNSF(sampling_rate=24_000, upsample_scale=300, harmonic_num=8, voiced_threshod=10)


@pytest.fixture
def pitch() -> torch.Tensor:
    """Half a second, first voiced and then not."""
    return torch.cat([torch.linspace(100, 200, 20), torch.zeros(20)]).repeat_interleave(300).reshape(1, -1, 1)


@torch.no_grad()
def _make(source: SeededSource, pitch: torch.Tensor, digest: bytes) -> torch.Tensor:
    with seeded(digest):
        return source(pitch)[0]


def test_the_noise_belongs_to_the_segment(original: SourceModuleHnNSF, pitch: torch.Tensor) -> None:
    source = SeededSource(original)
    one, other, again = (_make(source, pitch, digest) for digest in (b"1" * 32, b"2" * 32, b"1" * 32))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_the_global_generator_is_left_alone(original: SourceModuleHnNSF, pitch: torch.Tensor) -> None:
    source = SeededSource(original)
    before = torch.random.get_rng_state()
    _make(source, pitch, b"1" * 32)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_threads_have_their_own_noise(original: SourceModuleHnNSF, pitch: torch.Tensor) -> None:
    source = SeededSource(original)
    barrier = threading.Barrier(2)
    made: dict[bytes, torch.Tensor] = {}

    def work(digest: bytes) -> None:
        with seeded(digest), torch.no_grad():
            barrier.wait()
            made[digest] = source(pitch)[0]

    threads = [threading.Thread(target=work, args=(digest,)) for digest in (b"1" * 32, b"2" * 32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(waves, _make(source, pitch, digest)) for digest, waves in made.items())


@torch.no_grad()
def test_without_noise_it_is_the_original(
    original: SourceModuleHnNSF, pitch: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.full(shape, 0.25))
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    expected, _, _ = original(pitch)
    source = SeededSource(original)
    monkeypatch.setattr(source, "_draw", lambda kind, shape, _: torch.full(shape, 0.25 if len(shape) == 2 else 0.0))
    torch.testing.assert_close(source(pitch)[0], expected)


def test_noise_without_a_seed_is_an_error(original: SourceModuleHnNSF, pitch: torch.Tensor) -> None:
    with pytest.raises(LookupError):
        SeededSource(original)(pitch)
