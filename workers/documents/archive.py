"""Reads entries of a zip with limits, so that a small file cannot become a large one.

Why the limits count what is unpacked and not what the zip says: a zip can state any size. Only the entries that are needed are
unpacked, so a zip within a zip stays packed.
"""

import posixpath
import stat
import unicodedata
import zipfile
import zlib
from functools import cached_property
from typing import BinaryIO, Final
from urllib.parse import unquote

from app.core.errors import DocumentProtected, DocumentTooLarge, DocumentUnreadable

MAX_ENTRIES: Final = 20_000
MAX_ENTRY_BYTES: Final = 48 * 1024**2
"""Most bytes of one entry after unpacking."""
MAX_ALL_BYTES: Final = 256 * 1024**2
"""Most bytes of all entries that are read, after unpacking."""

_CHUNK_BYTES: Final = 1 << 18
_ENCRYPTED: Final = 0x1
_DAMAGED: Final = "The file is damaged: it ends early or has been changed on its way. Download or save it again."


class Archive:
    """A zip that is read entry by entry."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises DocumentUnreadable for a damaged zip, DocumentTooLarge for one of too many entries."""
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, UnicodeError) as error:
            raise DocumentUnreadable(_DAMAGED) from error
        self._n_bytes_left = MAX_ALL_BYTES
        if len(self._zip.infolist()) > MAX_ENTRIES:
            raise DocumentTooLarge(f"The file has more than {MAX_ENTRIES} entries.")

    def has(self, name: str) -> bool:
        """Whether there is such an entry."""
        return self._find(name) is not None

    @property
    def names(self) -> list[str]:
        """The names of all entries."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes | None:
        """The content of an entry; None if there is no such entry.

        Raises DocumentUnreadable, DocumentTooLarge, or DocumentProtected for one that needs a password.
        """
        info = self._find(name)
        if info is None:
            return None
        if info.flag_bits & _ENCRYPTED:
            raise DocumentProtected("The file is protected by a password.")
        try:
            with self._zip.open(info) as entry:
                return self._unpack(entry)  # type: ignore[arg-type]
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError) as error:
            raise DocumentUnreadable(_DAMAGED) from error

    def _unpack(self, entry: BinaryIO) -> bytes:
        limit = min(MAX_ENTRY_BYTES, self._n_bytes_left)
        data = bytearray()
        while chunk := entry.read(_CHUNK_BYTES):
            data += chunk
            if len(data) > limit:
                raise DocumentTooLarge("The file becomes too large when it is unpacked.")
        self._n_bytes_left -= len(data)
        return bytes(data)

    def _find(self, name: str) -> zipfile.ZipInfo | None:
        info = self._by_name.get(name) or self._by_folded_name.get(_fold(name))
        return None if info is None or info.is_dir() or stat.S_ISLNK(info.external_attr >> 16) else info

    @cached_property
    def _by_name(self) -> dict[str, zipfile.ZipInfo]:
        return {info.filename: info for info in self._zip.infolist()}

    @cached_property
    def _by_folded_name(self) -> dict[str, zipfile.ZipInfo]:
        """Books are often packed on systems for which `Text/Ä.html` and `text/ä.html` are one name."""
        return {_fold(info.filename): info for info in self._zip.infolist()}


def resolve(base: str, href: str) -> str:
    """The name of the entry that the entry `base` links to, without the fragment; empty for one outside of the zip."""
    path = unquote(href.partition("#")[0].partition("?")[0]).replace("\\", "/")
    if ":" in path.partition("/")[0]:
        return ""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(base), path)) if path else base
    return "" if joined.startswith(("../", "/")) or joined in (".", "..") else joined


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/")).casefold()
