"""References to books in English: the Bible's chapters and verses, editions, sections.

Why before the abbreviations: Gen. and Rev. are a general and a reverend elsewhere, and "13:4" would be a time or a ratio.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en")
_BIBLE: Final = _WORDS.bible
_NTH: Final = {"1": "First", "2": "Second", "3": "Third", "I": "First", "II": "Second", "III": "Third"}
_CHAPTER: Final = "(?P<chapter>[0-9]{1,3}|[ivxlc]{1,8}(?=[.:,]))"
_VERSES: Final = (
    r"(?P<verses>[0-9]{1,3}[a-d]?"
    r"(?: ?[-–—] ?[0-9]{1,3}(?::[0-9]{1,3})?|, ?[0-9]{1,3}(?![:0-9]|,[0-9]{3}|(?<=[ ,][123]) [A-Z])){0,9}+)"
)
_VERSE_PARTS: Final = re.compile(r"[0-9]+|[-–—]|[:,]|[a-d]")


def rules() -> Iterator[Rule]:
    """The rules for references to books."""
    yield Rule(
        re.compile(
            rf"(?<![\w.,:])(?:(?P<n>[123]|I{{1,3}}) ?)?(?P<book>{any_of(_BIBLE)})\.? {_CHAPTER}(?::|\. ?|, ?(?=[0-9]))"
            rf"{_VERSES}(?![\w:]|[.,][0-9])"
        ),
        _verbalize_verses,
    )
    # 2nd ed., ed. by, rev. ed.
    yield Rule(
        re.compile(r"(?<=[0-9](?:st|nd|rd|th) )(?P<of>rev\. |American |English )?ed\.(?!\w)"),
        lambda match: {None: "", "rev. ": "revised "}.get(match["of"], match["of"]) + "edition",
    )
    yield Rule(
        re.compile(r"(?<![\w.])(?P<how>[Ee]d|[Tt]rans|[Ii]llus)\.(?: by)? (?=[A-Z])"),
        lambda match: f"{_HOW[match['how'].lower()].capitalize() if match['how'].istitle() else _HOW[match['how']]} by ",
        needs_digit=False,
    )
    # born and died: b. 1850, d. 1900
    yield Rule(
        re.compile(r"(?<![\w.])(?P<how>[bdr])\. (?=(?:c\. ?)?1?[0-9]{3}(?!\w))"), lambda match: f"{_LIVED[match['how']]} "
    )
    # § 12-104, which is no range
    yield Rule(
        re.compile(r"(?P<before>(?<!§)§ ?|\b[Ss]ection )(?P<one>[0-9]{1,4})-(?P<two>[0-9]{2,4})(?![\w-])"),
        lambda match: f"{match['before']}{match['one']} dash {match['two']}",
    )


_HOW: Final = {"ed": "edited", "trans": "translated", "illus": "illustrated"}
_LIVED: Final = {"b": "born", "d": "died", "r": "reigned"}


def _verbalize_verses(match: re.Match[str]) -> str | None:
    name = _BIBLE[match["book"]]
    is_numbered = match["book"] in _WORDS.numbered_bible
    if is_numbered and not match["n"]:
        return None
    head = f"{_NTH[match['n']]} " if match["n"] and (is_numbered or name == "John") else f"{match['n']} " if match["n"] else ""
    chapter = int(match["chapter"]) if match["chapter"].isdigit() else numerals.from_roman(match["chapter"].upper())
    # "Exodus twenty, three" is not "Exodus twenty-three".
    is_short = re.match("[1-9](?![0-9])", match["verses"]) is not None
    comma = "," if is_short and chapter >= 20 and chapter % 10 == 0 else ""
    return f"{head}{name} {_cardinal(chapter)}{comma} {_verbalize_parts(match['verses'])}"


def _verbalize_parts(verses: str) -> str:
    words: list[str] = []
    for part in _VERSE_PARTS.findall(verses):
        if part.isdigit():
            words.append(_cardinal(int(part)))
        elif part == ",":
            words.append("and")
        elif part != ":":
            words.append(part.upper() if part.isalpha() else "to")
    return " ".join(words)


def _cardinal(n: int) -> str:
    return numerals.cardinal(str(n), british=False)
