"""The process that reads one file: it gives up what a hostile file could use, reads from standard input and answers on standard
output.

Why everything is imported before the limits are set: afterwards the process can open no file and no connection, not even those
of its own modules.
"""

import codecs
import io
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from app.core.errors import DocumentTooLarge, DocumentUnreadable, KoeError, to_wire
from workers.documents.decoding import GUESSED
from workers.documents.kinds import read_book
from workers.documents.outcome import DAMAGED, MEDIA_TYPE, NAME, Outcome

MEMORY_BYTES: Final = 1024**3
"""Most address space of the process."""
CPU_SECONDS: Final = 30
_CODECS: Final = (*GUESSED, "utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "ascii", "cp437", "latin-1")
_WARM_UP: Final = {
    "a.txt": "Chapter 1\n\nCaf\xe9.\n\nChapter 2\n\nText.",
    "a.md": "---\ntitle: A\n---\n# One\n\n*Text*.",
    "a.html": "<p>Text.",
    "a.srt": "1\n00:00:01,000 --> 00:00:02,000\nText.\n",
}
"""Small files, by their names."""


def main() -> None:
    """Reads the file on standard input. The environment has its name and its media type."""
    filename, media_type = os.environ[NAME], os.environ[MEDIA_TYPE]
    _import_lazily_imported()
    _give_up_resources()
    sys.stdout.buffer.write(msgspec.msgpack.encode(_read(filename, media_type)))
    sys.stdout.buffer.flush()


def _read(filename: str, media_type: str) -> Outcome:
    try:
        return Outcome(book=read_book(sys.stdin.buffer, filename, media_type))
    except KoeError as error:
        return Outcome(error=to_wire(error))
    except MemoryError:
        return Outcome(error=to_wire(DocumentTooLarge("The file needs more memory than reading may take.")))
    except Exception as error:  # noqa: BLE001 - third party: parsers raise anything for damaged files
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else ""
        sys.stderr.write(f"{type(error).__name__} {where}")
        return Outcome(error=to_wire(DocumentUnreadable(DAMAGED)))


def _import_lazily_imported() -> None:
    """Reads a little of everything: libraries import modules when they need them first."""
    for name, text in _WARM_UP.items():
        read_book(io.BytesIO(text.encode("cp1252")), name)
    for name in _CODECS:
        codecs.lookup(name)


def _give_up_resources() -> None:
    """Limits the memory and the CPU time, and the right to open files and connections and to start processes."""
    with suppress(OSError):
        # If the whole machine is short of memory, this process ends before the worker.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    limits = {
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 3,
        resource.RLIMIT_NPROC: 0,
    }
    for name, limit in limits.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(name, (limit, limit))


if __name__ == "__main__":
    main()
