"""Hyphens between English numbers that are no ranges: Boeing 737-800, ISO 9001-2015, 10-6-1, 10:00-11:00; and 49ers."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en").beside_slashes
_START: Final = r"(?<![\w.,/:$€£-])"
_YEAR: Final = "(?:1[1-9]|20)[0-9]{2}"
_CLOCK: Final = "(?:[01]?[0-9]|2[0-4]):[0-5][0-9]"
_WINS: Final = "(?:0|[1-9][0-9]{0,2})"
_DASH: Final = " ?[-–—] ?"
_MAKER: Final = re.compile(r"\b(?:Boeing|a|an|the) \Z")
_NOON: Final = 12
_MIDNIGHTS: Final = frozenset({0, 24})


def rules() -> Iterator[Rule]:
    """The rules for hyphens, for before the rules of dates and times."""
    yield from _models()
    yield from _sports()
    # ran it in 29:58
    yield Rule(
        re.compile(r"(?P<before>\b(?:in|clocked|ran|time of) )(?P<m>2[5-9]|[3-5][0-9]):(?P<s>[0-5][0-9])(?![\w:])"),
        lambda match: f"{match['before']}{match['m']} {'oh ' if match['s'][0] == '0' else ''}{int(match['s'])}",
    )
    # 2nd–5th
    yield Rule(
        re.compile(r"(?<![\w.,-])(?P<n>[0-9]{1,4}(?:st|nd|rd|th)) ?[-–—] ?(?=[0-9]{1,4}(?:st|nd|rd|th)(?!\w))"),
        lambda match: f"{match['n']} to ",
    )
    half = r"(?= ?[AaPp](?:\.[Mm]\.|[Mm]\b))"
    # 10:00-11:00
    yield Rule(re.compile(rf"{_START}(?P<one>{_CLOCK}){_DASH}(?P<two>{_CLOCK})(?![\w:-])(?!{half})"), _hours)
    yield Rule(
        re.compile(rf"{_START}(?P<one>{_CLOCK}){_DASH}(?P<two>{_CLOCK}){half}"),
        lambda match: f"{_full_hour(match['one'])} to {match['two']}",
    )


def _models() -> Iterator[Rule]:
    # Boeing 737-800, A320-200
    yield Rule(
        re.compile(r"(?<![\w.,-])(?P<one>7[0-9]7)-(?P<two>[0-9]{1,3})(?P<rest>[A-Z]{0,3})(?![\w-])"),
        lambda match: f"{_model(match['one'])} {_model(match['two'])}{_letters(match['rest'])}",
    )
    yield Rule(re.compile(r"(?<=\bBoeing )(?P<one>7[0-9]7)(?![\w,-]|\.[0-9])"), lambda match: _model(match["one"]))
    yield Rule(
        re.compile(
            r"(?<!\w)(?P<maker>A|CRJ-?|ERJ-?|MD-?|DC-?|E)(?P<one>[1-9][0-9]{1,2})-(?P<two>[0-9]{1,4})(?P<rest>[A-Z]{0,3})(?![\w-])"
        ),
        lambda match: f"{match['maker'].rstrip('-')} {_model(match['one'])} {_model(match['two'])}{_letters(match['rest'])}",
    )
    # ISO 9001-2015, IEC 60601-1
    yield Rule(
        re.compile(
            rf"\b(?P<kind>{any_of(_WORDS.standards)}) (?P<one>[0-9]{{2,6}})[-:](?P<two>[0-9]{{1,4}})(?![\w-]|[.,][0-9])"
        ),
        lambda match: f"{match['kind']} {_cardinal(match['one'])} {_year_or_number(match['two'])}",
    )


def _sports() -> Iterator[Rule]:
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<n>[0-9]{1,4})ers(?!\w)"), lambda match: f"{_cardinal(match['n']).removesuffix('e')}ers"
    )
    # a 4-4-2 formation
    yield Rule(
        re.compile(rf"{_START}(?P<all>[0-9]{{1,3}}(?:-[0-9]{{1,3}}){{2,4}}+)(?= (?:{any_of(_WORDS.formations)})\b)"),
        lambda match: " ".join(map(_cardinal, match["all"].split("-"))),
    )
    # improved to 10-1
    yield Rule(
        re.compile(
            rf"(?P<before>\b(?:{any_of(_WORDS.standings)}) )(?P<one>[0-9]{{1,3}})-(?P<two>[0-9]{{1,3}})(?![\w/-]|[.,:][0-9])"
        ),
        lambda match: f"{match['before']}{_cardinal(match['one'])} and {_cardinal(match['two'])}",
    )
    # They are 10-6-1.
    yield Rule(
        re.compile(
            rf"(?P<before>\b(?:{any_of(_WORDS.records)}) )(?P<one>{_WINS})-(?P<two>{_WINS})-(?P<three>{_WINS})"
            r"(?![\w/-]|[.,:][0-9])"
        ),
        lambda match: f"{match['before']}{_cardinal(match['one'])}, {_cardinal(match['two'])} and {_cardinal(match['three'])}",
    )


def _hours(match: re.Match[str]) -> str:
    return f"{_full_hour(match['one'])} to {_full_hour(match['two'])}"


def _full_hour(clock: str) -> str:
    """A full hour without "o'clock", as in a range of hours; another time unchanged."""
    hour, _, minute = clock.partition(":")
    n = int(hour)
    if int(minute):
        return clock
    return "midnight" if n in _MIDNIGHTS else _cardinal(hour) + " hundred" * (n > _NOON)


def _model(digits: str) -> str:
    """The number of a model, in parts: 737 is "seven thirty-seven", 707 "seven oh seven", 800 "eight hundred"."""
    first, rest = digits[:-2], digits[-2:]
    if len(digits) != len("737") or rest == "00":
        return _cardinal(digits)
    return f"{_cardinal(first)} {'oh ' if rest[0] == '0' else ''}{_cardinal(rest)}"


def _letters(text: str) -> str:
    return "".join(f" {letter}" for letter in text)


def _year_or_number(digits: str) -> str:
    return numerals.year(digits, british=False) if re.fullmatch(_YEAR, digits) else _cardinal(digits)


def _cardinal(digits: str) -> str:
    return numerals.cardinal(str(int(digits)), british=False)
