"""What the process that reads a file answers: both sides of the pipe know it.

Why apart from the process's own module: that one imports all parsers, which a worker shall not hold.
"""

from typing import Final

import msgspec

from workers.documents.book import Book

NAME: Final = "DOCUMENT_NAME"
MEDIA_TYPE: Final = "DOCUMENT_MEDIA_TYPE"
"""Environment variables of the process: unlike its arguments, other users of the machine cannot see them."""

DAMAGED: Final = "The file is damaged. Open it in the program that made it and save it again."


class Outcome(msgspec.Struct, frozen=True):
    """A book, or an error in the form of `app.core.errors.to_wire`."""

    book: Book | None = None
    error: dict[str, str] | None = None
