"""Standard output and error, with any text on any terminal.

Why apart from `terminal`: every command needs this at its start, and few print a table.
"""

import sys
from contextlib import suppress


def replace_what_cannot_be_shown() -> None:
    """From now on standard output and error show `?` for characters that their encoding lacks, where Python would raise."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def can_show(text: str, encoding: str | None) -> bool:
    """Whether a stream of that encoding has these characters."""
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
