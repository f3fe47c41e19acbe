"""Watches Kokoro's files: whether they have arrived or been replaced, and are complete.

Why it waits until they no longer change: a download writes one file after the other, and workers that start with half of the
files waste a minute of the machine's time.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from app.core.weights.files import CheckpointFiles, MissingFile, find_checkpoint

LOOK_SECONDS: Final = 2.0
"""Pause between two looks. A look is some sixty calls of `stat`, less than a millisecond."""

REST_SECONDS: Final = 5.0
"""Files that have not changed for this time are complete."""

_Stamp = tuple[tuple[str, int, int, int], ...]
"""For each file: path, inode number, bytes and modification time."""


def find_complete_checkpoint(model_dir: Path | None, fetched_dir: Path, voice_ids: Iterable[str]) -> CheckpointFiles | None:
    """The files that a worker with these folders would load, with packs of `voice_ids`; None when there is no complete set."""
    try:
        return find_checkpoint(model_dir, voice_ids, fetched_dir)
    except MissingFile:
        return None


class ModelWatch:
    """Knows the files with which the workers were started, and notices other ones."""

    def __init__(
        self,
        model_dir: Path | None,
        fetched_dir: Path,
        voice_ids: Iterable[str],
        *,
        is_wanted: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`is_wanted`: the workers load such files; if not, nothing is noticed."""
        self._is_wanted = is_wanted
        self._find = partial(find_complete_checkpoint, model_dir, fetched_dir, tuple(voice_ids))
        self._clock = clock
        self._known = self._seen = self._stamp()
        self._seen_at = self._looked_at = clock()

    def forget(self) -> None:
        """Takes the present files as known. To be called when workers start, because they read these files."""
        self._known = self._seen = self._stamp()

    def has_changed(self) -> bool:
        """True once for each new set that is complete and no longer changes. Cheap: it looks at the disk every LOOK_SECONDS."""
        now = self._clock()
        if not self._is_wanted or now - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = now
        stamp = self._stamp()
        if stamp != self._seen:
            self._seen, self._seen_at = stamp, now
        if stamp is None or stamp == self._known or now - self._seen_at < REST_SECONDS:
            return False
        self._known = stamp
        return True

    def _stamp(self) -> _Stamp | None:
        """A value that distinguishes these files from others; None when there is no complete set, or it is being replaced."""
        try:
            files = self._find()
            status = [(path, path.stat()) for path in files.paths] if files is not None else []
        except OSError:
            return None
        return tuple((str(path), each.st_ino, each.st_size, each.st_mtime_ns) for path, each in status) or None
