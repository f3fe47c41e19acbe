"""What tells the sound of one engine from that of another: its kind, and the files that it speaks with.

Why what is in the files and not their sizes or times: another training of the same model is as long to the byte, and the same
file has another time on every machine.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


def identity_of(kind: str, files: Iterable[Path]) -> str:
    """`kind` and a digest of the files and their names, in any order. One that cannot be read is left to whoever needs it."""
    digests = sorted((file.name, _digest(file)) for file in files)
    return f"{kind} {hashlib.sha256(repr(digests).encode()).hexdigest()}"


def short(identity: str) -> str:
    """16 hex digits that stand for it where many are carried about."""
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _digest(file: Path) -> str:
    try:
        status = file.stat()
        return _read(file, status.st_size, status.st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=256)
def _read(file: Path, n_bytes: int, changed_ns: int) -> str:
    """Once as long as size and time stay: an engine that is loaded again need not wait for it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
