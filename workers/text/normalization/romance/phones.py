"""Telephone, card, account and postal numbers in Spanish, French, Italian and Portuguese.

Why French numbers keep their pairs: a French reader says "zéro un, vingt-trois, quarante-cinq", the others say the digits.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization import western
from workers.text.normalization.numerals import part_digits
from workers.text.normalization.romance import iberian_phones
from workers.text.normalization.rules import Rule

_END: Final = r"(?![\w/]|[.,-][0-9])"
_START: Final = r"(?<![\w.,/+-])"
_DATE: Final = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{2}|[0-9]{4})")
_CARD: Final = re.compile(rf"{_START}[0-9]{{4}}(?:([ -])[0-9]{{4}})(?:\1[0-9]{{4}}){{2}}{_END}")
_ACCOUNT: Final = re.compile(r"(?<![\w.])[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?(?!\w)")
_PAIRS: Final = re.compile("[0-9]{1,2}")


def rules(locale: Romance) -> Iterator[Rule]:
    """All rules of a language. They come before dates and amounts."""
    yield Rule(_ACCOUNT, lambda match: _in_groups(re.findall("[0-9A-Z]{1,4}", match[0])))
    yield Rule(_CARD, lambda match: _in_groups(re.findall("[0-9]+", match[0])))
    # (+33) 6 12 34 56 78, 0033 1 23 45 67 89
    yield Rule(re.compile(r"(?<!\w)\((?P<code>\+[0-9]{1,3})\) ?(?=[0-9])"), lambda match: f"{match['code']} ")
    yield Rule(re.compile(r"(?<![\w+.,])00(?P<code>3[39]) ?(?=[0-9]{1,3}[ .-][0-9])"), lambda match: f"+{match['code']} ")
    if locale.language == "fr":
        yield from _french(locale)
    yield from western.phones(iberian_phones.digits_of(locale), locale.plus)
    if locale.language == "it":
        yield from _italian(locale)
    if locale.language in {"es", "pt"}:
        yield from iberian_phones.rules(locale)


def _in_groups(groups: list[str]) -> str:
    return ", ".join(" ".join(group) for group in groups)


def _french(locale: Romance) -> Iterator[Rule]:
    """Rules for 01 23 45 67 89, +33 1 23 45 67 89, 0 800 123 456, 06000 Nice and le 3919."""

    def in_pairs(match: re.Match[str]) -> str:
        return ", ".join(_PAIRS.findall(match["n"].replace(match["sep"], "")))

    def called(match: re.Match[str]) -> str | None:
        return f"{match[1]} {match[2]}" if iberian_phones.is_called(locale, match) else None

    yield Rule(
        re.compile(
            rf"(?<![\w+])\+33 ?(?:\(0\) ?)?(?P<first>[1-9])(?P<sep>[ .-]?)(?P<n>[0-9]{{2}}(?:(?P=sep)[0-9]{{2}}){{3}}){_END}"
        ),
        lambda match: f"plus 33, {match['first']}, {in_pairs(match)}",
    )
    yield Rule(
        re.compile(rf"{_START}(?P<n>0[1-9](?P<sep>[ ./-]?)[0-9]{{2}}(?:(?P=sep)[0-9]{{2}}){{3}})(?![\w]|(?P=sep)[0-9])"),
        in_pairs,
    )
    yield Rule(
        re.compile(rf"{_START}0 ?([89][0-9]{{2}})([ .])([0-9]{{3}})\2([0-9]{{3}}){_END}"),
        lambda match: f"0, {match[1]}, {match[3]}, {match[4]}",
    )
    yield Rule(
        re.compile(rf"{_START}0 ?([89][0-9]{{2}})([ .])([0-9]{{2}})\2([0-9]{{2}})\2([0-9]{{2}}){_END}"),
        lambda match: ", ".join(["0", match[1], match[3], match[4], match[5]]),
    )
    yield Rule(re.compile(rf"{_START}0([1-9][0-9]{{3}})(?= [A-ZÉ][a-zé-]|,)"), lambda match: f"zéro {match[1]}")
    yield Rule(re.compile(rf"{_START}(3[0-9]|10)([0-9]{{2}}){_END}"), called)
    yield Rule(re.compile(rf"{_START}118 ?([0-9]{{3}}){_END}"), lambda match: f"118, {match[1]}")


def _italian(locale: Romance) -> Iterator[Rule]:
    """Rules for 06 1234567, 333 1234567, 800 123 456, CAP 20121, il 112 and numbers that begin with 0."""

    def verbalize(match: re.Match[str]) -> str | None:
        groups = re.findall("[0-9]+", match[0])
        if _DATE.fullmatch(match[0]) or not 8 <= sum(map(len, groups)) <= 12:
            return None
        return ", ".join(map(part_digits, groups))

    def digits(match: re.Match[str]) -> str:
        return part_digits(match[0])

    def called(match: re.Match[str]) -> str | None:
        return part_digits(match[0]) if iberian_phones.is_called(locale, match) else None

    yield Rule(re.compile(rf"{_START}0[1-9][0-9]{{0,2}}(?:[ ./-][0-9]{{2,8}}){{1,4}}{_END}"), verbalize)
    yield Rule(
        re.compile(rf"{_START}3[2-9][0-9](?:[ /-][0-9]{{6,7}}|[ .-][0-9]{{3}}[ .-][0-9]{{4}}|(?:[ -][0-9]{{2,3}}){{3}}){_END}"),
        verbalize,
    )
    yield Rule(re.compile(rf"{_START}(?:80[03]|84[0378]|199|89[29])[ -][0-9]{{3}}[ -]?[0-9]{{3}}{_END}"), verbalize)
    yield Rule(
        re.compile(rf"(?<=CAP )[0-9]{{5}}{_END}|(?<=, |[–-] )[0-9]{{5}}(?= [A-Z][a-z])|(?<![^\n])[0-9]{{5}}(?= [A-Z][a-z])"),
        digits,
    )
    yield Rule(re.compile(rf"{_START}0[0-9]{{4,14}}+{_END}"), digits)
    yield Rule(
        re.compile(rf"(?:(?<=il )|(?<=al )|(?<=del )|(?<=dal )|(?<= [eo] ))(?:11[2-8]|1522|1500|116117|19696){_END}"), called
    )
    yield Rule(re.compile(rf"{_START}3[2-9][0-9]{{7,8}}{_END}"), called)
