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
    if locale.language in {"fr", "it"}:
        yield Rule(
            re.compile(rf"(?<![\w.,:/-])(?P<whole>[0-9]{{1,4}})\.(?P<rest>[0-9]{{1,2}})(?= ?{units}(?![\w/²³]))"),
            lambda match: f"{match['whole']},{match['rest']}",
        )
