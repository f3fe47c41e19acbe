"""Results as English sports pages write them: 1:22:05.969, Salah 21', 4.6/5, 31 pts.

Why a name before the minute counts: without it, 21' is twenty-one feet.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.normalization import numerals, western
from workers.text.normalization.rules import Rule

_END: Final = r"(?![\w/%]|[.,:][0-9])"
_MINUTE: Final = r"[0-9]{1,3}(?:\+[0-9]{1,2})?'(?:\+[0-9]{1,2})?"
_NOTE: Final = r"(?: \([a-z. ]{1,12}\))?"
_MINUTES: Final = re.compile(
    rf"(?P<name>\b[A-Z][\w.-]{{1,30}} )(?P<minutes>{_MINUTE}{_NOTE}(?:, {_MINUTE}{_NOTE}){{0,9}})"
    r"(?=[,;.)\n]|\Z| [A-Z(])"
)


def rules() -> Iterator[Rule]:
    """The rules for results, for before the rules of times, lengths and fractions."""
    yield Rule(
        re.compile(
            r"(?<![\w:.,/])(?:(?P<hour>[0-9]{1,2}):(?=[0-9]{2}:))?(?P<minute>[0-9]{1,3}):(?P<second>[0-5][0-9])"
            r"\.(?P<part>[0-9]{1,3})(?![\w:]|[.,][0-9])"
        ),
        _say_clock,
    )
    yield Rule(_MINUTES, lambda match: match["name"] + match["minutes"].replace("'+", "+").replace("'", ""))
    # 22/31, 285 yds
    yield Rule(
        re.compile(r"(?<![\w.,/$€£-])(?P<one>[0-9]{1,2})/(?P<two>[0-9]{1,2})(?=,? (?:for )?[0-9]{1,3} (?:yds|yards)\b)"),
        lambda match: f"{match['one']} of {match['two']}",
    )
    # a 40' boat
    yield Rule(
        re.compile(r"(?P<before>\b(?:[Aa]n?|[Tt]he) )(?P<n>[1-9][0-9]{0,2})'(?= [a-z]{3})"),
        lambda match: f"{match['before']}{match['n']} foot",
    )
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<n>[5-9]|[0-9]{2,4}|[0-9]{1,3}\.[0-9]) ?pts\b(?P<stop>\.(?!\w))?(?! of)"),
        lambda match: f"{match['n']} points" + western.full_stop(match),
    )
    yield Rule(
        re.compile(r"(?<=\b[Bb]ig )(?P<ten>[2-9])-0(?![\w-])"), lambda match: f"{numerals.spell_digits(match['ten'])}-oh"
    )


def _say_clock(match: re.Match[str]) -> str:
    """A time with parts of a second: one twenty-two and five point nine seconds, seven thirty-seven point five."""
    minute, second, part = match["minute"], match["second"], numerals.spell_digits(match["part"])
    if match["hour"]:
        seconds = numerals.cardinal(str(int(second)), british=False)
        return f"{_cardinal(match['hour'])} {_two_digits(minute)} and {seconds} point {part} seconds"
    if not int(minute):
        return f"{_cardinal(second)} point {part} seconds"
    return f"{_cardinal(minute)} {_two_digits(second)} point {part}"


def _cardinal(digits: str) -> str:
    return numerals.cardinal(str(int(digits)), british=False)


def _two_digits(digits: str) -> str:
    if digits == "00":
        return "flat"
    return f"oh {_cardinal(digits)}" if digits[0] == "0" else _cardinal(digits)
