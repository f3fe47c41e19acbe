"""Divides the blocks of a file into chapters, by its headings or, where it marks none, by what their lines say.

Why the level of the chapters is the highest that occurs twice: a single heading is the title of the whole, and the levels below
that of the chapters divide the chapters themselves.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

import msgspec

from app.core.speech.titles import show_title
from workers.documents.book import MAX_CHAPTERS, Block, BookChapter, join_blocks
from workers.documents.matter import has_prose, is_matter_title
from workers.text.chapters import find_chapters

MAX_TITLE_CHARS: Final = 200
_MAX_CHAPTERS_OF_HEADINGS: Final = 300
"""More headings than this are not those of chapters, so the next higher level counts."""


class Start(msgspec.Struct, frozen=True):
    """Where a chapter begins."""

    place: int
    """Index of its first block."""
    title: str
    is_matter: bool = False


def divide(blocks: Sequence[Block], title: str) -> list[BookChapter]:
    """The chapters, at least one if there is any block. `title` names the text before the first of them, or the whole."""
    starts = list(_starts_of_headings(blocks)) or list(_starts_of_words(blocks))
    if not starts:
        return list(cut(blocks, [Start(0, title)]))
    if starts[0].place:
        front = blocks[: starts[0].place]
        starts.insert(0, Start(0, title, is_matter=not has_prose(block.text for block in front)))
    return list(cut(blocks, starts))


def cut(blocks: Sequence[Block], starts: Sequence[Start]) -> Iterator[BookChapter]:
    """Yields the chapters that begin at these places, in order. One without any text is left out."""
    edges = [*(start.place for start in starts), len(blocks)]
    for start, (first, last) in zip(starts, pairwise(edges), strict=True):
        if text := join_blocks(blocks[first:last]):
            title = tidy_title(start.title)
            yield BookChapter(title=title, text=text, is_matter=start.is_matter or is_matter_title(title))


def tidy_title(title: str) -> str:
    """A title in one line, not too long."""
    line = " ".join(show_title(title).split())
    return line if len(line) <= MAX_TITLE_CHARS else f"{line[: MAX_TITLE_CHARS - 1]}…"


def _starts_of_headings(blocks: Sequence[Block]) -> Iterator[Start]:
    """Yields the chapters by headings; none unless there are two headings of one level."""
    deepest = _deepest_level(blocks)
    group: list[int] = []
    for place, block in enumerate(blocks):
        if not 0 < block.level <= deepest:
            continue
        if group and group[-1] == place - 1:
            group.append(place)
            continue
        if group:
            yield _start_of(group, blocks, deepest)
        group = [place]
    if group:
        yield _start_of(group, blocks, deepest)


def _deepest_level(blocks: Sequence[Block]) -> int:
    """The lowest level of headings at which chapters begin; 0 if headings do not divide the text."""
    n_headings = Counter(block.level for block in blocks if block.level)
    deepest = min((level for level, n in n_headings.items() if n > 1), default=0)
    while deepest and sum(n for level, n in n_headings.items() if level <= deepest) > _MAX_CHAPTERS_OF_HEADINGS:
        deepest -= 1
    return deepest


def _start_of(group: list[int], blocks: Sequence[Block], deepest: int) -> Start:
    """A chapter of headings that follow one another. The title of the whole, at the top, names no chapter."""
    titled = group
    if group[0] == 0 and len(group) > 1 and sum(block.level == blocks[0].level for block in blocks) == 1:
        titled = group[1:]
    return Start(group[0], " – ".join(blocks[place].title for place in titled[-3:]))


def _starts_of_words(blocks: Sequence[Block]) -> Iterator[Start]:
    """Yields the chapters by lines such as "Chapter 1"."""
    text = join_blocks(blocks)
    places = list(accumulate((len(block.text) + 2 for block in blocks), initial=0))
    found = find_chapters(text)
    at = 0
    for chapter in found if len(found) <= MAX_CHAPTERS else ():
        while places[at + 1] <= chapter.start:
            at += 1
        yield Start(at, chapter.title)
