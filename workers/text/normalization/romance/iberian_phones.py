"""Telephone, emergency, postal and code numbers of Spanish and Portuguese.

Why Spanish groups stay numbers: "noventa y uno, quinientos cincuenta y cinco, doce, treinta y cuatro" is how they are dictated.
Portuguese says the digits, and "meia" for six.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization.numerals import part_digits
from workers.text.normalization.rules import Rule, any_of

_START: Final = r"(?<![\w.,/+:-])(?<![0-9] )"
_END: Final = r"(?![\w/]|[.,:-][0-9]| [0-9])"
_LOOK_BACK: Final = 60


def digits_of(locale: Romance) -> Callable[[str], str]:
    """A function that says digits one by one, with the words that the locale has for some of them."""

    def say(text: str) -> str:
        return " ".join(locale.phone_digits.get(digit, digit) for digit in part_digits(text).split())

    return say


def rules(locale: Romance) -> Iterator[Rule]:
    """All rules of Spanish or Portuguese. They come before dates and amounts."""
    say, in_groups = digits_of(locale), _in_groups(locale)

    def called(match: re.Match[str]) -> str | None:
        return in_groups(match) if is_called(locale, match) else None

    # 112, 016
    yield Rule(re.compile(rf"{_START}(?P<n>0[0-9]{{2,14}}){_END}"), in_groups)
    yield Rule(re.compile(rf"{_START}(?P<n>1[0-9]{{2}}|911){_END}"), called)
    yield Rule(re.compile(rf"{_START}(?P<n>1([ -])8[0-9]{{2}}\2[0-9]{{3}}\2[0-9]{{4}}){_END}"), in_groups)
    yield from _brazilian(locale) if locale.language == "pt" else _spanish(locale)
    # 612345678, 555-1234
    yield Rule(
        re.compile(rf"{_START}(?P<n>[0-9]{{9,11}}|[0-9]{{3,4}}-[0-9]{{4}}){_END}"),
        lambda match: _split(say, match["n"]) if is_called(locale, match) else None,
    )
    # PIN 1234, código postal 28013; Goya 5, 28013 Madrid
    yield Rule(
        re.compile(
            rf"(?<!\w)(?P<label>{any_of(locale.code_labels)})(?P<link>:? (?:es |é |nº |número |n.º )?)"
            rf"(?P<n>[0-9]{{3,12}}){_END}"
        ),
        lambda match: f"{match['label']}{match['link']}{say(match['n'])}",
    )
    yield Rule(re.compile(r"(?<=, )(?P<n>[0-5][0-9]{4})(?= [A-ZÁÉÍÓÚÑ][a-zß-ÿ])"), in_groups)


def _spanish(locale: Romance) -> Iterator[Rule]:
    """Rules for 91 555 12 34, 600 12 34 56, (55) 1234-5678 and 12345678Z; with a word before it, 912 345 678."""
    say, in_groups = digits_of(locale), _in_groups(locale)

    def as_numbers(match: re.Match[str]) -> str:
        groups = re.findall("[0-9]+", match["n"])
        return ", ".join(say(group) if group[0] == "0" else group for group in groups)

    yield Rule(re.compile(rf"{_START}(?P<n>9[0-9]([ -])[0-9]{{3}}\2[0-9]{{2}}\2[0-9]{{2}}){_END}"), as_numbers)
    yield Rule(re.compile(rf"{_START}(?P<n>[6-9][0-9]{{2}}([ -])[0-9]{{2}}(?:\2[0-9]{{2}}){{2}}){_END}"), as_numbers)
    yield Rule(re.compile(rf"{_START}(?P<n>(?:80|90)[0-9]([ -])[0-9]{{3}}\2[0-9]{{3}}){_END}"), as_numbers)
    yield Rule(
        re.compile(rf"{_START}(?P<n>[6-9][0-9]{{2}}([ .-])[0-9]{{3}}\2[0-9]{{3}}){_END}"),
        lambda match: as_numbers(match) if is_called(locale, match) else None,
    )
    yield Rule(
        re.compile(rf"(?<![\w.,/+(-])(?<![0-9] )(?P<n>(?:\([0-9]{{2,4}}\) ?|[0-9]{{2,3}} )[0-9]{{3,4}}[ -][0-9]{{4}}){_END}"),
        in_groups,
    )
    # 555-123-4567, 01 800 123 4567
    yield Rule(re.compile(rf"{_START}(?P<n>[2-9][0-9]{{2}}([-.])[0-9]{{3}}\2[0-9]{{4}}){_END}"), in_groups)
    yield Rule(re.compile(rf"{_START}(?P<n>(?:0?1[ -])?[89]00[ -][0-9]{{3}}[ -][0-9]{{4}}){_END}"), in_groups)
    yield Rule(
        re.compile(rf"{_START}(?P<n>[0-9]{{8}})-?(?P<letter>[A-Z]){_END}"),
        lambda match: f"{say(match['n'])} {match['letter']}",
    )


def _brazilian(locale: Romance) -> Iterator[Rule]:
    """Rules for (11) 91234-5678, 0800 123 4567, 01310-100, 123.456.789-09, 12.345.678/0001-95."""
    say, in_groups = digits_of(locale), _in_groups(locale)

    def phone(match: re.Match[str]) -> str | None:
        area, first, second = match["area"] or match["bare"], match["first"], match["second"]
        if area is None and match["sep"] == "-" and len(first) == len("2023") and int(first) < int(second) <= 2099:
            return None
        return (f"{int(area)}, " if area else "") + f"{say(first)}, {say(second)}"

    yield Rule(re.compile(rf"{_START}(?P<n>0[389]00[ -][0-9]{{3}}[ -]?[0-9]{{3,4}}){_END}"), in_groups)
    yield Rule(
        re.compile(
            r"(?<![\w.,/(-])(?:(?:\(0?(?P<area>[1-9][0-9])\) ?)|(?P<bare>[1-9][0-9]) (?=9[0-9]{4}-|[2-5][0-9]{3}-))?"
            rf"(?P<first>9 ?[0-9]{{4}}|[2-5][0-9]{{3}})(?P<sep>-|(?<=[0-9]) )(?P<second>[0-9]{{4}}){_END}"
        ),
        phone,
    )
    yield Rule(re.compile(rf"{_START}(?P<n>[0-9]{{3}}\.[0-9]{{3}}\.[0-9]{{3}}-[0-9]{{2}}){_END}"), in_groups)
    yield Rule(re.compile(rf"{_START}(?P<n>[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}/[0-9]{{4}}-[0-9]{{2}}){_END}"), in_groups)
    yield Rule(re.compile(rf"{_START}(?P<n>[0-9]{{2}}\.[0-9]{{3}}\.[0-9]{{3}}-[0-9X]){_END}"), in_groups)
    yield Rule(re.compile(rf"{_START}(?P<n>[0-9]{{2}}\.?[0-9]{{3}}-[0-9]{{3}}){_END}"), in_groups)


def _in_groups(locale: Romance) -> Callable[[re.Match[str]], str]:
    """A replacement that says the digits of the group `n` one by one, in the groups that it has."""
    say = digits_of(locale)
    return lambda match: ", ".join(map(say, re.findall("[0-9]+", match["n"])))


def _split(say: Callable[[str], str], n: str) -> str:
    """The digits of a long number in groups of three; the groups that it has, if it has some."""
    groups = n.split("-") if "-" in n else re.findall("[0-9]{1,3}", n)
    return ", ".join(map(say, groups))


def is_called(locale: Romance, match: re.Match[str]) -> bool:
    """Whether a word shortly before a number shows that it is a telephone number."""
    before = match.string[max(0, match.start() - _LOOK_BACK) : match.start()].lower()
    return any(word in before for word in locale.called)
