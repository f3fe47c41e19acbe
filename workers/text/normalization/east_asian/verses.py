"""Verses of the Bible in Mandarin: 约翰福音3:16 is 三章十六节.

Why the names of the books decide: 3:16 is a time of day or a score everywhere else.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import EastAsian
from workers.text.normalization.rules import Rule, any_of

_DASH: Final = "[-‐‑–—−~～〜－]"
_N: Final = "[0-9]{1,3}"
_TO: Final = rf" ?{_DASH} ?{_N}"
_PLACE: Final = rf"{_N}[:：]{_N}[a-c]?(?:{_TO}(?:[:：]{_N})?)?(?:[,，、] ?{_N}(?![:：0-9])(?:{_TO})?){{0,6}}"
_PLACES: Final = rf"{_PLACE}(?:[;；,，、] ?{_PLACE}){{0,6}}"
_PAIR: Final = re.compile("([0-9]{1,3})[:：]([0-9]{1,3})[a-c]?")


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules for the verses after the name of a book; after a short name only in brackets: （太5:3）."""
    words = locale.verses
    if words is None:
        return
    named = rf"(?P<book>{any_of(words.books)}[》」』〉]?[ \u00b7]?)(?P<places>{_PLACES})(?![0-9:：])"
    in_brackets = (
        rf"(?P<book>(?<=[（(；;，, ])(?:参|见|参见|參|見)?{any_of(words.short)} ?)(?P<places>{_PLACES})(?=[）)；;，, ])"
    )
    for pattern in (named, in_brackets):
        yield Rule(re.compile(pattern), lambda match: match["book"] + _say(match["book"], match["places"], locale))


def _say(book: str, places: str, locale: EastAsian) -> str:
    words = locale.verses
    assert words is not None
    chapter = words.psalm if book.rstrip("》」』〉 ").endswith(words.psalms) else words.chapter
    # The word for the verses follows the last of each chapter.
    said = re.sub(rf" ?{_DASH} ?", locale.to, places)
    parts = []
    for part in re.split("[;；] ?|[,，、] ?(?=[0-9]{1,3}[:：])", said):
        verses = _PAIR.sub(lambda match: f"{match[1]}{chapter}{match[2]}", part)
        parts.append(
            re.sub(rf"([0-9]){locale.to}(?=[0-9]{{1,3}}{chapter})", rf"\1{words.verse}{locale.to}", verses) + words.verse
        )
    return "，".join(re.sub("[,，] ?", "、", part) for part in parts)
