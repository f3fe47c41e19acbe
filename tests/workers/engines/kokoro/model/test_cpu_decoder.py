"""Prosody and decoders against the package's model, on a small checkpoint, with the same noise."""

import pytest
import torch

from tests.checkpoints import DEFAULT_VOICES, make_checkpoint
from tests.noise import drawing
from workers.engines.kokoro.checkpoint import CheckpointFiles, find_checkpoint, load_model
from workers.engines.kokoro.kernels.matrices import Precision
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.gpu_decoder import BatchDecoder, fill_up
from workers.engines.kokoro.model.prosody import Prosody, Score
from workers.engines.kokoro.package import KModel

pytestmark = pytest.mark.usefixtures("one_thread_of_torch")

DIGEST = b"a segment's digest"


class Ours:
    """A checkpoint, loaded into our two halves of the model."""

    def __init__(self, model: KModel, device: str | None = None) -> None:
        self.prosody = Prosody(model)
        self.decoder = Decoder(model.decoder) if device is None else BatchDecoder(model.decoder, torch.device(device))

    def score(self, ids: torch.Tensor, style: torch.Tensor, speed: float = 1.0, digest: bytes = DIGEST) -> Score:
        return self.prosody(ids, style, speed, digest)

    def speak(self, *scores: Score, n_threads: int = 1) -> list[torch.Tensor]:
        return self.decoder(scores, n_threads)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CheckpointFiles:
    return find_checkpoint(make_checkpoint(tmp_path_factory.mktemp("checkpoint")), DEFAULT_VOICES)


@pytest.fixture(scope="module")
def original(files: CheckpointFiles) -> KModel:
    return load_model(files)


@pytest.fixture(scope="module")
def ours(files: CheckpointFiles) -> Ours:
    return Ours(load_model(files))


@pytest.fixture(autouse=True)
def noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the package draw the same noise as our code."""
    monkeypatch.setattr(torch, "randn_like", drawing(DIGEST))


def an_input(n_phonemes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n_phonemes)
    ids = torch.randint(43, 150, (1, n_phonemes + 2), generator=generator)
    ids[0, [0, -1]] = 0
    return ids, torch.randn(1, 256, generator=generator) * 0.2


def is_as_close(samples: torch.Tensor, expected: torch.Tensor) -> bool:
    """Whether the difference is at most a ten-thousandth of the peak."""
    return samples.shape == expected.shape and bool((samples - expected).abs().max() <= 1e-4 * expected.abs().max())


@pytest.mark.parametrize(("n_phonemes", "speed"), [(1, 1.0), (6, 0.5), (24, 1.7)])
def test_it_speaks_as_the_package_does(original: KModel, ours: Ours, n_phonemes: int, speed: float) -> None:
    ids, style = an_input(n_phonemes)
    expected, expected_frames = original.forward_with_tokens(ids, style, speed)
    score = ours.score(ids, style, speed)
    assert torch.equal(score.n_frames, expected_frames)
    assert is_as_close(ours.speak(score)[0], expected)


def test_the_samples_are_the_same_with_any_number_of_threads(ours: Ours) -> None:
    score = ours.score(*an_input(12))
    assert torch.equal(*(ours.speak(score, n_threads=n_threads)[0] for n_threads in (1, 3)))


@pytest.mark.parametrize("tokens", [None, (5, 11)])
def test_the_score_is_the_same_with_any_number_of_threads(ours: Ours, tokens: tuple[int, int] | None) -> None:
    one, three = (
        ours.prosody(*an_input(12), speed=1.0, digest=DIGEST, tokens=tokens, n_threads=n_threads) for n_threads in (1, 3)
    )
    for field in one.__struct_fields__:
        ours_of_one, ours_of_three = getattr(one, field), getattr(three, field)
        assert torch.equal(torch.as_tensor(ours_of_one), torch.as_tensor(ours_of_three)), field


@pytest.mark.parametrize("precision", ["float16", "bfloat16", "int8"])
def test_lower_precision_changes_little_and_is_the_same_with_any_number_of_threads(
    files: CheckpointFiles, ours: Ours, precision: Precision
) -> None:
    score = ours.score(*an_input(12))
    exact = ours.speak(score)[0]
    decoder = Decoder(load_model(files).decoder, precision)

    one, three = (decoder([score], n_threads)[0] for n_threads in (1, 3))

    assert torch.equal(one, three)
    assert 0 < (one - exact).square().mean().sqrt() < 0.1 * exact.square().mean().sqrt()


def test_what_was_spoken_before_is_not_heard(ours: Ours) -> None:
    short, long = ours.score(*an_input(5)), ours.score(*an_input(30))
    first = ours.speak(short)[0]
    ours.speak(long, n_threads=2)

    assert torch.equal(ours.speak(short)[0], first)


def test_another_digest_is_another_noise(ours: Ours) -> None:
    one, other = (ours.score(*an_input(3), digest=digest) for digest in (DIGEST, b"another one"))
    assert not torch.equal(ours.speak(one)[0], ours.speak(other)[0])


DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"))]


@pytest.mark.parametrize("device", DEVICES)
def test_a_row_of_a_batch_is_the_segment_alone(files: CheckpointFiles, ours: Ours, device: str) -> None:
    batched = Ours(load_model(files), device)
    scores = [batched.score(*an_input(n_phonemes)) for n_phonemes in (3, 12, 7)]
    alone = [ours.speak(score)[0] for score in scores]
    for spoken in (batched.speak(*scores), batched.speak(*scores[::-1])[::-1], [batched.speak(score)[0] for score in scores]):
        assert all(is_as_close(one, other) for one, other in zip(spoken, alone, strict=True))


@pytest.mark.parametrize(("n_frames", "width"), [(1, 48), (48, 48), (49, 60), (60, 60), (61, 75), (1600, 1706)])
def test_widths_are_few(n_frames: int, width: int) -> None:
    assert fill_up(n_frames) == width
