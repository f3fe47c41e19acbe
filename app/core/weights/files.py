"""Kokoro's files: their names, their places, and which set is used.

Why in core: the workers load them, and `koe serve`, which imports no worker, notices new ones. Why the Hub's cache is read by
its folder layout: `huggingface_hub` is not installed with the API alone.

Why the set with the most voices comes first: a download from the Hub adds voices one by one, and must not replace a complete
set before it is complete itself.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import msgspec

from app.core.errors import EngineUnavailable
from app.core.host import remedies
from app.core.host.home import expand_home

Precision = Literal["original", "8-bit"]
"""Precision of a set of weights."""

REPOSITORY: Final = "hexgrad/Kokoro-82M"
WEIGHTS: Final = "kokoro-v1_0.pth"
WEIGHTS_8BIT: Final = "kokoro-v1_0.8-bit.pth"
"""Same names and shapes, made from the 8-bit file in the package registries."""
PRECISIONS: Final[dict[str, Precision]] = {WEIGHTS: "original", WEIGHTS_8BIT: "8-bit"}
"""Files of weights, best first, and Koe's name for their precision."""
CONFIG: Final = "config.json"


class CheckpointError(EngineUnavailable):
    """Kokoro's files are missing or incomplete; the message names the file and the command that fixes it."""


class MissingFile(CheckpointError):
    """A file of the checkpoint is missing."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(f"Kokoro's file {name} is not in {place}. Run {remedies.koe('fetch')} to download it.")


class CheckpointFiles(msgspec.Struct, frozen=True):
    """Paths of the files of a checkpoint."""

    config: Path
    weights: Path
    voices: dict[str, Path]
    """Voice id → its pack, for the voices of the catalogue that are present."""
    place: str
    """For messages: the folder or cache that was searched."""

    @property
    def precision(self) -> Precision:
        """Precision of the weights."""
        return PRECISIONS[self.weights.name]

    @property
    def paths(self) -> list[Path]:
        """Every file."""
        return [self.config, self.weights, *self.voices.values()]


def find_checkpoint(model_dir: Path | None, voice_ids: Iterable[str], fetched_dir: Path | None = None) -> CheckpointFiles:
    """The files in `model_dir`. When it is None: those in the Hugging Face cache or in `fetched_dir`, where `koe fetch` stores
    files from the package registries. The set with more voices is used; with equal numbers, the Hub's. Downloads nothing.

    Raises MissingFile for the config, the weights, or when none of `voice_ids` has a pack.
    """
    voice_ids = tuple(voice_ids)
    if model_dir is not None:
        return _find_in(model_dir, str(model_dir), voice_ids)
    places = [(_hub_folder(), "the Hugging Face cache")]
    if fetched_dir is not None and fetched_dir.is_dir():
        places.append((fetched_dir, str(fetched_dir)))
    found, failure = [], None
    for folder, place in places:
        try:
            found.append(_find_in(folder, place, voice_ids))
        except MissingFile as error:
            failure = error
    if not found:
        assert failure is not None
        raise failure
    return max(found, key=lambda files: len(files.voices))


def _find_in(folder: Path, place: str, voice_ids: Iterable[str]) -> CheckpointFiles:
    config, weights = folder / CONFIG, next((folder / name for name in PRECISIONS if (folder / name).is_file()), None)
    packs = {voice_id: folder / "voices" / f"{voice_id}.pt" for voice_id in voice_ids}
    voices = {voice_id: path for voice_id, path in packs.items() if path.is_file()}
    if not config.is_file():
        raise MissingFile(CONFIG, place)
    if weights is None:
        raise MissingFile(WEIGHTS, place)
    if not voices:
        raise MissingFile("voices/*.pt", place)
    return CheckpointFiles(config, weights, voices, place)


def _hub_folder() -> Path:
    """Folder of the newest downloaded revision in the Hub's cache; it may not exist."""
    repository = _hub_cache() / f"models--{REPOSITORY.replace('/', '--')}"
    try:
        revision = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        revision = "main"
    return repository / "snapshots" / revision


def _hub_cache() -> Path:
    """The Hub's cache, by the environment variables that `huggingface_hub` documents."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{caches}/huggingface"
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return expand_home(Path(os.path.expandvars(named)))
