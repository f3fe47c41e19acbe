"""Slashes between English numbers and units that are no fractions: 50/50, 4/4, 2023/24, $82/bbl, GBP/USD.

Why a word next to the numbers counts: 4/4 is a bar of music, 3/4 of a cup is not. Without such a word, a/b stays a fraction.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import English
from workers.text.normalization import numerals
from workers.text.normalization.english import pairs
from workers.text.normalization.numerals import number
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en").beside_slashes
_START: Final = r"(?<![\w.,/$€£-])"
_END: Final = r"(?![\w/%]|[.,:][0-9]|-[0-9])"
_PAIR: Final = rf"(?P<one>[0-9]{{1,3}})/(?P<two>[0-9]{{1,3}}){_END}"
_YEAR: Final = "(?:1[1-9]|20)[0-9]{2}"
_CODE: Final = "[A-Z]{3}"
_NUMBERED: Final = re.compile(r" [Nn]o\.?\Z")
_PLURAL: Final = re.compile(r"\b(?:people|children|[a-z]{2,16}[^\s\Wsu]s)\Z")
_HUNDRED: Final = 100
_DAY_AND_MONTH: Final = "(?P<one>[0-3][0-9])/(?P<two>[0-3][0-9])"
_MONTHS: Final = 12


def rules(locale: English) -> Iterator[Rule]:
    """The rules for slashes, for before the rules of dates and money."""
    yield from _currencies(locale)
    yield from _laws()
    yield from _cases()
    yield from _seasons()
    yield from _pairs(is_month_first=locale.is_month_first)
    yield from _per(locale)


def _currencies(locale: English) -> Iterator[Rule]:
    # GBP/USD 1.2650: the number is no amount of dollars.
    yield Rule(
        re.compile(rf"(?<![\w/])(?P<one>{_CODE})/(?P<two>{_CODE}) (?P<n>{number(locale)})(?![\w%]|[.,][0-9])"),
        lambda match: f"{match['one']} {match['two']} {_number(match['n'], locale)}",
    )
    codes = any_of(sign for sign in locale.money if re.fullmatch(_CODE, sign))
    yield Rule(
        re.compile(rf"(?<![\w/])(?P<one>{_CODE})/(?P<two>{codes})(?![\w/])"),
        lambda match: f"{match['one']} {match['two']}",
        needs_digit=False,
    )
    # $3bn–$4bn
    scale = any_of(sign for sign in locale.scales if len(sign) < len("mil"))
    amount = rf"(?P<sign>[$€£¥])(?P<one>[0-9]{{1,6}}(?:\.[0-9]{{1,2}})?)(?P<scale>{scale})"
    yield Rule(
        re.compile(rf"{amount} ?[-–—] ?(?P=sign)(?=[0-9.,]{{1,9}}(?P=scale)(?!\w))"),
        lambda match: f"{match['sign']}{match['one']}–",
    )


def _laws() -> Iterator[Rule]:
    # Regulation (EU) 2016/679, Directive 95/46/EC
    yield Rule(
        re.compile(
            rf"\b(?P<kind>(?:{any_of(_WORDS.laws)})(?: \([A-Z]{{2,8}}\))?(?: [Nn]o\.?)?) "
            r"(?P<one>[0-9]{1,5})/(?P<two>[0-9]{1,5})(?:/(?P<rest>[A-Z]{2,4}))?(?![\w/-])"
        ),
        lambda match: (
            f"{_NUMBERED.sub(' number', match['kind'])} {_year_or_number(match['one'])} {_year_or_number(match['two'])}"
            + (f" {match['rest']}" if match["rest"] else "")
        ),
    )


def _cases() -> Iterator[Rule]:
    # Case C-131/12
    yield Rule(
        re.compile(r"(?P<kind>\b(?:Case|Cases|and) )(?P<court>[CTF])-(?P<one>[0-9]{1,4})/(?P<two>[0-9]{2})(?![\w/-])"),
        lambda match: f"{match['kind']}{match['court']} {pairs.say(match['one'])} {_cardinal(match['two'])}",
    )


def _seasons() -> Iterator[Rule]:
    yield Rule(
        re.compile(rf"{_START}(?P<one>{_YEAR})/(?P<two>{_YEAR})(?![\w/]|[.,][0-9]|-[0-9])"),
        lambda match: f"{numerals.year(match['one'], british=False)} {numerals.year(match['two'], british=False)}",
    )
    start = r"(?<![\w.,/$€£-])(?P<fy>FY ?)?"
    yield Rule(
        re.compile(
            rf"{start}(?P<one>{_YEAR}|(?<=FY)[0-9]{{2}}|(?<=FY )[0-9]{{2}})/(?P<two>[0-9]{{2}})(?![\w/]|[.,][0-9]|-[0-9])"
        ),
        _season,
    )
    yield Rule(re.compile(rf"{start}(?P<one>{_YEAR})[–-](?P<two>[0-9]{{2}})(?![\w/–-]|[.,][0-9])"), _season)


def _pairs(*, is_month_first: bool) -> Iterator[Rule]:
    yield Rule(
        re.compile(rf"{_START}(?P<one>[2-9]|12)/(?P<two>2|4|8|16)(?= (?:{any_of(_WORDS.music)})\b)"),
        lambda match: f"{_cardinal(match['one'])} {_cardinal(match['two'])}",
    )
    yield Rule(re.compile(rf"{_START}4/4{_END}"), "four four")
    # 20/40 vision, a 16/9 screen, 24/7/365
    yield Rule(
        re.compile(rf"{_START}(?P<one>20|6)/(?P<two>(?!20 )[1-9][0-9]{{0,2}})(?= (?:{any_of(_WORDS.sights)})\b)"),
        lambda match: f"{_cardinal(match['one'])} {_cardinal(match['two'])}",
    )
    yield Rule(
        re.compile(rf"{_START}(?P<one>16|21|4|3)/(?P<two>9|10|3|2)(?= (?:{any_of(_WORDS.screens)})\b)"),
        lambda match: f"{_cardinal(match['one'])} {_cardinal(match['two'])}",
    )
    yield Rule(re.compile(rf"{_START}24/7/365(?![\w/])"), "twenty-four seven three sixty-five")
    yield Rule(re.compile(rf"(?P<before>\b(?:{any_of(_WORDS.counted)}) ){_PAIR}"), _of)
    yield Rule(
        re.compile(rf"(?P<before>\b(?:{any_of(_WORDS.rated)})(?: (?:it|this|is|was|of|an?|at|him|her|them))?:? ){_PAIR}"),
        _out_of,
    )
    yield Rule(re.compile(rf"(?P<before>){_START}{_PAIR}(?= (?:{any_of(_WORDS.ratings)})\b)"), _out_of)
    yield Rule(
        re.compile(rf"{_START}{_PAIR}(?= (?:{any_of(_WORDS.days)})\b)"),
        lambda match: f"{_cardinal(match['one'])} {_cardinal(match['two'])}",
    )
    # 4.5/5
    yield Rule(
        re.compile(rf"{_START}(?P<n>[0-9]{{1,2}}\.[0-9])/(?P<two>5|10|20|100)(?![\w/%]|[.,:][0-9])"),
        lambda match: f"{match['n']} out of {_cardinal(match['two'])}",
    )
    # 14/06, on 25/12
    yield Rule(
        re.compile(rf"(?P<before>\b(?:on|by|since|until|till|due|from|before|after) )?{_START}{_DAY_AND_MONTH}{_END}"),
        lambda match: _day_and_month(match, is_month_first=is_month_first),
    )
    yield Rule(re.compile(_START + _PAIR), _shares)
    # a 50-50 chance, a 60-40 split
    yield Rule(
        re.compile(
            rf"{_START}(?P<one>[1-9][05])-(?P<two>[1-9][05])(?= (?:split|chance|chances|odds|share|basis|mix|joint|custody)\b)"
        ),
        _shares,
    )


def _per(locale: English) -> Iterator[Rule]:
    """Rules for a slash that means *per*: $82/bbl, 5¢/kWh, 120 people/km², days/year."""
    names = {sign: unit.one for sign, unit in locale.units.items() if len(sign) > 1 and sign.isascii() and "/" not in sign}
    names |= {sign: unit.one for sign, unit in locale.units.items() if sign[-1] in "²³"} | locale.per
    yield Rule(
        re.compile(rf"(?:(?<=[0-9kKMB¢%])|(?<=[0-9][mb])|(?<=[0-9][bmt]n))/(?P<unit>{any_of(names)})(?![\w/²³]|\.\w)"),
        lambda match: f" per {names[match['unit']]}",
    )
    words = {
        sign: name for sign, name in names.items() if sign in locale.per or not sign.isalpha() or sign in {"mL", "ml", "cm"}
    }
    yield Rule(
        re.compile(rf"(?<=[a-z])/(?P<unit>{any_of(words)})(?![\w/])"),
        lambda match: (
            f" per {words[match['unit']]}"
            if _PLURAL.search(match.string[max(0, match.start() - 20) : match.start()]) is not None
            else None
        ),
        needs_digit=False,
    )


def quantities(locale: English) -> Iterator[Rule]:
    """Rules for a slash between two quantities, 100ml/3½fl oz, and for what heads a column: $/hr, req/s.

    For before the rules of measures.
    """
    n = r"[0-9½⅓⅔¼¾]{1,6}(?:\.[0-9]{1,2})? ?"
    unit = r"(?:g|kg|oz|lbs?|ml|cl|dl|l|litres?|pints?|cm|in|mm|m|ft|km|miles|mi|°?[CF]|fl oz|V|W)"
    yield Rule(
        re.compile(rf"{_START}(?P<one>{n}(?P<unit>{unit})) ?/ ?(?!100 ?(?:km|mi)\b)(?={n}(?P<other>{unit})(?!\w))"),
        lambda match: (
            f"{match['one']}{' per ' if match['unit'] == match['other'] and match['unit'][-1] not in 'CFVW' else ', '}"
        ),
    )
    names = {sign: name.unit.many for sign, name in locale.money.items() if not sign[0].isalnum()}
    yield Rule(
        re.compile(rf"(?<![\w$€£])(?P<sign>{any_of(names)}) ?/ ?(?P<unit>{any_of(locale.per)})\.?(?!\w)"),
        lambda match: f"{names[match['sign']]} per {locale.per[match['unit']]}",
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<![\w/])(?P<what>{any_of(_COUNTED)})/(?P<unit>s|sec|{any_of(locale.per)})(?![\w/])"),
        lambda match: f"{_COUNTED[match['what']]} per {locale.per.get(match['unit'], 'second')}",
        needs_digit=False,
    )
    yield Rule(re.compile(rf"(?<=[a-z]) / (?={n}{unit}(?!\w))"), ", ")
    yield Rule(re.compile(r"(?:(?<=[0-9][CF])|(?<=[°º][CF])|(?<=fan)) ?/ ?(?=[Gg]as (?:[Mm]ark )?[0-9])"), ", ")
    yield Rule(re.compile(r"(?<![\w%])% (?=[A-Za-z])"), f"{locale.percent} ", needs_digit=False)


_COUNTED: Final = {
    "req": "requests",
    "reqs": "requests",
    "requests": "requests",
    "tok": "tokens",
    "tokens": "tokens",
    "msg": "messages",
    "msgs": "messages",
    "ops": "operations",
    "rows": "rows",
    "calls": "calls",
    "queries": "queries",
    "frames": "frames",
    "words": "words",
    "items": "items",
    "images": "images",
    "events": "events",
}
"""What is counted in the head of a column: req/s."""


def _day_and_month(match: re.Match[str], *, is_month_first: bool) -> str | None:
    """A date without a year; None for a fraction: no number begins with zero, and no word such as *on* stands before it."""
    one, two = int(match["one"]), int(match["two"])
    if not match["before"] and "0" not in (match["one"][0], match["two"][0]):
        return None
    month, day = (one, two) if (is_month_first and one <= _MONTHS) or two > _MONTHS else (two, one)
    if not (1 <= month <= _MONTHS and 1 <= day <= 31):
        return None
    name, said = loader.english("en").months[month - 1], numerals.ordinal(str(day), british=False)
    return (match["before"] or "") + (f"{name} {said}" if is_month_first else f"the {said} of {name}")


def _of(match: re.Match[str]) -> str | None:
    if int(match["one"]) > int(match["two"]):
        return None
    return f"{match['before']}{_cardinal(match['one'])} of {_cardinal(match['two'])}"


def _out_of(match: re.Match[str]) -> str:
    return f"{match['before']}{_cardinal(match['one'])} out of {_cardinal(match['two'])}"


def _shares(match: re.Match[str]) -> str | None:
    """Two shares of a hundred, 50/50, or good eyes, 20/20; None for a fraction."""
    one, two = int(match["one"]), int(match["two"])
    is_share = one + two == _HUNDRED and one % 5 == 0 and one * two > 0
    return f"{_cardinal(match['one'])}-{_cardinal(match['two'])}" if is_share or match[0] == "20/20" else None


def _season(match: re.Match[str]) -> str | None:
    one, two = match["one"], match["two"]
    if (int(one) + 1) % _HUNDRED != int(two):
        return None
    fy, to = "F Y " if match["fy"] else "", "" if "/" in match[0] else "to "
    first = numerals.year(one, british=False) if len(one) == len("2023") else _cardinal(one)
    return f"{fy}{first} {to}{'oh ' if two[0] == '0' else ''}{_cardinal(two)}"


def _year_or_number(digits: str) -> str:
    return numerals.year(digits, british=False) if re.fullmatch(_YEAR, digits) else _cardinal(digits)


def _number(text: str, locale: English) -> str:
    whole, _, fraction = text.replace(",", "").partition(".")
    british = not locale.is_month_first
    return numerals.decimal(whole, fraction, british=british) if fraction else numerals.cardinal(whole, british=british)


def _cardinal(digits: str) -> str:
    return numerals.cardinal(str(int(digits)), british=False)
