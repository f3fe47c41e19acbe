"""Angles, places on the globe, and lengths in inches, in Romance languages: 48°51′24″N, 45° S, 27", 6′2″.

Why a quotation mark after a number is an inch only where none is open: "j'ai 27" may end a quotation.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from workers.text.locales.entries import Name
from workers.text.locales.structs import Romance
from workers.text.normalization.agreement import count
from workers.text.normalization.rules import Rule

_SECONDS: Final = "(?:\"|″|''|′′|”|’’)"
_MINUTES: Final = "['′’]"
_BEGIN: Final = r"(?<![\w.,/°'’′$€£])"
_N_BEFORE: Final = 400
"""Characters before a quotation mark in which another may be open."""


def degrees(locale: Romance) -> Iterator[Rule]:
    """Rules for angles and directions. They come before those of degrees and of times."""
    names = locale.angles
    if names is None:
        return
    ways = "".join(names.directions)
    yield Rule(
        re.compile(
            rf"{_BEGIN}(?P<degree>[0-9]{{1,3}}) ?[°º˚] ?(?P<minute>[0-9]{{1,2}}(?:[.,][0-9]{{1,3}})?) ?{_MINUTES}"
            rf"(?: ?(?P<second>[0-9]{{1,2}}(?:[.,][0-9]{{1,3}})?) ?{_SECONDS})?(?: ?(?P<way>[{ways}])(?!\w))?(?!\w)"
        ),
        partial(_angle, locale),
    )
    yield Rule(
        re.compile(rf"(?<=[0-9]) ?[°º˚] ?(?P<way>[{ways}])(?!['’]|\.?\w)"),
        lambda match: f" {locale.degrees.many} {names.directions[match['way']]}",
    )


def lengths(locale: Romance) -> Iterator[Rule]:
    """Rules for feet and inches. They come after those of times, which are written alike, and before those of units."""
    names = locale.angles
    if names is None:
        return
    yield Rule(
        re.compile(rf"{_BEGIN}(?P<foot>[1-9])['′] ?(?P<inch>1[01]|[0-9]){_SECONDS}(?!\w)"),
        lambda match: f"{_count(locale, match['foot'], names.foot)} {_count(locale, match['inch'], names.inch)}",
    )
    yield Rule(
        re.compile(rf"{_BEGIN}(?P<n>[0-9]{{1,3}}(?:[.,][0-9]{{1,2}})?) ?(?P<sign>\"|″|''|′′)(?!\w)"),
        lambda match: None if _closes_quotation(match) else _count(locale, match["n"], names.inch),
    )


def _angle(locale: Romance, match: re.Match[str]) -> str:
    names = locale.angles
    assert names
    parts = [(match["degree"], locale.degrees), (match["minute"], names.minute), (match["second"], names.second)]
    said = [_count(locale, n, name) for n, name in parts if n]
    return " ".join([*said, names.directions[match["way"]]] if match["way"] else said)


def _count(locale: Romance, n: str, name: Name) -> str:
    return count(n if "," in n or "." in n else str(int(n)), name, locale.language)


def _closes_quotation(match: re.Match[str]) -> bool:
    paragraph = match.string[max(0, match.start() - _N_BEFORE) : match.start()].rpartition("\n\n")[2]
    return match["sign"] in {'"', "''"} and len(re.findall(rf"(?<![0-9]){match['sign']}", paragraph)) % 2 == 1
