"""Takes blocks of code out of a text: between lines of ``` or ~~~, in `<pre>`, and indented lines that can only be code.

Why no Markdown parser: it does not say at which character of the text its output stood, so no word could be timed, and it takes
any indented paragraph for code, also a verse.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.tracked_text import TrackedText

MAX_CHARS: Final = 100_000
"""What stands between two marks and is longer than this is text."""
MAX_UNCLOSED: Final = 20_000
"""A block that never closes runs to the end of the text, as in Markdown; but if that is further away, it is no block."""

_FENCE: Final = re.compile(r"(?m)^(?:[ \t]{0,12}+(?:>[ \t]?+){0,4}+[ \t]{0,3}+)(?P<mark>`{3,}+|~{3,}+)(?P<info>[^\n`]*+)$")
_PRE: Final = re.compile(r"<(?P<end>/?)pre\b[^<>]{0,500}+>", re.IGNORECASE)
_INDENTED: Final = re.compile(r"(?m)(?:\A|(?<=\n\n))(?:(?:\t| {4,12}+)[^\s][^\n]*+(?:\n|\Z))++")
_KEYWORDS: Final = (
    "def|class|import|from|return|elif|else|try|for|while|if|const|let|var|function|public|private|static|void|int|use|package|"
    "func|fn|struct|#include|#define|SELECT|INSERT|CREATE"
)
_COMMANDS: Final = (
    "(?:sudo|npm|npx|pip3?|git|docker|curl|cd|brew|apt|apt-get|cargo|python3?|uv|yarn|kubectl|koe) [a-z./-]|"
    "make(?: [a-z-]{1,20}){0,2}$|go (?:run|build|get|test|install|mod)\\b"
)
_CODE_LINE: Final = re.compile(
    rf"[ \t]{{0,80}}+(?:(?:{_KEYWORDS})\b(?:[^\n]{{0,300}}?[:;{{}}()=,]$|[^\n]{{0,200}}?(?: [-+]?== ?| = |\(\)))"
    r"|return(?: [\w.]{1,40}(?: ?[-+*/%] ?[\w.]{1,40}){0,9})?$|from [\w.]{1,60} import |import [\w.]{1,60}(?: as \w{1,30})?$"
    rf"|[$%>#] ?[a-z./-]|[{{}}\])]|</?[A-Za-z]|//|{_COMMANDS}"
    r"|[\w.\[\]\"']{1,60}+(?: ?(?:[-+*/|&:]?=|:=|=>|->) ?\S|\([^\n]{0,200}\)[;:{]?$)"
    r"|[^\n]{0,200}?[=(\[][^\n]{0,200}?;$|[^\n]{0,300}?(?:[{}]|\\)$)"
)
_FRONT: Final = re.compile(
    r"\s{0,20}+---[ \t]*+\n(?:[A-Za-z_][\w-]{0,40}+:(?: [^\n]{0,500}+)?\n|[ \t-][^\n]{0,500}+\n){1,60}?---[ \t]*+(?=\n|\Z)"
)
"""Lines with the properties of a page at its head."""
_BEFORE: Final = 300
"""Characters before and after a block that decide whether it would leave a hole."""
_HEADING: Final = re.compile(r"[ \t]{0,8}#{1,6}[ \t]")


def skip_code(tracked: TrackedText, language: str) -> TrackedText:
    """Removes blocks of code from a whole text. Where that would leave a hole, "code block" is said in `language` (BCP 47)."""
    text = tracked.text
    name = loader.find(language).marks.code_block
    stop = loader.find(language).full_stop
    blocks = find_blocks(text)

    def changes() -> Iterator[tuple[int, int, str]]:
        for start, end in blocks:
            said = f"{name[:1].upper()}{name[1:]}{stop}" if name and _leaves_hole(text, start, end) else ""
            yield start, end, f"\n\n{said}\n\n" if said else "\n\n"

    return tracked.replace(changes()) if blocks else tracked


def find_blocks(text: str) -> list[tuple[int, int]]:
    """Returns the start and end of each block of code, in order. No block has more than MAX_CHARS characters."""
    front = [match.span()] if (match := _FRONT.match(text)) else []
    found = sorted((*front, *_find_fenced(text), *_find_pre(text), *_find_indented(text)))
    return [(start, end) for start, end in _merged(found) if end - start <= MAX_CHARS]


def _find_fenced(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each block between lines of ``` or ~~~."""
    fences = list(_FENCE.finditer(text))
    never_closed: dict[str, int] = {}
    number = 0
    while number < len(fences):
        opening = fences[number]
        sign, length = opening["mark"][0], len(opening["mark"])
        closing = None
        if length < never_closed.get(sign, length + 1):
            closing = next((at for at in range(number + 1, len(fences)) if _closes(fences[at], sign, length)), None)
        if closing is not None:
            if opening["info"].strip().lower() != "math":
                yield opening.start(), fences[closing].end()
            number = closing + 1
        elif len(text) - opening.start() <= MAX_UNCLOSED:
            yield opening.start(), len(text)
            return
        else:
            never_closed[sign] = min(length, never_closed.get(sign, length))
            number += 1


def _closes(fence: re.Match[str], sign: str, length: int) -> bool:
    return fence["mark"][0] == sign and len(fence["mark"]) >= length and not fence["info"].strip()


def _find_pre(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each `<pre>` that is closed."""
    start = None
    for match in _PRE.finditer(text):
        if not match["end"]:
            start = match.start() if start is None else start
        elif start is not None:
            yield start, match.end()
            start = None


def _find_indented(text: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each paragraph of indented lines most of which can only be code."""
    for match in _INDENTED.finditer(text):
        lines = match[0].splitlines()
        if sum(_CODE_LINE.match(line[:400].rstrip()) is not None for line in lines) * 3 >= len(lines) * 2:
            yield match.start(), match.end()


def _merged(blocks: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yields the blocks without those that begin in another one."""
    done = 0
    for start, end in blocks:
        if start >= done:
            yield start, end
            done = end


def _leaves_hole(text: str, start: int, end: int) -> bool:
    """Whether a listener would miss the block: a colon or a heading announces it, or there is nothing else."""
    before, after = text[max(0, start - _BEFORE) : start].rstrip(), text[end : end + _BEFORE].lstrip()
    if not before:
        return not after and text[start : start + 3] != "---"
    last_line = before.rpartition("\n")[2]
    if _HEADING.match(last_line):
        return True
    return before.rstrip("*_").endswith((":", "："))
