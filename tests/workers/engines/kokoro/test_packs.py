from pathlib import Path

import msgspec
import pytest
import torch

from app.core.errors import InvalidValue
from app.core.speech.voices import BlendPart, Catalogue
from workers.engines.kokoro.checkpoint import CheckpointFiles, DamagedFile, MissingFile, find_checkpoint
from workers.engines.kokoro.packs import MAX_CUSTOM_PACKS, VoicePacks

MINE = f"voice_{1:024x}"


@pytest.fixture
def files(checkpoint: Path, catalogue: Catalogue) -> CheckpointFiles:
    return find_checkpoint(checkpoint, catalogue.voices)


def _pack(checkpoint: Path, voice_id: str) -> torch.Tensor:
    loaded: torch.Tensor = torch.load(checkpoint / "voices" / f"{voice_id}.pt", weights_only=True)
    return loaded


def test_the_style_is_the_row_of_the_number_of_phonemes(files: CheckpointFiles, catalogue: Catalogue, checkpoint: Path) -> None:
    packs = VoicePacks(files, catalogue)
    blend, _ = catalogue.parse("af_heart")
    for n_phonemes in (1, 37, 510):
        torch.testing.assert_close(packs.style(blend, n_phonemes), _pack(checkpoint, "af_heart")[n_phonemes - 1])


def test_a_blend_is_the_weighted_sum(files: CheckpointFiles, catalogue: Catalogue, checkpoint: Path) -> None:
    packs = VoicePacks(files, catalogue)
    blend, _ = catalogue.parse("af_heart(3)+bf_emma(1)")
    expected = 0.75 * _pack(checkpoint, "af_heart") + 0.25 * _pack(checkpoint, "bf_emma")
    torch.testing.assert_close(packs.blend(blend), expected)
    assert packs.blend(blend) is packs.blend(blend)


def test_a_voice_without_a_pack_is_told_with_the_remedy(files: CheckpointFiles, catalogue: Catalogue) -> None:
    with pytest.raises(MissingFile, match=r"voices/am_adam\.pt is not in .* Run `.*koe fetch`"):
        VoicePacks(files, catalogue).check(catalogue.parse("am_adam")[0])


def test_an_unknown_voice_is_refused(files: CheckpointFiles, catalogue: Catalogue) -> None:
    with pytest.raises(InvalidValue, match="af_nobody"):
        VoicePacks(files, catalogue).check((BlendPart("af_nobody", 1.0),))


def test_a_pack_of_a_user_is_read_once_and_blended_like_any_other(
    files: CheckpointFiles, catalogue: Catalogue, checkpoint: Path
) -> None:
    mine = torch.randn(510, 1, 256)
    read: list[str] = []

    def read_custom_pack(voice_id: str) -> bytes:
        read.append(voice_id)
        return mine.numpy().tobytes()

    packs = VoicePacks(files, catalogue, read_custom_pack)
    torch.testing.assert_close(packs.blend((BlendPart(MINE, 1.0),)), mine)
    blend = BlendPart("af_heart", 0.25), BlendPart(MINE, 0.75)
    torch.testing.assert_close(packs.blend(blend), 0.25 * _pack(checkpoint, "af_heart") + 0.75 * mine)
    assert read == [MINE]


def test_only_the_packs_of_users_that_were_used_last_stay_in_memory(files: CheckpointFiles, catalogue: Catalogue) -> None:
    numbers = torch.zeros(510, 1, 256).numpy().tobytes()
    read: list[str] = []

    def read_custom_pack(voice_id: str) -> bytes:
        read.append(voice_id)
        return numbers

    packs = VoicePacks(files, catalogue, read_custom_pack)
    used = [f"voice_{n:024x}" for n in range(MAX_CUSTOM_PACKS + 1)]
    for voice_id in (*used, used[-1], used[0]):
        packs.pack(voice_id)
    assert read == [*used, used[0]]


def test_a_deleted_voice_of_a_user_is_told(files: CheckpointFiles, catalogue: Catalogue) -> None:
    with pytest.raises(InvalidValue, match="it was deleted"):
        VoicePacks(files, catalogue).check((BlendPart(MINE, 1.0),))


@pytest.mark.parametrize(
    "content",
    [
        torch.zeros(510, 1, 128),
        torch.zeros(510, 1, 256, dtype=torch.float64),
        torch.full((510, 1, 256), float("nan")),
        {"pack": torch.zeros(510, 1, 256)},
        b"broken",
    ],
)
def test_a_damaged_pack_is_refused_by_name(
    files: CheckpointFiles, catalogue: Catalogue, tmp_path: Path, content: object
) -> None:
    path = tmp_path / "af_heart.pt"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    damaged = msgspec.structs.replace(files, voices={"af_heart": path})
    with pytest.raises(DamagedFile, match=r"af_heart\.pt is damaged .*koe fetch"):
        VoicePacks(damaged, catalogue).check(catalogue.parse("af_heart")[0])
