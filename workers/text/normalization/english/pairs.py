"""Numbers in the names of products, roads, rooms and flights, which English says in pairs of digits: RTX 4090, A303.

Why a word or a letter next to the number counts: 4,090 people are "four thousand ninety".
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en").paired
_END: Final = r"(?![\w%/]|[.,:][0-9]|-[0-9])"
_PLURAL: Final = r"(?! (?:people|men|women|children|[a-z]{3,20}s)\b)"
_SUFFIX: Final = r"(?P<suffix>(?:[A-Z]{1,3}|Ti)(?!\w))?+"


def rules() -> Iterator[Rule]:
    """The rules for numbers in names, for before the rules of hyphens, dates and numbers."""
    # RTX 4090 Ti, Ryzen 9 5950X
    yield Rule(
        re.compile(rf"(?P<before>(?<!\w)(?:{any_of(_WORDS.products)})[ -])(?P<n>[0-9]{{3,5}}){_SUFFIX}{_END}"),
        _verbalize_product,
    )
    # 1080p60
    yield Rule(
        re.compile(r"(?<![\w.,-])(?P<n>240|360|480|576|720|1080|1440|2160|4320)(?P<p>[pi])(?P<rate>24|25|30|50|60|120)?(?!\w)"),
        lambda match: f"{say(match['n'])} {match['p'].upper()}" + (f" {_cardinal(match['rate'])}" if match["rate"] else ""),
    )
    # i7-12700K
    yield Rule(
        re.compile(rf"(?<![\w-])(?P<before>i[3579])-(?P<n>[0-9]{{4,5}}){_SUFFIX}{_END}"),
        lambda match: f"{match['before'][0]} {match['before'][1]} {say(match['n'])}{_spell(match['suffix'])}",
    )
    # flight BA2490, Flight 370
    yield Rule(
        re.compile(rf"(?P<before>\b[Ff]lights? (?:(?P<line>[A-Z][A-Z0-9]) ?)?)(?P<n>[1-9][0-9]{{2,3}}){_END}{_PLURAL}"),
        lambda match: f"{match['before'].split(' ')[0]} {_spaced(match['line'])}{say(match['n'])}",
    )
    # Room 237, Route 128, Error 404
    yield Rule(
        re.compile(
            rf"(?P<before>(?<![\w.])(?:{any_of(_WORDS.labels)}) )(?P<n>[1-9][0-9]{{2,3}})"
            rf"(?P<suffix>[A-Z](?!\w))?+{_END}{_PLURAL}"
        ),
        lambda match: f"{match['before']}{say(match['n'])}{_spell(match['suffix'])}",
    )
    # A303, F-150, I-405, MH370, A4130
    yield Rule(
        re.compile(rf"(?<![\w.,/$€£&+-])(?P<name>[A-Z]{{1,3}})-?(?P<n>[1-9][0-9]{{2}}|(?<=[AB])[1-9][0-9]{{3}}){_END}(?!-)"),
        lambda match: f"{' '.join(match['name']) if len(match['name']) == 1 else match['name']} {say(match['n'])}",
    )
    # § 1983
    yield Rule(
        re.compile(rf"(?P<before>\b[Ss]ection )(?P<n>[1-9][0-9]{{3}}){_END}"),
        lambda match: f"{match['before']}{say(match['n'])}",
    )


def say(digits: str) -> str:
    """Returns a number in pairs of digits: 4090 is "forty ninety", 303 "three oh three", 500 "five hundred"."""
    head, rest = (digits[:-3], digits[-3:]) if len(digits) == len("12700") else (digits[:-2], digits[-2:])
    if len(digits) < len("700") or digits.endswith("000"):
        return _cardinal(digits)
    if len(rest) == len("700"):
        return f"{_cardinal(head)} {say(rest)}"
    if rest == "00":
        return f"{_cardinal(head)} hundred"
    if head.endswith("0") and rest[0] == "0":
        return _cardinal(digits)
    return f"{_cardinal(head)} {'oh ' if rest[0] == '0' else ''}{_cardinal(rest)}"


def _verbalize_product(match: re.Match[str]) -> str:
    return f"{match['before'].rstrip('-')}{say(match['n'])}{_spell(match['suffix'])}".replace("  ", " ")


def _spell(letters: str | None) -> str:
    return f" {' '.join(letters.upper())}" if letters else ""


def _spaced(letters: str | None) -> str:
    return f"{' '.join(letters)} " if letters else ""


def _cardinal(digits: str) -> str:
    return numerals.cardinal(str(int(digits)), british=False)
