"""Kokoro's files: what they are called, where they lie, and which set of them speaks.

Why in the core: the workers load them, and `koe serve`, which imports no worker, notices when they come. Why the Hub's cache is
read by its layout: `huggingface_hub` is not installed where only the API is.

Why the set with most voices goes first: a download from the Hub brings its voices one by one, and must not take the place of a
whole set before it is whole itself.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

import msgspec

from app.core.errors import EngineUnavailable
from app.core.host.home import expand_home

Precision = Literal["original", "8-bit"]
"""How exact a set of weights is."""

REPOSITORY: Final = "hexgrad/Kokoro-82M"
WEIGHTS: Final = "kokoro-v1_0.pth"
WEIGHTS_8BIT: Final = "kokoro-v1_0.8-bit.pth"
"""The same in size and shape, made of the 8-bit file that the package registries have."""
PRECISIONS: Final[dict[str, Precision]] = {WEIGHTS: "original", WEIGHTS_8BIT: "8-bit"}
"""Files of weights, best first, and what Koe calls their precision."""
CONFIG: Final = "config.json"

REMEDY: Final = "Run `koe fetch` to download it."


class CheckpointError(EngineUnavailable):
    """Kokoro's files are not there or not whole; the message names the file and the command that mends it."""


class MissingFile(CheckpointError):
    """A file of the checkpoint is not there."""

    def __init__(self, name: str, place: str) -> None:
        super().__init__(f"Kokoro's file {name} is not in {place}. {REMEDY}")


class CheckpointFiles(msgspec.Struct, frozen=True):
    """Where the parts of a checkpoint are."""

    config: Path
    weights: Path
    voices: dict[str, Path]
    """Voice id → its pack; those of the catalogue that are there."""
    place: str
    """For messages: the folder or cache that was searched."""

    @property
    def precision(self) -> Precision:
        """How exact the weights are."""
        return PRECISIONS[self.weights.name]

    @property
    def paths(self) -> list[Path]:
        """Every file."""
        return [self.config, self.weights, *self.voices.values()]


def find_checkpoint(model_dir: Path | None, voice_ids: Iterable[str], fetched_dir: Path | None = None) -> CheckpointFiles:
    """The files in `model_dir`. When it is None: those in the Hugging Face cache or in `fetched_dir`, the folder where
    `koe fetch` puts what it has from the package registries: the set with more voices, of equals the Hub's. Downloads nothing.

    Raises MissingFile for the config, the weights, or when not one of `voice_ids` has a pack.
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
    """Where the Hub's cache has the newest revision that was downloaded; the folder may not be there."""
    repository = _hub_cache() / f"models--{REPOSITORY.replace('/', '--')}"
    try:
        revision = (repository / "refs" / "main").read_text(encoding="utf-8").strip()
    except OSError:
        revision = "main"
    return repository / "snapshots" / revision


def _hub_cache() -> Path:
    """The Hub's cache, by the names of the environment that `huggingface_hub` documents."""
    caches = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{caches}/huggingface"
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return expand_home(Path(os.path.expandvars(named)))
