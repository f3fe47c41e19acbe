"""Pounds, shillings and pence, as books and papers before 1971 write them: £3 15s. 6d., 2s. 6d., a 5l. note.

Why a lone "s." needs small letters after it: "It took 5s." has seconds. A lone "d." or "l." has no other meaning there.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.normalization import amounts, numerals, western
from workers.text.normalization.rules import Rule

_PENCE: Final = {
    "1": "a penny",
    "2": "twopence",
    "3": "threepence",
    "4": "fourpence",
    "5": "fivepence",
    "6": "sixpence",
    "7": "sevenpence",
    "8": "eightpence",
    "9": "ninepence",
    "10": "tenpence",
    "11": "elevenpence",
}
_PARTS: Final = {"½": "halfpenny", "¼": "farthing", "¾": "three farthings"}
_POUNDS: Final = (
    r"(?:£ ?(?P<pounds>[0-9]{1,3}(?:,[0-9]{3}){0,3}(?![0-9,])|[0-9]{1,9})|(?P<l>[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,6})l\.?)"
)
_SHILLINGS: Final = r"(?P<s>[0-9]{1,3}) ?s(?:\.|(?![\w.]))"
_PENNIES: Final = r"(?P<d>[0-9]{1,2})?(?P<part>(?:(?<=[0-9])|(?<![\w.,]))[½¼¾])? ?d(?P<stop>\.)?(?![\w'])"
_START: Final = r"(?<![\w.,£$€:/-])"


def rules() -> Iterator[Rule]:
    """The rules for old money, for before the rules of money and of measures."""
    yield Rule(re.compile(rf"{_START}(?:{_POUNDS},? ?)?{_SHILLINGS},? ?(?=[0-9½¼¾]){_PENNIES}"), _verbalize)
    yield Rule(re.compile(rf"{_START}{_POUNDS},? ?(?P<s>[0-9]{{1,2}}) ?s(?P<stop>\.)?(?![\w'])(?P<d>)(?P<part>)"), _verbalize)
    yield Rule(
        re.compile(rf"{_START}(?P<s>[0-9]{{1,3}})s\.(?P<stop>)(?= [a-z]|[,;]|-?/)(?P<pounds>)(?P<l>)(?P<d>)(?P<part>)"),
        _verbalize,
    )
    yield Rule(
        re.compile(rf"{_START}(?<!\b[Ii]n )(?<!\binto )(?=[0-9½¼¾]{{1,3}} ?d\.)(?P<pounds>)(?P<l>)(?P<s>){_PENNIES}"),
        _verbalize,
    )
    yield Rule(
        re.compile(
            rf"{_START}(?P<l>[0-9]{{1,3}}(?:,[0-9]{{3}}){{1,3}}|[0-9]{{1,6}})"
            r"l\.(?P<stop>)(?= (?!of\b)[a-z]|[,;])(?P<pounds>)(?P<s>)(?P<d>)(?P<part>)"
        ),
        _verbalize,
    )


def _verbalize(match: re.Match[str]) -> str | None:
    pounds = (match["pounds"] or match["l"] or "").replace(",", "")
    shillings, pence = match["s"], match["d"] or match["part"]
    words = []
    if pounds:
        words.append(_count(pounds, "pound", "pound" if amounts.describes(match) else "pounds"))
    if shillings:
        words.append(_count(shillings, "shilling", "shilling" if amounts.describes(match) else "shillings"))
    if pence:
        words.append(_say_pence(match["d"], match["part"], is_alone=not words))
    if not words:
        return None
    joined = " and ".join([" ".join(words[:-1]), words[-1]]) if pence and len(words) > 1 else " ".join(words)
    return joined + western.full_stop(match)


def _count(n: str, one: str, many: str) -> str:
    return f"{numerals.cardinal(n, british=True)} {one if int(n) == 1 else many}"


def _say_pence(n: str | None, part: str | None, *, is_alone: bool) -> str:
    end = _PARTS.get(part or "", "")
    if not n:
        return f"a {end}" if part != "¾" else end
    words = _PENCE.get(n, f"{numerals.cardinal(n, british=True)} pence")
    if n == "1" and not end and is_alone:
        words = "one penny"
    return f"{words} {end}".strip()
