"""Ranges of two amounts with a unit each, and decimals with a point before a unit: 5 km–8 km, 3 Md€-4 Md€, 25.5 °C.

Why before money and measures: these write the units as words, and a hyphen between words joins them.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization.rules import Rule, any_of

_N: Final = "[0-9]{1,3}(?:[.,  ]?[0-9]{1,3}){0,3}"


def rules(locale: Romance) -> Iterator[Rule]:
    """All rules of a language."""
    units = any_of([*locale.money, *locale.units, "%", "°C", "°F", "°"])
    unit = rf" ?(?:(?:{any_of(locale.scales)}) ?)?{units}(?![\w/²³])"
    yield Rule(
        re.compile(rf"(?<![\w.,-])(?P<one>{_N}{unit}) ?[-–—] ?(?={_N}{unit})"),
        lambda match: f"{match['one']} {locale.to} ",
    )
    yield _products(locale)
    if locale.language in {"fr", "it"}:
        yield Rule(
            re.compile(rf"(?<![\w.,:/-])(?P<whole>[0-9]{{1,4}})\.(?P<rest>[0-9]{{1,2}})(?= ?{units}(?![\w/²³]))"),
            lambda match: f"{match['whole']},{match['rest']}",
        )


def _products(locale: Romance) -> Rule:
    """The rule for products of units: J·s, kg·m/s."""
    sign = any_of(unit for unit in locale.units if unit.isalpha())

    def verbalize(match: re.Match[str]) -> str:
        n, first, second = match["n"], locale.units[match["first"]], locale.units[match["second"]]
        words = f"{n or ''}{first.one if (n or '').strip() == '1' else first.many} {second.one}"
        return f"{words} {_per(locale)} {locale.units[match['under']].one}" if match["under"] else words

    return Rule(
        re.compile(
            rf"(?<![\w.,/·⋅])(?P<n>{_N} ?)?(?P<first>{sign})[·⋅](?P<second>{sign})(?:/(?P<under>{sign}))?(?![\w/·⋅²³⁻])"
        ),
        verbalize,
        needs_digit=False,
    )


def _per(locale: Romance) -> str:
    return locale.slashes.per if locale.slashes else "/"
