"""The identity of an engine, equal for two engines that give the same sound. It consists of the kind and the files' contents.

Why the contents of the files and not their sizes or times: another training of the same model has the same size, and the same
file has another time on every machine.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path


def identity_of(kind: str, files: Iterable[Path]) -> str:
    """Returns `kind` with a digest of the files and their names. The order of `files` has no effect. An unreadable file raises
    no error here.
    """
    digests = sorted((file.name, _digest(file)) for file in files)
    return f"{kind} {hashlib.sha256(repr(digests).encode()).hexdigest()}"


def short(identity: str) -> str:
    """Returns 16 hex digits that represent `identity`, for places that hold many identities."""
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _digest(file: Path) -> str:
    try:
        status = file.stat()
        return _read(file, status.st_size, status.st_mtime_ns)
    except OSError:
        return ""


@lru_cache(maxsize=256)
def _read(file: Path, n_bytes: int, changed_ns: int) -> str:
    """Returns the digest of the file. The cache applies while size and time are unchanged, so reloading an engine does not read
    it again.
    """
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
