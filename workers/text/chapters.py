"""Finds the chapters of a long text by their headings, in each language that Koe speaks.

Why a heading needs the right form and the right place: "Part two was harder" begins a sentence, and "Chapter 5, which"
continues one. So a line with a title counts only next to an empty line, and its title must be separated from the number by a
mark or must not begin with a small letter.

Why every text is searched for the headings of all languages: each needs its word, and most need a number, so none is found by
mistake, and a book may name its parts in a language other than its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

import msgspec

from app.core.speech.characters import COLONS, ENDS_ANYWHERE, ENDS_BEFORE_SPACE, PAUSES_ANYWHERE, PAUSES_BEFORE_SPACE
from app.core.speech.titles import show_title
from workers.text.locales import loader
from workers.text.locales.groups import Headings
from workers.text.normalization.rules import any_of

MAX_CHAPTERS: Final = 999
"""A text with more chapters than this is a list of something and has no chapters."""

_MAX_LINE_CHARS: Final = 90
_MAX_TITLE_CHARS: Final = 120
_MAX_ADJACENT: Final = 3
"""More headings than this with no text between them are a table of contents."""

_ENDS_WIDE: Final = tuple(mark for mark in ENDS_ANYWHERE + PAUSES_ANYWHERE if mark not in COLONS)
_TITLE: Final = re.compile(r"\s*[.:：—–\-・|].*|\s+(?!\s).+")
_WIDE_TITLE: Final = re.compile(rf"(?![ではのにがをもと])[^{''.join(_ENDS_WIDE)}]+")
_MARKDOWN: Final = re.compile(r"(?P<marks>#{1,6})\s+(?P<title>.*?)\s*#*")
_FENCE: Final = re.compile(r"(?:```|~~~)")
_LINE: Final = re.compile(r"[^\n]+")
_NOT_AFTER_TITLE: Final = (*_ENDS_WIDE, *(set(PAUSES_BEFORE_SPACE) - set(COLONS)))
"""Marks after which a sentence continues or has ended; a title does not end with one of them."""
_ENDS_SENTENCE: Final = (*_NOT_AFTER_TITLE, *ENDS_BEFORE_SPACE, '"', "”", "»", "」", "』")


class Chapter(msgspec.Struct, frozen=True):
    """A chapter, which begins with its heading."""

    start: int
    """Index of its first code point in the text, from 0."""
    title: str
    """Its title in one line."""


class _Line(msgspec.Struct, frozen=True):
    """A line that is not blank."""

    start: int
    end: int
    text: str
    is_below_space: bool
    """True if the line above it is empty or there is none."""
    is_above_space: bool

    @property
    def is_beside_space(self) -> bool:
        return self.is_below_space or self.is_above_space


class _Heading(msgspec.Struct, frozen=True):
    line: _Line
    title: str
    level: int = 0
    """Level of a Markdown heading, 1 to 6; 0 for any other heading."""


def find_chapters(text: str) -> list[Chapter]:
    """Returns the chapters in order; none unless there are 2 to MAX_CHAPTERS of them."""
    headings = _limit_depth(list(_find_headings(list(_find_lines(text)))))
    chapters = [_chapter(group) for group in _group_adjacent(headings, text)]
    return chapters if 2 <= len(chapters) <= MAX_CHAPTERS else []


def _find_lines(text: str) -> Iterator[_Line]:
    spans = [match.span() for match in _LINE.finditer(text) if not match.group().isspace()]
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    is_space = [text.count("\n", end, start) > 1 for end, start in zip(ends, starts, strict=True)]
    is_space[0] = is_space[-1] = True
    for number, (start, end) in enumerate(spans):
        yield _Line(start, end, text[start:end].strip(), is_space[number], is_space[number + 1])


def _find_headings(lines: list[_Line]) -> Iterator[_Heading]:
    is_code = False
    for line, below in zip(lines, [*lines[1:], None], strict=False):
        if _FENCE.match(line.text):
            is_code = not is_code
        elif not is_code and len(line.text) <= _MAX_LINE_CHARS:
            heading = _read_markdown(line) or _read_words(line, below)
            if heading is not None:
                yield heading


def _read_markdown(line: _Line) -> _Heading | None:
    match = _MARKDOWN.fullmatch(line.text)
    return _Heading(line, match["title"], len(match["marks"])) if match is not None and match["title"] else None


def _read_words(line: _Line, below: _Line | None) -> _Heading | None:
    match = _heading().fullmatch(line.text.strip("*_ "))
    if match is None or match["head"][0].islower():
        return None
    if not match["rest"].strip(" .:"):
        if match["alone"] and not line.is_beside_space:
            return None
        return _Heading(line, match["head"] + _title_below(line, below))
    return _Heading(line, match.group()) if line.is_beside_space and _has_title(match) else None


@cache
def _heading() -> re.Pattern[str]:
    """Returns the pattern of a heading in any language."""
    all_headings = [locale.headings for locale in loader.all_locales()]

    def words(get: Callable[[Headings], Iterable[str]]) -> str:
        return any_of({word for headings in all_headings for word in get(headings)})

    word = words(lambda headings: headings.numbers)
    number = rf"(?:\d{{1,4}}|[ivxlcdm]{{1,8}}|{word}(?:[-\s](?:(?:and|y|et|e)[-\s])?{word})*)(?!\w)"
    wide = rf"第\s?[0-9０-９〇零一二三四五六七八九十百千两兩]{{1,8}}\s?{words(lambda headings: headings.counters)}"
    return re.compile(
        rf"(?P<head>{words(lambda headings: headings.before_number)}\s+(?:the\s+)?{number}"
        rf"|(?:the\s+)?{number}\s+{words(lambda headings: headings.after_number)}(?!\w)"
        rf"|(?P<alone>{words(lambda headings: headings.alone)})(?!\w)|(?P<wide>{wide}))(?P<rest>.*)",
        re.IGNORECASE,
    )


def _has_title(match: re.Match[str]) -> bool:
    """Returns whether the text after the number is a title and not the rest of a sentence."""
    rest = match["rest"]
    if match["wide"] and _WIDE_TITLE.fullmatch(rest):
        return True
    return _TITLE.fullmatch(rest) is not None and not rest.lstrip()[0].islower() and not rest.endswith(_NOT_AFTER_TITLE)


def _title_below(line: _Line, below: _Line | None) -> str:
    """Returns a colon and the title in the line below a bare number; empty if there is no such title."""
    if line.is_above_space or below is None or not below.is_above_space:
        return ""
    is_title = len(below.text) <= _MAX_LINE_CHARS and not below.text.endswith(_ENDS_SENTENCE)
    return f": {below.text}" if is_title else ""


def _limit_depth(headings: list[_Heading]) -> list[_Heading]:
    """Keeps the Markdown headings down to the highest level that has two of them, and all headings in words."""
    n_headings = Counter(heading.level for heading in headings if heading.level)
    deepest = min((level for level, n in n_headings.items() if n > 1), default=6)
    return [heading for heading in headings if heading.level <= deepest]


def _group_adjacent(headings: list[_Heading], text: str) -> Iterator[list[_Heading]]:
    """Groups headings with nothing between them into one chapter; of a table of contents, only the last heading counts."""
    group: list[_Heading] = []
    for heading in headings:
        if group and not text[group[-1].line.end : heading.line.start].isspace():
            yield group if len(group) <= _MAX_ADJACENT else group[-1:]
            group = []
        group.append(heading)
    if group:
        yield group if len(group) <= _MAX_ADJACENT else group[-1:]


def _chapter(group: list[_Heading]) -> Chapter:
    title = " – ".join(" ".join(heading.title.split()).rstrip(".:： ") for heading in group)
    return Chapter(group[0].line.start, show_title(title)[:_MAX_TITLE_CHARS])
