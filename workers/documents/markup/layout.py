"""Collects text as paragraphs and lines: the breaks between two pieces of text decide, not the elements around them."""

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from workers.documents.book import Block
from workers.documents.tidy import tidy

_SPACES: Final = re.compile(r"[ \t\n\r\f]+")
_ONE: Final = "I"
"""The number of a first chapter. Without a full stop it would be read as the word."""
_SEVERAL: Final = re.compile(" {2,}")
_LINE_ENDS: Final = re.compile(r" *\n *")
_BLANK: Final = re.compile(r"\n[ \t]*\n\s*")


class Break(IntEnum):
    """What stands between two pieces of text."""

    NONE = 0
    LINE = 1
    PARAGRAPH = 2


class Layout:
    """Blocks that grow. `anchors` tells for each name in which block its place is, `types` what the book calls that place."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.anchors: dict[str, int] = {}
        self.types: dict[str, list[str]] = {}
        self._pieces: list[str] = []
        self._break = Break.NONE
        self._is_after_br = False
        self._marker = ""
        self._level = 0
        self._has_begun_heading = False

    def break_(self, kind: Break) -> None:
        """Ends the line or the paragraph; a paragraph within a heading is a line. The stronger of two breaks counts."""
        if not self._marker:
            self._break = max(self._break, Break.LINE if self._has_begun_heading and kind else kind)

    def break_line(self) -> None:
        """Ends the line; twice, the paragraph."""
        self.break_(Break.PARAGRAPH if self._is_after_br else Break.LINE)
        self._is_after_br = True

    def begin_heading(self, level: int) -> None:
        """Begins a heading, until `end_heading`."""
        self.flush()
        self._level, self._has_begun_heading = level, True

    def end_heading(self) -> None:
        """Ends the heading. One without text is none."""
        self.flush()

    def begin_item(self, marker: str) -> None:
        """Begins an item of a list on a line of its own; its first text stands next to the marker."""
        self.break_(Break.LINE)
        self._marker = marker

    def end_item(self) -> None:
        """Ends the item. One without text has no marker either."""
        self._marker = ""
        self.break_(Break.LINE)

    def mark(self, name: str, types: Sequence[str] = ()) -> None:
        """Notes that a link to `name` leads here, and what the book calls this place."""
        if types:
            self.types.setdefault(name, list(types))
        self.anchors.setdefault(name, len(self.blocks) + (self._break is Break.PARAGRAPH and bool(self._pieces)))

    def add(self, text: str) -> None:
        """Adds text. Its spaces and line breaks count as one space."""
        text = _SPACES.sub(" ", tidy(text))
        if text in ("", " "):
            self._add_space(text)
            return
        self._end_line()
        self._pieces.append(text)

    def add_lines(self, text: str) -> None:
        """Adds text whose line breaks count; a blank line ends the paragraph."""
        for paragraph in _BLANK.split(tidy(text)):
            for line in paragraph.split("\n"):
                self.add(line)
                self.break_(Break.LINE)
            self.break_(Break.PARAGRAPH)

    def add_block(self, text: str) -> None:
        """Adds a whole block as it is."""
        self.flush()
        if text:
            self.blocks.append(Block(tidy(text)))

    def flush(self) -> None:
        """Ends the paragraph."""
        text = _LINE_ENDS.sub("\n", _SEVERAL.sub(" ", "".join(self._pieces))).strip(" \n\u00a0")
        if self._level and text == _ONE:
            self.blocks.append(Block(f"{_ONE}.", self._level, _ONE))
        elif text:
            self.blocks.append(Block(text, self._level))
        self._pieces, self._break, self._level, self._has_begun_heading = [], Break.NONE, 0, False
        self._is_after_br = False

    def _add_space(self, text: str) -> None:
        if self._pieces and self._break is Break.NONE:
            self._pieces.append(text)

    def _end_line(self) -> None:
        """Ends the line or the paragraph, if there is one, before more text."""
        if self._break is Break.PARAGRAPH and self._pieces:
            self.flush()
        elif self._break is Break.LINE and self._pieces:
            self._pieces.append("\n")
        if self._marker:
            self._pieces.append(self._marker)
        self._break, self._is_after_br, self._marker = Break.NONE, False, ""
