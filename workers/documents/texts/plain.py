"""Reads plain text: lines that were wrapped at a width become paragraphs again, and what Project Gutenberg adds is left out.

Why each line is asked whether the next word would have fitted: then it was ended on purpose, as in a poem, a list or an
address, and stays a line of its own.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from app.core.speech.characters import HAN_AND_KANA
from workers.documents.book import Block, Book
from workers.documents.decoding import decode
from workers.documents.division import divide
from workers.documents.tidy import tidy

_START: Final = re.compile(
    r"^\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG E(?:BOOK|TEXT)\b[^\n]{0,300}$", re.MULTILINE | re.IGNORECASE
)
_END: Final = re.compile(
    r"^(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG E(?:BOOK|TEXT)\b|End of (?:the )?Project Gutenberg's? )[^\n]{0,300}$",
    re.MULTILINE | re.IGNORECASE,
)
_FIELD: Final = re.compile(r"^(Title|Author|Language): {0,9}([^\n]{1,300}(?:\n {4,}[^\n]{1,300})*)", re.MULTILINE)
_CREDITS: Final = re.compile(
    r"\A\s*(?:Produced by|E-text prepared by|This e-?text was (?:prepared|produced)|Transcribed from)\b", re.IGNORECASE
)
_N_FIRST_BLOCKS: Final = 4
_LANGUAGES: Final = {
    "english": "en", "spanish": "es", "french": "fr", "italian": "it", "portuguese": "pt", "hindi": "hi", "japanese": "ja",
    "chinese": "zh", "german": "de", "latin": "la", "dutch": "nl", "finnish": "fi",
}  # fmt: skip

_BLANK: Final = re.compile(r"\n(?:[ \t\u3000]*\n)+")
_INDENT: Final = re.compile(r"[\u3000\t]|\s{2,}")
_WIDE: Final = re.compile(f"[{HAN_AND_KANA}\u3000-\u303f\uff00-\uffef]")
_ITEM: Final = re.compile(r"\s*(?:[-*•·–—]|\(?\d{1,3}[.)]|\|)\s")
_DIVIDED: Final = re.compile(r"[^\W\d_][-‐]\Z")
_MIN_WIDTH, _MAX_WIDTH = 40, 110
"""Columns at which prose is wrapped."""
_SLACK: Final = 10
"""Columns by which a line may be shorter than the others and still be wrapped: some programs do not fill their lines."""
_LONG_LINE: Final = 3
"""A line that is so many times as long as the width at most is a paragraph: then nothing is wrapped."""


def read_plain(data: bytes, name: str) -> Book:
    """The text, divided at headings such as "Chapter 1". `name` is its title if it has no other."""
    text = decode(data)
    start, end = _START.search(text), _END.search(text)
    fields = {} if start is None else {field: " ".join(value.split()) for field, value in _FIELD.findall(text[: start.start()])}
    body = text[start.end() if start is not None else 0 : end.start() if end is not None else len(text)]
    blocks = [Block(tidy(block)) for block in _blocks_of(body)]
    if start is not None:
        blocks = [block for place, block in enumerate(blocks) if place >= _N_FIRST_BLOCKS or not _CREDITS.match(block.text)]
    title = fields.get("Title")
    return Book(
        kind="txt",
        title=title,
        author=fields.get("Author"),
        language=_LANGUAGES.get(fields.get("Language", "").lower()),
        chapters=divide(blocks, title or name),
    )


def _blocks_of(text: str) -> Iterator[str]:
    """Yields the paragraphs, with only those line breaks that were meant."""
    width = _width_of(text)
    for block in _BLANK.split(text.strip("\n")):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        for paragraph in _paragraphs_of(lines, width):
            yield "\n".join(_unwrapped(paragraph, width))


def _width_of(text: str) -> int:
    """The columns at which the text is wrapped; 0 if it is not."""
    widths = sorted(_columns(line) for line in text.split("\n") if line.strip())
    if not widths:
        return 0
    typical, longest = widths[len(widths) * 9 // 10], widths[len(widths) * 199 // 200]
    is_wrapped = _MIN_WIDTH <= typical <= _MAX_WIDTH and longest < _LONG_LINE * typical
    return min(longest, typical + _SLACK) if is_wrapped else 0


def _columns(line: str) -> int:
    line = line.strip()
    return len(line) + len(_WIDE.findall(line))


def _paragraphs_of(lines: Sequence[str], width: int) -> Iterator[list[str]]:
    """Yields the paragraphs of a block: without a width each line is one, and an indented line begins another."""
    has_indents = len(lines) > 1 and any(_INDENT.match(line) for line in lines) and not all(map(_INDENT.match, lines))
    paragraph: list[str] = []
    for line in lines:
        is_new = _is_paragraph(line) if not width else has_indents and _INDENT.match(line) is not None
        if paragraph and is_new and _begins_paragraph(paragraph, width):
            yield paragraph
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph


def _is_paragraph(line: str) -> bool:
    """Whether a line of a text that is not wrapped is a paragraph: short ones may belong to a poem or a list."""
    return len(line) > _MAX_WIDTH or _INDENT.match(line) is not None


def _begins_paragraph(before: Sequence[str], width: int) -> bool:
    """Whether a paragraph can end here: an indented line after a short indented one is verse."""
    return not width or not (_INDENT.match(before[-1]) and _columns(before[-1]) < width - 2 * _SLACK)


def _unwrapped(lines: Sequence[str], width: int) -> Iterator[str]:
    """Yields the lines that were ended on purpose; those that were wrapped are joined to the next."""
    joined = lines[0].strip()
    for line, below in pairwise(lines):
        following = below.strip()
        if not _is_wrapped(line, below, width):
            yield joined
            joined = following
        elif _WIDE.match(joined[-1]) and _WIDE.match(following[0]):
            joined += following
        else:
            joined += following if joined.endswith(("--", "—")) else f" {following}"
    yield joined


def _is_wrapped(line: str, below: str, width: int) -> bool:
    """Whether the first word of the line below did not fit. A word that is divided by a hyphen is left to normalization."""
    if not width or _ITEM.match(below) or _DIVIDED.search(line):
        return False
    word = below.split(maxsplit=1)[0]
    n_columns = 1 if _WIDE.match(word) else _columns(word)
    indent = len(line) - len(line.lstrip())
    return indent + _columns(line) + 1 + n_columns > width - _SLACK
