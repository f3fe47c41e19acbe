"""Prices of Mandarin: ¥12.50 is 12元5角, $2.5M is 250万美元, ¥5-10 is 5到10元.

Why not 12.5元: nobody says a price in yuan with a point.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from workers.text.locales.structs import EastAsian
from workers.text.normalization.rules import Rule, any_of

_DASH: Final = "[-‐‑–—−~～〜－]"
_FACTORS: Final = {"k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules for prices: ¥12.50 is 12元5角, $2.5M is 250万美元, ¥5-10 is 5到10元."""
    table = locale.money
    sign = rf"(?<![A-Za-z$])(?P<sign>{any_of(table)}) ?"
    n = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"

    # ￥58,800.00元 has the currency twice; 1,299.00元 has no jiao.
    yield Rule(
        re.compile(rf"(?<![A-Za-z$]){any_of(table)} ?(?=[0-9][0-9,.]{{0,15}}[万亿千百]{{0,2}} ?{any_of({*table.values()})})"),
        "",
    )
    yield Rule(re.compile(r"(?<=[0-9])\.00(?=[元块])"), "")

    def scale(match: re.Match[str]) -> str:
        factor = _FACTORS[match["letter"][0].lower()]
        return f"{_in_scale(Decimal(match['n'].replace(',', '')) * factor)}{table[match['sign']]}"

    yield Rule(
        re.compile(
            rf"{sign}(?P<n>[0-9]{{1,3}}(?:,[0-9]{{3}}){{0,4}}(?:\.[0-9]{{1,6}})?|{n})"
            r"(?: ?(?P<letter>[kKMBT]|bn|mn|tn|MM|b|m|(?i:thousand|million|billion|trillion)))(?![A-Za-z0-9])"
        ),
        scale,
    )
    yield Rule(
        re.compile(rf"{sign}(?P<n>{n}) ?{_DASH} ?(?:(?P=sign) ?)?(?P<last>{n})(?![0-9.,A-Za-z]| ?{_DASH})(?P<scale>[万亿]?)"),
        lambda match: f"{_short(match['n'])}{locale.to}{_short(match['last'])}{match['scale']}{table[match['sign']]}",
    )
    yuan = any_of(name for name, unit in table.items() if unit == "元")
    yield Rule(
        re.compile(
            rf"(?<![A-Za-z$]){yuan} ?(?P<whole>[0-9]{{1,9}}|[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,3}})"
            r"\.(?P<rest>[0-9]{1,2})(?![0-9.,万亿千百])"
        ),
        lambda match: say_yuan(match["whole"].replace(",", ""), match["rest"]),
    )


def say_yuan(whole: str, rest: str) -> str:
    """Returns an amount in yuan, jiao and fen: 12.50 is 12元5角."""
    jiao, fen = int(rest[0]), int(rest[1:] or 0)
    yuan = f"{int(whole)}元" if int(whole) or not jiao + fen else ""
    between = "零" if yuan and fen and not jiao else ""
    return yuan + (f"{jiao}角" if jiao else between) + (f"{fen}分" if fen else "")


def _in_scale(amount: Decimal) -> str:
    """Returns an amount with 万 or 亿, if it has few digits with them: 2,500,000 is 250万."""
    for unit, word in ((10**8, "亿"), (10**4, "万")):
        if amount >= unit and (amount * 100) % unit == 0:
            return f"{_short(f'{amount / unit:f}')}{word}"
    return _short(f"{amount:f}")


def _short(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
