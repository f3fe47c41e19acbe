"""Divides a long text into parts that are spoken separately and joined again, and chooses the pause between two of them.

Why about five minutes of speech: many machines can work on one book, and a failure costs little. Still a part consists of whole
paragraphs, so the joins are not audible.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from app.core.jobs.job import Part, TextChapter
from app.core.speech.boundaries import Ending, ending_of, weigh
from app.core.speech.pauses import PAUSE, PAUSE_SECONDS
from workers.text.chapters import Chapter, find_chapters
from workers.text.passages import Borders
from workers.text.segment import segment

PART_WEIGHT: Final = 5000.0
"""Target weight of a part, in phonemes as `weigh` estimates them."""

CHAPTER_PAUSE_SECONDS: Final = 1.5
"""Pause before a chapter at speed 1."""

_ENOUGH: Final[dict[Ending, float]] = {Ending.PARAGRAPH: 0.8, Ending.SENTENCE: 1.3, Ending.CLAUSE: 1.6, Ending.CUT: 2.0}
"""Share of the target weight from which a part may end at this ending."""
_MIN_REST: Final = 0.3
"""A rest that is lighter than this share of a part is added to the part before it."""

_MAX_TAIL_CHARS: Final = 100
_SILENCE: Final = rf"(?:{PAUSE}|<break\b[^<>]{{0,60}}+>)"
_ENDS_WITH_PAUSE: Final = re.compile(rf"{_SILENCE}\s*\Z", re.IGNORECASE)
_BEGINS_WITH_PAUSE: Final = re.compile(rf"\s*{_SILENCE}", re.IGNORECASE)


class _Piece(msgspec.Struct, frozen=True):
    start: int
    weight: float
    ending: Ending
    may_begin: bool
    """Whether a part may begin with this piece."""


class _Run(msgspec.Struct, frozen=True):
    """The pieces of one part."""

    pieces: list[_Piece]
    chapter: str | None


def plan_parts(text: str, language: str, chapters: Sequence[TextChapter] = ()) -> list[Part]:
    """Returns the parts in order, at least one. Together they are the text. `language` is a BCP 47 tag.

    `chapters` are those of the text, if they are known; otherwise its headings are searched.
    """
    known = [Chapter(chapter.start, chapter.title) for chapter in chapters]
    runs = list(_find_runs(text, language, known or find_chapters(text))) or [_Run([], None)]
    edges = [0, *(run.pieces[0].start for run in runs[1:]), len(text)]
    return [
        Part(start=start, end=end, n_segments=len(run.pieces), chapter=run.chapter)
        for (start, end), run in zip(pairwise(edges), runs, strict=True)
    ]


def pause_seconds(text: str, part: Part, following: Part, speed: float) -> float:
    """Returns the silence between a part and the following one, by the ending of the part. It is 0 if the user's text has a
    pause there, since that is spoken with its part.
    """
    if _ENDS_WITH_PAUSE.search(_tail(text, part)) or _BEGINS_WITH_PAUSE.match(text, following.start, following.end):
        return 0.0
    pause = CHAPTER_PAUSE_SECONDS if following.chapter is not None else PAUSE_SECONDS[ending_of(_tail(text, part))]
    return pause / speed


def _find_runs(text: str, language: str, found: list[Chapter]) -> Iterator[_Run]:
    chapters = found if found and not text[: found[0].start].strip() else [Chapter(0, ""), *found]
    edges = [*(chapter.start for chapter in chapters), len(text)]
    for (start, end), chapter in zip(pairwise(edges), chapters, strict=True):
        title: str | None = chapter.title or None
        for pieces in _divide(list(_pieces(text, language, start, end))):
            yield _Run(pieces, title)
            title = None


def _pieces(text: str, language: str, start: int, end: int) -> Iterator[_Piece]:
    """Yields the pieces of `segment` with their positions in the text."""
    borders = Borders(text[start:end])
    for piece in segment(text[start:end], language):
        yield _Piece(start + piece.start, weigh(piece.text), piece.ending, borders.may_divide(piece.start))


def _divide(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    """Yields runs of about the same weight."""
    rest = sum(piece.weight for piece in pieces)
    aim = rest / max(1, round(rest / PART_WEIGHT))
    run: list[_Piece] = []
    weight = 0.0
    for piece in pieces:
        if run and piece.may_begin and weight >= _ENOUGH[run[-1].ending] * aim and rest >= _MIN_REST * aim:
            yield run
            run, weight = [], 0.0
        run.append(piece)
        weight, rest = weight + piece.weight, rest - piece.weight
    if run:
        yield run


def _tail(text: str, part: Part) -> str:
    return text[max(part.start, part.end - _MAX_TAIL_CHARS) : part.end]
