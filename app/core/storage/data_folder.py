"""The folder `KOE_DATA`: for this user alone, and found unusable at the start and not in the middle of something.

It holds what others have asked to be said and their finished files. Why the modes of what lies in it and not its own, where it
is there already: it may be anybody's, such as a volume or /tmp.
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
from app.core.settings import Settings

log: Final = structlog.get_logger()

PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
_OTHERS: Final = 0o077
_HELD: Final = ("appendonlydir", "store", "valkey.log", "koe.lock", "*.rdb")
"""What Koe keeps in the folder. Kokoro's files, that lie there too, are no secret."""
FULL: Final = {errno.ENOSPC, errno.EDQUOT}
"""Reasons that pass."""


def prepare_folders(settings: Settings) -> None:
    """Makes the folders that these settings need, and closes to others what an earlier version left open.

    Raises Misconfigured for one that cannot be used. Where Redis is elsewhere only the files of jobs would lie in `KOE_DATA`:
    then the log says that there can be none.
    """
    store = settings.data / "store"
    try:
        make_private(settings.data, "KOE_DATA")
        if not settings.store:
            make_private(store, "KOE_DATA")
    except Misconfigured as error:
        if settings.redis_url is None:
            raise
        if not settings.store:
            log.warning("jobs_cannot_be_kept", reason=str(error))
    if settings.store and "://" not in settings.store:
        make_private(Path(settings.store), "KOE_STORE")
    _close_to_others(settings.data)


def make_private(folder: Path, name: str) -> None:
    """Makes the folder, for this user alone, unless it is there. Raises Misconfigured, with the name of the setting that is to
    blame, when it cannot be made or written to.
    """
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno in FULL:
            raise
        raise Misconfigured(
            f"{name} must be a folder that this user ({os.getuid()}) can write to, and {folder} is none ({error.strerror})."
        ) from error


def private_opener(path: str, flags: int) -> int:
    """For `open`: a file that is made is this user's alone."""
    return os.open(path, flags, PRIVATE_FILE)


def _close_to_others(folder: Path) -> None:
    closed = [path.name for pattern in _HELD for path in folder.glob(pattern) if _close(path)]
    if closed:
        log.warning("closed_to_others", folder=str(folder), names=closed, reason="Other users of this machine could read it.")


def _close(path: Path) -> bool:
    """Whether it was open to others. What a link points to is left as it is: it may be anybody's."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
            return True
    return False
