"""The files of jobs, in a folder or in any store that fsspec supports (S3, Google Cloud Storage, …).

`<job id>/parts/00001.pcm` are the spoken parts and `<job id>/speech.mp3` is the finished file. If word times were requested,
`parts/00001.words` and `words.json` are next to them; `cover` is the picture of an audiobook.

Why files for a remote store are first written to the local disk: exact headers need seeks, and the file is then uploaded in one
piece or not at all, however the backend handles an upload that breaks off.
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
from typing_extensions import override

from app.core.errors import SettingsError, StoreFailed, StoreFull
from app.core.host import remedies

_log: Final = structlog.get_logger(__name__)

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


def part_path(job_id: str, number: int) -> str:
    """The samples of one part; parts are numbered from 1."""
    return f"{job_id}/parts/{number:05}.pcm"


def part_words_path(job_id: str, number: int) -> str:
    """The word times of one part, counted from its beginning."""
    return f"{job_id}/parts/{number:05}.words"


def parts_folder(job_id: str) -> str:
    """The folder of all parts of a job."""
    return f"{job_id}/parts"


def file_path(job_id: str, name: str) -> str:
    """The finished file of a job."""
    return f"{job_id}/{name}"


def words_path(job_id: str) -> str:
    """The word times and captions of a finished file, as `app.core.speech.captions` writes them."""
    return f"{job_id}/words.json"


def cover_path(folder: str) -> str:
    """The cover in the folder of a job or of a document."""
    return f"{folder}/cover"


class Store:
    """Files by paths such as `a/b.mp3`. The methods block; many threads may call them.

    A store that is read-only or unreachable raises StoreFailed, a full one StoreFull. A missing file raises FileNotFoundError,
    and so does a write into a folder that another process deletes meanwhile.
    """

    def __init__(self, url: str, *, reserve_bytes: int = 0) -> None:
        """`url`: a folder, which need not exist yet, or a URL of fsspec. Raises SettingsError for an invalid one.

        `reserve_bytes` stay free on the disk of a folder.
        """
        self._reserve_bytes = reserve_bytes
        try:
            self._fs, self._root = url_to_fs(url)
        except ImportError as error:
            raise SettingsError(f"KOE_STORE: {error}. For s3:// URLs, run {remedies.install('s3')}.") from error
        except ValueError as error:
            raise SettingsError(f"KOE_STORE: {error}.") from error
        self._is_local = isinstance(self._fs, LocalFileSystem)

    @contextmanager
    def put(self, path: str) -> Iterator[BinaryIO]:
        """A file to write, with seeks if needed. It appears as a whole at a clean exit, and not at all after an exception."""
        with self._put_local(path) if self._is_local else self._put_elsewhere(path) as file:
            yield file

    def write(self, path: str, data: bytes) -> None:
        """Creates a file of these bytes, in the same way as `put`."""
        with self.put(path) as file:
            file.write(data)

    def require_free_space(self, n_bytes: int) -> None:
        """Raises StoreFull when there is no room for a file of `n_bytes`: in the folder, or on the local disk on its way to a
        remote store.
        """
        place = Path(self._root if self._is_local else tempfile.gettempdir())
        with _as_store_errors():
            n_free = shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free
        if n_free < n_bytes + self._reserve_bytes:
            _log.error("store_full", n_free_bytes=n_free, n_wanted_bytes=n_bytes, n_reserved_bytes=self._reserve_bytes)
            raise StoreFull

    def open(self, path: str) -> BinaryIO:
        """A file to read, with seeks; the caller closes it."""
        with _as_store_errors((FileNotFoundError,)):
            return _Handle(self._fs.open(self._full(path), "rb")).as_file()

    def size(self, path: str) -> int:
        """Bytes of a file."""
        with _as_store_errors((FileNotFoundError,)):
            self._fs.invalidate_cache()
            return int(self._fs.size(self._full(path)))

    def exists(self, path: str) -> bool:
        """Whether the file or folder exists."""
        with _as_store_errors():
            self._fs.invalidate_cache()
            return bool(self._fs.exists(self._full(path)))

    def delete(self, path: str) -> None:
        """Deletes a file; a missing one is no error."""
        with suppress(FileNotFoundError), _as_store_errors((FileNotFoundError,)):
            self._fs.rm_file(self._full(path))

    def delete_folder(self, path: str) -> None:
        """Deletes a folder with its contents; a missing one is no error."""
        full = self._full(path)
        with suppress(FileNotFoundError), _as_store_errors((FileNotFoundError,)):
            self._fs.invalidate_cache()
            try:
                self._fs.rm(full, recursive=True)
            except OSError as error:
                if error.errno != errno.ENOTEMPTY:
                    raise
                # A worker has put a file into it meanwhile. The next try deletes that too.
                self._fs.rm(full, recursive=True)

    def _full(self, path: str) -> str:
        """The full path. Raises StoreFailed for a path outside the store: names of jobs and files come from Redis."""
        if any(part in ("", ".", "..") for part in path.split("/")):
            _log.error("store_path_refused")
            raise StoreFailed
        return f"{self._root.rstrip('/')}/{path}"

    @contextmanager
    def _put_local(self, path: str) -> Iterator[BinaryIO]:
        target = Path(self._full(path))
        part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        with _as_store_errors((FileNotFoundError,)):
            target.parent.mkdir(parents=True, exist_ok=True)
            file = part.open("w+b")
        try:
            yield _Handle(file).as_file()
            with _as_store_errors((FileNotFoundError,)):
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
        with _as_store_errors():
            file = tempfile.NamedTemporaryFile(prefix="koe-")  # noqa: SIM115 - closed below, outside of `_as_store_errors`
        try:
            yield _Handle(file).as_file()
            with _as_store_errors():
                file.flush()
                self._fs.put_file(file.name, self._full(path))
        finally:
            with suppress(OSError):
                file.close()


class _Handle(io.RawIOBase):
    """An open file whose errors are StoreFailed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def as_file(self) -> BinaryIO:
        """Itself, with the type that callers use."""
        return cast("BinaryIO", self)

    @override
    def readable(self) -> bool:
        return self._file.readable()

    @override
    def writable(self) -> bool:
        return self._file.writable()

    @override
    def seekable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        with _as_store_errors():
            return cast("int", self._file.readinto(buffer))  # type: ignore[attr-defined]

    def write(self, data: Any) -> int:
        """Writes all of the data."""
        with _as_store_errors():
            return self._file.write(data)

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        with _as_store_errors():
            return self._file.seek(offset, whence)

    @override
    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        """Closes a file that is read. `put` closes a file that is written, and reports what could not be written."""
        if not self.closed and not self._file.writable():
            self._file.close()
        super().close()


@contextmanager
def _as_store_errors(passing: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turns any exception of a backend into StoreFailed and logs it; those in `passing` are raised unchanged."""
    try:
        yield
    except passing:
        raise
    except StoreFailed:
        raise
    except Exception as error:  # third party: every backend of fsspec raises its own errors
        code = error.errno if isinstance(error, OSError) else None
        _log.error("store_failed", error=type(error).__name__, reason=os.strerror(code) if code else None)
        raise (StoreFull if code in _FULL else StoreFailed) from error
