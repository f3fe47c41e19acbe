"""Divides a long text into passages that are prepared one by one, so that the first audio does not wait for the last page.

Why passages and not sentences: the rules of normalization look at the text around a number or a mark, also in the next
sentence. So a text is divided where no rule looks across the border: at a blank line, else between two sentences, and never
within a tag, a link or another unit of markup. The normalized passages, joined, are the normalized text.
"""

import re
from collections.abc import Iterator
from heapq import merge
from itertools import takewhile
from typing import Final

import msgspec

from app.core.speech.boundaries import PARAGRAPH_BREAK, Ending, between_characters, find_sentence_ends
from app.core.speech.characters import OPENERS
from app.core.speech.tags import COMMENT
from workers.text.cancellation import check_cancelled
from workers.text.normalization.formulas.latex import FORMULA
from workers.text.normalization.markup.code_blocks import find_blocks
from workers.text.normalization.markup.markup_removal import PROGRAM
from workers.text.tracked_text import TrackedText

MIN_CHARS: Final = 1000
"""A passage ends at the first blank line from here on."""
MAX_CHARS: Final = 4000
"""A passage without a blank line ends with the first sentence from here on. Without a sentence, it ends at a space from twice
this length on; without a space, between two characters at three times this length, whatever they are.
"""

_WHOLE: Final = re.compile(
    rf"(?m:^[ \t]{{0,12}}+\|[^\n]{{1,2000}}+)|{COMMENT}|{PROGRAM}|{FORMULA}"
    rf"|</?[A-Za-z][^<>]{{0,2000}}+>|\[[^\[\]\n]{{1,500}}+\](?:\([^()\n]{{0,2000}}+\))?+",
    re.IGNORECASE,
)
_SPACE: Final = re.compile(r"(?<=\S)\s++(?=\w)")


class Passage(msgspec.Struct, frozen=True):
    """A part of a text, and the kind of boundary at its end."""

    tracked: TrackedText
    ending: Ending | None
    """None at the end of the whole text."""


class Borders:
    """The places at which a text may be divided: not within a block of code, comment, program, tag, row of a table, formula,
    link, word with phonemes or pause.
    """

    def __init__(self, text: str) -> None:
        self._wholes = merge(find_blocks(text), (match.span() for match in _WHOLE.finditer(text)))
        self._start = self._end = 0

    def may_divide(self, place: int) -> bool:
        """Returns whether the text may be divided at `place`. To be called with places in ascending order."""
        while self._end <= place:
            whole = next(self._wholes, None)
            if whole is None:
                return True
            self._start, self._end = whole
        return place <= self._start


def divide(tracked: TrackedText, language: str) -> Iterator[Passage]:
    """Yields the passages of `tracked` lazily, at least one; joined, they are the whole text.

    `language` is a BCP 47 tag.
    """
    text, borders, start = tracked.text, Borders(tracked.text), 0
    while True:
        check_cancelled()
        end, ending = _find_end(text, start, language, borders)
        yield Passage(tracked.cut(start, end), ending)
        if end == len(text):
            return
        start = end


def _find_end(text: str, start: int, language: str, borders: Borders) -> tuple[int, Ending | None]:
    last = start + 3 * MAX_CHARS
    for place, ending in _find_places(text[start : last + MAX_CHARS], language):
        if start + place < len(text) and borders.may_divide(start + place):
            return start + place, ending
    return (len(text), None) if last >= len(text) else (between_characters(text, last), Ending.CUT)


def _find_places(text: str, language: str) -> Iterator[tuple[int, Ending]]:
    """Yields the places where a passage that begins with `text` may end, in ascending order."""
    for match in takewhile(lambda match: match.start() < MAX_CHARS, PARAGRAPH_BREAK.finditer(text, MIN_CHARS)):
        yield match.end(), Ending.PARAGRAPH
    for place in find_sentence_ends(text[: 2 * MAX_CHARS], MAX_CHARS, language):
        # A passage that begins with a mark or a number might be taken for an item of a list.
        if text[place : place + 1].isalpha() or text[place : place + 1] in OPENERS:
            yield place, Ending.SENTENCE
    for match in _SPACE.finditer(text, 2 * MAX_CHARS, 3 * MAX_CHARS):
        yield match.end(), Ending.CUT
