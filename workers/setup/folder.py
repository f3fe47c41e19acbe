"""A folder of Kokoro's files: finds its files, and adds new files completely or not at all.

Why new files are written to a subfolder and then moved: a move within one file system is atomic, and a subfolder is on the same
file system even where the folder is a mounted volume. Why the weights are moved last: without weights the loader ignores the
folder.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from huggingface_hub import try_to_load_from_cache

from workers.engines.kokoro.names import CONFIG, PRECISIONS, REPOSITORY, WEIGHTS_8BIT
from workers.setup import notice
from workers.setup.errors import NoSpace

_STAGE: Final = ".new"


def voice_file(voice_id: str) -> str:
    """Returns the name of a voice's file, such as `voices/af_heart.pt`."""
    return f"voices/{voice_id}.pt"


def find(folder: Path | None, name: str) -> Path | None:
    """Returns the file in `folder`, or in the Hub's cache if `folder` is None; None if there is no such file."""
    if folder is not None:
        return folder / name if (folder / name).is_file() else None
    cached = try_to_load_from_cache(REPOSITORY, name)
    return Path(cached) if isinstance(cached, str) else None


def missing(folder: Path | None, names: Iterable[str]) -> list[str]:
    """Returns the `names` that are not in `folder`, or not in the Hub's cache if `folder` is None."""
    return [name for name in names if find(folder, name) is None]


def precision(folder: Path | None) -> str | None:
    """Returns `original` or `8-bit`, the best weights in the folder; None if it has none."""
    return next((PRECISIONS[name] for name in PRECISIONS if find(folder, name)), None)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Yields an empty subfolder of `folder` for new files, and deletes it at the end. First deletes the subfolder of a killed
    run.
    """
    stage = folder / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def move_in(stage: Path, folder: Path) -> None:
    """Moves every file of `stage` to its place in `folder`, the weights last."""
    files = [path for path in stage.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name in PRECISIONS):
        place = folder / path.relative_to(stage)
        place.parent.mkdir(parents=True, exist_ok=True)
        _flush(path)
        path.replace(place)


def remove_8bit(model_dir: Path | None, fetched_dir: Path, voice_ids: Iterable[str]) -> None:
    """Deletes the 8-bit weights, which the originals replace.

    If `model_dir` is None, also deletes the configuration and the voices from `fetched_dir`, since the Hub's cache has them.
    Voices that the operator added stay.
    """
    folder = model_dir or fetched_dir
    if not (folder / WEIGHTS_8BIT).exists():
        return
    (folder / WEIGHTS_8BIT).unlink()
    if model_dir is None:
        for name in (CONFIG, *map(voice_file, voice_ids)):
            (folder / name).unlink(missing_ok=True)
    notice.write(folder)
    for empty in (folder / "voices", folder):
        if empty.is_dir() and not any(empty.iterdir()):
            empty.rmdir()


def check_space(folder: Path, n_bytes: int) -> None:
    """Raises NoSpace if the disk of `folder` has less than `n_bytes` free. The folder need not exist."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if shutil.disk_usage(there).free < n_bytes:
        raise NoSpace(there, n_bytes)


def _flush(path: Path) -> None:
    """Writes the file to the disk, so that a power failure after the move leaves no empty file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
