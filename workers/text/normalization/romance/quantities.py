"""Quantities in Spanish and Portuguese that need a look around: 9,8 N, 30 pp., de –5 °C, máx. 18º.

Why units of one letter need a word of physics or a decimal beside them: "la clase 3 J" is no energy.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.locales.western_groups import Iberian
from workers.text.normalization import western
from workers.text.normalization.agreement import count
from workers.text.normalization.numerals import START
from workers.text.normalization.rules import Rule, any_of

_NEAR: Final = 70
_AFTER: Final = 40
_SENTENCE: Final = re.compile(r"[.!?;] ")
_POWER_OF_TEN: Final = re.compile(r"(?:10 \S+ a (?:\S+ )?[0-9]{1,3}|10[⁻⁺]?[⁰¹²³⁴-⁹]{1,3}) ?\Z")


def quantities(locale: Romance) -> Iterator[Rule]:
    """All rules. They come before times, money and measures."""
    words = locale.iberian
    if words is None:
        return
    yield from _temperatures(words)
    yield from _lettered(locale, words)
    yield _pages(locale, words)
    yield Rule(re.compile(r"(?<=[a-zà-ÿ] )–(?=[0-9])"), f"{locale.minus} ")


def _temperatures(words: Iberian) -> Iterator[Rule]:
    """The rule for "máx. 18º": the sign of an ordinal in place of the sign of degrees."""
    yield Rule(
        re.compile(
            rf"(?P<before>(?<!\w)(?i:{any_of(words.temperatures)})(?:\.|:| [a-z]{{1,3}})?:? [-−–]?[0-9]{{1,2}}(?:[.,][0-9])?)"
            r"º(?!\w)"
        ),
        lambda match: f"{match['before']}°",
    )
    # –3º
    yield Rule(re.compile(r"(?<![\w.,])(?P<n>[-−–][0-9]{1,2}(?:[.,][0-9])?)º(?!\w)"), lambda match: f"{match['n']}°")


def _lettered(locale: Romance, words: Iberian) -> Iterator[Rule]:
    """The rule for units of one letter: 9,8 N, 3 J, 300 K."""
    physical = re.compile(f"(?i:{any_of(words.physical)})")
    labels = re.compile(rf"(?i:{any_of([*locale.labels, *words.lettered])})s? \Z")

    def verbalize(match: re.Match[str]) -> str | None:
        string = match.string
        before = _SENTENCE.split(string[max(0, match.start() - _NEAR) : match.start()])[-1]
        is_sure = match["part"] is not None or _POWER_OF_TEN.search(before + match["n"]) is not None
        around = before + " " + _SENTENCE.split(string[match.end() : match.end() + _AFTER])[0]
        if labels.search(before) or not (is_sure or physical.search(around)):
            return None
        return count(match["n"], words.letters[match["unit"]], locale.language) + western.full_stop(match)

    yield Rule(
        re.compile(
            rf"{START}(?P<n>[0-9⁰¹²³⁴-⁹⁻]{{1,9}}(?P<part>[.,][0-9]{{1,6}})?) (?P<unit>{any_of(words.letters)})"
            r"(?![\w/²³⁻^'’·&+-]|\.\w)(?P<stop>\.)?"
        ),
        verbalize,
    )


def _pages(locale: Romance, words: Iberian) -> Rule:
    """The rule for 240 pp.: pages, unless a word of change before shows that they are points."""
    changes = re.compile(f"(?i:{any_of(words.changes)})")

    def verbalize(match: re.Match[str]) -> str | None:
        before = match.string[max(0, match.start() - _NEAR) : match.start()]
        if changes.search(before) or "%" in before:
            return None
        return f"{match['n']} {words.pages}" + western.full_stop(match)

    return Rule(re.compile(rf"{START}(?P<n>[1-9][0-9]{{0,3}}) ?pp(?P<stop>\.)(?!\w)"), verbalize)
