"""Reads the ends of lines: words divided by a hyphen are joined, and lines that were ended on purpose get a full stop.

Why the width of the lines decides: prose is wrapped where the next word does not fit. Where it would have fitted, the writer
ended the line: in a list without marks, an address, a title, the head of an e-mail.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from app.core.speech.characters import CLAUSE_ENDS, DASHES, HAN_AND_KANA, SENTENCE_ENDS
from workers.text.locales import loader
from workers.text.locales.structs import Locale
from workers.text.normalization.markup.line_ends import INITIALS, is_short
from workers.text.tracked_text import TrackedText

_DIVIDED: Final = re.compile(
    r"(?<![^\W\d_])(?P<first>[^\W\d_]{2,30}+)(?P<mark>[-‐]|\u00ad)[ \t]*+\n[ \t]*+(?:>[ \t]?){0,4}+"
    r"(?P<second>[^\W\d_]{2,30}+(?:'[^\W\d_]{1,20}+)?)"
)
_LINE: Final = re.compile(r"[^\n]++")
_FIELD: Final = re.compile(
    r"[^\W\d_][\w\u0900-\u0963 ./()-]{0,24}+[:：](?!//)(?:(?=\s|[^\x00-\x7f]|\Z)|(?<=：)|(?<=[^\x00-\x7f]:))"
)
"""The name of a field and a colon: Subject:"""
_BRACKETS: Final = ")]"
"""Marks after which the next field of a form begins all the same."""
_CONTINUED: Final = frozenset(SENTENCE_ENDS + CLAUSE_ENDS + DASHES + "»」』)]）】-/&=|>")
_MIN_WIDTH: Final = 40
"""Nobody wraps prose at fewer columns than this."""
_MIN_WIDE: Final = 18
"""The same for a script without spaces."""
_MAX_VERSE: Final = 70
"""Lines of verse are shorter than this, and all of them begin with a capital."""
_SLACK: Final = 0.85
_WIDE: Final = re.compile(f"[{HAN_AND_KANA}]")
_CONTINUES: Final = re.compile(
    "(?<!こんにち)(?<!こんばん)(?<!それで)(?<!で)[はがをにでとへ]\\Z|(?<=[いきしちにびみりっん])[てで]\\Z|[、]\\Z"
)
"""The end of a line of Japanese that is not the end of a sentence: a particle, or a verb before another."""
_ZONE: Final = re.compile(r"(?<=[0-9]:[0-9]{2}) [+-][0-9]{4}(?: \([A-Z]{1,5}\))?(?=[ \t]*+(?:$|\n))")
_BLANK: Final = re.compile(r"\n[ \t]*+\n")


def join_divided(tracked: TrackedText, language: str) -> TrackedText:
    """Joins words that are divided at the end of a line: "exam-" and "ple"."""
    if "-\n" not in tracked.text and not _DIVIDED.search(tracked.text):
        return tracked
    marks = loader.find(language).marks

    def join(match: re.Match[str]) -> str | None:
        first, second = match["first"], match["second"]
        if not second[0].islower():
            return f"{first}-{second}" if match["mark"] != "\u00ad" else first + second
        is_compound = first.lower() in marks.hyphen_after or second in marks.hyphen_before or _is_after_hyphen(match)
        return first + ("-" if is_compound and match["mark"] != "\u00ad" else "") + second

    return tracked.sub(_DIVIDED, join)


def _is_after_hyphen(match: re.Match[str]) -> bool:
    """Whether the word has a hyphen already: state-of-the- and art."""
    return match.start() > 1 and match.string[match.start() - 1] == "-" and match.string[match.start() - 2].isalpha()


def end_lines(tracked: TrackedText, language: str) -> TrackedText:
    """Adds a full stop to lines that were ended on purpose and have no mark at their end."""
    if "\n" not in tracked.text:
        return tracked
    locale = loader.find(language)
    tracked = tracked.sub(_ZONE, "")
    return tracked.replace((place, place, mark) for place, mark in _find_ends(tracked.text, locale))


def _find_ends(text: str, locale: Locale) -> Iterator[tuple[int, str]]:
    start = 0
    for gap in [*_BLANK.finditer(text), None]:
        end = gap.start() if gap is not None else len(text)
        lines = [(match.start(), match[0]) for match in _LINE.finditer(text, start, end) if not match[0].isspace()]
        if len(lines) > 1:
            yield from _ends_in(lines, locale)
        start = gap.end() - 1 if gap is not None else end


def _ends_in(lines: list[tuple[int, str]], locale: Locale) -> Iterator[tuple[int, str]]:
    """Yields the places in one block of lines where a line was ended on purpose, and the mark to add there."""
    longest = max(len(line.strip()) for _, line in lines)
    is_verse = len(lines) > 2 and longest <= _MAX_VERSE and all(line.lstrip()[0].isupper() for _, line in lines)
    for (start, line), (_, below) in pairwise(lines):
        body, following = line.rstrip(), below.strip()
        last = body.rstrip("*_`")[-1:]
        is_field = _FIELD.match(following) is not None and _FIELD.match(body.strip()) is not None
        is_initial = last == "." and (INITIALS.search(body[-60:]) is not None or _is_followed(body, following))
        may_end = _is_of_word(last) or last in "%°€$£¥" or (is_field and last in _BRACKETS) or is_initial
        if not last or not may_end:
            continue
        if is_field or is_verse or _is_short(body.strip(), following, longest):
            yield start + len(body), ";" if is_initial else _mark(body, following, locale, is_field=is_field)


def _is_followed(line: str, following: str) -> bool:
    """Whether a short form ends the line and a number begins the next one, as in an address: Koe Ltd., 1 High Street."""
    return re.match(r"[0-9]++(?![.):])", following) is not None and is_short(line)


def _is_of_word(character: str) -> bool:
    return character != "" and unicodedata.category(character)[0] in "LNM"


def _is_short(line: str, following: str, longest: int) -> bool:
    """Whether the first word of the next line would have fitted into the line, and may begin a line of its own."""
    if following[0].islower() or following[0] in _CONTINUED or not following.lstrip("*_`\"'(["):
        return False
    if _WIDE.search(line):
        if _CONTINUES.search(line) and _WIDE.match(following):
            return False
        return len(line) + 1 <= max(longest, _MIN_WIDE) * _SLACK
    word = following.split(maxsplit=1)[0]
    return len(line) + 1 + len(word) <= max(longest, _MIN_WIDTH) * _SLACK


def _mark(line: str, following: str, locale: Locale, *, is_field: bool) -> str:
    """A comma between two lines of verse, which have several words; else a full stop."""
    is_verse = not is_field and len(line.split()) > 3 and len(following.split()) > 2
    return locale.comma if is_verse else locale.full_stop
