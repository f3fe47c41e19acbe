"""A book: what is read from a file, whatever its kind."""

from collections.abc import Sequence
from typing import Final

import msgspec

MAX_CHAPTERS: Final = 999
MAX_TEXT_CHARS: Final = 20_000_000
"""Most characters of a whole file: twenty times what a job speaks by default."""
MAX_COVER_BYTES: Final = 10 * 1024**2
MAX_NAME_CHARS: Final = 300
"""Longest title and author."""


class Picture(msgspec.Struct, frozen=True):
    """A picture of a known kind."""

    media_type: str
    """`image/jpeg` or `image/png`."""
    data: bytes


class Block(msgspec.Struct, frozen=True):
    """A paragraph, a heading, a list, a table or a stanza; its lines are separated by single line breaks."""

    text: str
    level: int = 0
    """1 to 6 for a heading."""
    name: str = ""
    """The title of a heading whose text has marks; empty if the text is the title."""

    @property
    def title(self) -> str:
        """Its title in one line."""
        return self.name or join_lines(self.text.split("\n"))


class BookChapter(msgspec.Struct, frozen=True, kw_only=True):
    """A chapter, with its heading in its text."""

    title: str
    text: str
    is_matter: bool = False
    """Whether it is front or back matter that few want to hear: title page, contents, copyright, index."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """All that is read from a file."""

    kind: str
    title: str | None = None
    author: str | None = None
    language: str | None = None
    """BCP 47 tag."""
    chapters: list[BookChapter]
    cover: Picture | None = None


def join_blocks(blocks: Sequence[Block]) -> str:
    """The text of these blocks, with a blank line between two of them."""
    return "\n\n".join(block.text for block in blocks)


def join_lines(lines: Sequence[str]) -> str:
    """A title of several lines in one: `Chapter 1` and `The Boy` become `Chapter 1: The Boy`."""
    joined = ""
    for line in (" ".join(line.split()) for line in lines):
        if not joined or not line:
            joined = joined or line
        else:
            joined += (": " if joined[-1].isalnum() else " ") + line
    return joined
