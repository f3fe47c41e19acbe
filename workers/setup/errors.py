"""Errors of fetching files. Their messages are for the user.

FetchError
├── SourceFailed    one source does not have a file, or cannot be reached
│   └── WrongFile   a file has an unexpected digest
├── NoSource        all sources failed
├── NoSpace         the disk is too full
└── AlreadyRunning  another fetch is running
"""

from collections.abc import Iterable
from pathlib import Path

from app.core.host import remedies


class FetchError(Exception):
    """Base of these errors; `str(error)` is a sentence."""


class SourceFailed(FetchError):
    """One source could not deliver a file. `reason` is a short phrase."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")


class WrongFile(SourceFailed):
    """A file has another digest than the pinned one. The file is deleted."""

    def __init__(self, what: str) -> None:
        super().__init__(
            what, f"the file does not have the expected SHA-256, and is deleted. Run {remedies.koe('fetch')} again."
        )


class NoSource(FetchError):
    """Every source failed. The message says why, and what to do."""

    def __init__(self, failures: Iterable[SourceFailed]) -> None:
        reasons = "".join(f"\n  {failure}" for failure in failures)
        super().__init__(
            f"Kokoro's files could not be downloaded.{reasons}\n"
            f"Run {remedies.koe('fetch')} on a machine that reaches one of these, with KOE_MODEL_DIR set to a folder. Then "
            "bring that folder here and set KOE_MODEL_DIR to it."
        )


class NoSpace(FetchError):
    """The disk does not have enough free space."""

    def __init__(self, folder: Path, n_bytes: int) -> None:
        super().__init__(f"The disk of {folder} is too full: {n_bytes / 1e6:.0f} MB are needed. Make room, then run it again.")


class AlreadyRunning(FetchError):
    """Two fetches would write to the same files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"Another `koe fetch` is writing to {folder}. Wait until it has ended.")
