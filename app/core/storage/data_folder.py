"""The folder `KOE_DATA`: readable by this user alone, and checked at the start.

The folder holds the texts of users and their finished files. Why only the modes of its contents are changed when the folder
exists already: it may be a shared one, such as a volume or /tmp.
"""

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from app.core.errors import Misconfigured

log: Final = structlog.get_logger()

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
_OTHERS: Final = 0o077
_HELD: Final = ("appendonlydir", "store", "valkey.log", "koe.lock", "*.rdb")
"""What Koe stores in the folder. Kokoro's files are there too, but they are not secret."""
FULL: Final = {errno.ENOSPC, errno.EDQUOT}
"""Errors that pass when there is room again."""


def prepare_folders(data: Path, store: str, *, holds_queue: bool) -> None:
    """Makes the folder `data` and the folder of the files of jobs: `store`, or one in `data` if `store` is empty. Makes files
    private that an earlier version left readable for others.

    `holds_queue`: the embedded Valkey has its files in `data`. Raises Misconfigured for a folder that cannot be used. Without
    the queue, `data` would hold only the files of jobs: then an unusable folder is logged, and the server starts without jobs.
    """
    try:
        make_private(data, "KOE_DATA")
        if not store:
            make_private(data / "store", "KOE_DATA")
    except Misconfigured as error:
        if holds_queue:
            raise
        if not store:
            log.warning("jobs_cannot_be_kept", reason=str(error))
    if store and "://" not in store:
        make_private(Path(store), "KOE_STORE")
    _close_to_others(data)


def make_private(folder: Path, name: str) -> None:
    """Makes the folder, for this user alone, unless it exists. Raises Misconfigured, which names the setting, when it cannot be
    made or written to.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno in FULL:
            raise
        raise Misconfigured(
            f"{name} must be a folder that this user ({os.getuid()}) can write to, and {folder} is not one ({error.strerror})."
        ) from error


def private_opener(path: str, flags: int) -> int:
    """An opener for `open`: a new file is readable by this user alone."""
    return os.open(path, flags, PRIVATE_FILE)


def _close_to_others(folder: Path) -> None:
    closed = [path.name for pattern in _HELD for path in folder.glob(pattern) if _close(path)]
    if closed:
        log.warning("closed_to_others", folder=str(folder), names=closed, reason="Other users of this machine could read it.")


def _close(path: Path) -> bool:
    """Makes the path private. True when others could read it. The target of a link stays as it is: it may belong to anybody."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
            return True
    return False
