"""The files of jobs, in a folder or in any store that fsspec knows (S3, Google Cloud Storage, …).

`<job id>/parts/00001.pcm` are the parts that are spoken, `<job id>/speech.mp3` the finished file; beside them
`parts/00001.words` and `words.json`, where the times of words were asked for.

Why files pass through the local disk on their way to a store elsewhere: a file can then be written with seeks, as exact headers
want it, and is uploaded in one go at the end or not at all, whatever the backend makes of an upload that breaks off.
"""

import errno
import io
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

import structlog
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from app.core.errors import SettingsError, StoreFailed, StoreFull
from app.core.settings import Settings

_log: Final = structlog.get_logger(__name__)

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def part_path(job_id: str, number: int) -> str:
    """The samples of one part, which are numbered from 1."""
    return f"{job_id}/parts/{number:05}.pcm"


def part_words_path(job_id: str, number: int) -> str:
    """The words of one part, their times from its beginning."""
    return f"{job_id}/parts/{number:05}.words"


def parts_folder(job_id: str) -> str:
    """All parts of a job."""
    return f"{job_id}/parts"


def file_path(job_id: str, name: str) -> str:
    """The finished file of a job, by its name."""
    return f"{job_id}/{name}"


def words_path(job_id: str) -> str:
    """The words of a finished file and its cues, as `app.core.speech.captions` writes them."""
    return f"{job_id}/words.json"


def open_store(settings: Settings) -> "Store":
    """The store that KOE_STORE names. Nothing is written or asked for yet. Raises SettingsError for one that cannot be."""
    return Store(settings.store or str(settings.data / "store"), reserve_bytes=settings.store_reserve)


class Store:
    """Files by paths such as `a/b.mp3`. Its methods block, and may be called from many threads.

    What goes wrong with the place itself (read-only, away) raises StoreFailed, StoreFull where it is full; reading what is not
    there raises FileNotFoundError, and so does writing into a folder that somebody deletes meanwhile.
    """

    def __init__(self, url: str, *, reserve_bytes: int = 0) -> None:
        """`url`: a folder, which need not be there yet, or a URL of fsspec's. Raises SettingsError for what cannot be one.

        `reserve_bytes` stay free on the disk of a folder.
        """
        self._reserve_bytes = reserve_bytes
        try:
            self._fs, self._root = url_to_fs(url)
        except ImportError as error:
            raise SettingsError(f"KOE_STORE: {error}. For s3:// URLs: pip install 'koe[s3]'.") from error
        except ValueError as error:
            raise SettingsError(f"KOE_STORE: {error}.") from error
        self._is_local = isinstance(self._fs, LocalFileSystem)

    @contextmanager
    def put(self, path: str) -> Iterator[BinaryIO]:
        """A file to be written, with seeks if need be: it appears whole at a clean exit, and not at all on an exception."""
        with self._put_local(path) if self._is_local else self._put_elsewhere(path) as file:
            yield file

    def write(self, path: str, data: bytes) -> None:
        """Makes a file of the bytes, in the same way as `put`."""
        with self.put(path) as file:
            file.write(data)

    def require_room(self, n_bytes: int) -> None:
        """Raises StoreFull where a file of so many bytes has no room: in the folder, or on its way to a store elsewhere."""
        place = Path(self._root if self._is_local else tempfile.gettempdir())
        with _told():
            n_free = shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free
        if n_free < n_bytes + self._reserve_bytes:
            _log.error("store_full", n_free_bytes=n_free, n_wanted_bytes=n_bytes, n_reserved_bytes=self._reserve_bytes)
            raise StoreFull

    def open(self, path: str) -> BinaryIO:
        """A file to be read, with seeks; the caller closes it."""
        with _told((FileNotFoundError,)):
            return _Handle(self._fs.open(self._full(path), "rb")).as_file()

    def size(self, path: str) -> int:
        """Bytes of a file."""
        with _told((FileNotFoundError,)):
            self._fs.invalidate_cache()
            return int(self._fs.size(self._full(path)))

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder."""
        with _told():
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self._full(path)))

    def delete_folder(self, path: str) -> None:
        """Removes a folder and all that is in it; one that is not there is no error."""
        full = self._full(path)
        with suppress(FileNotFoundError), _told((FileNotFoundError,)):
            self._fs.invalidate_cache()
            try:
                self._fs.rm(full, recursive=True)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                # A worker has put a file into it meanwhile; the next one finds no folder to put it into.
                self._fs.rm(full, recursive=True)

    def _full(self, path: str) -> str:
        """Raises StoreFailed for a path that leads out of the store: names of jobs and files come from Redis."""
        if any(part in ("", ".", "..") for part in path.split("/")):
            _log.error("store_path_refused")
            raise StoreFailed
        return f"{self._root.rstrip('/')}/{path}"

    @contextmanager
    def _put_local(self, path: str) -> Iterator[BinaryIO]:
        target = Path(self._full(path))
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        with _told((FileNotFoundError,)):
            target.parent.mkdir(parents=True, exist_ok=True)
            file = part.open("w+b")
        try:
            yield _Handle(file).as_file()
            with _told((FileNotFoundError,)):
                file.flush()
                os.fsync(file.fileno())
                file.close()
                part.replace(target)
        finally:
            with suppress(OSError):
                file.close()
            with suppress(OSError):
                part.unlink(missing_ok=True)

    @contextmanager
    def _put_elsewhere(self, path: str) -> Iterator[BinaryIO]:
        with _told():
            file = tempfile.NamedTemporaryFile(prefix="koe-")  # noqa: SIM115 - closed below; its failures are told apart
        try:
            yield _Handle(file).as_file()
            with _told():
                file.flush()
                self._fs.put_file(file.name, self._full(path))
        finally:
            with suppress(OSError):
                file.close()


class _Handle(io.RawIOBase):
    """An open file, whose failures are StoreFailed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def as_file(self) -> BinaryIO:
        """Itself, by the name that callers use."""
        return cast("BinaryIO", self)

    def readable(self) -> bool:
        """Whether the file is one to be read."""
        return self._file.readable()

    def writable(self) -> bool:
        """Whether the file is one to be written."""
        return self._file.writable()

    def seekable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer as far as the file goes."""
        with _told():
            return cast("int", self._file.readinto(buffer))  # type: ignore[attr-defined]

    def write(self, data: Any) -> int:
        """Writes all of it."""
        with _told():
            return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As any file."""
        with _told():
            return self._file.seek(offset, whence)

    def tell(self) -> int:
        """As any file."""
        return self._file.tell()

    def close(self) -> None:
        """Closes the file, unless it is closed; what could not be written is told by who opened it."""
        if not self.closed and not self._file.writable():
            self._file.close()
        super().close()


@contextmanager
def _told(passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turns whatever a backend raises into StoreFailed, and logs why; what is `passing` is let through."""
    try:
        yield
    except passing:
        raise
    except StoreFailed:
        raise
    except Exception as error:  # third party: every backend of fsspec raises errors of its own
        code = error.errno if isinstance(error, OSError) else None
        _log.error("store_failed", error=type(error).__name__, reason=os.strerror(code) if code else None)
        raise (StoreFull if code in _FULL else StoreFailed) from error
