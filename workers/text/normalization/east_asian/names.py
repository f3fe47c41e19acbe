"""Names of Mandarin with numbers and hyphens: 3·15晚会, 北京-上海, RTX 4090, 12306, 666.

Why lists of names: a hyphen between other words is silent, and 4090 after other words is a quantity.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.east_asian_groups import Names
from workers.text.locales.structs import EastAsian
from workers.text.normalization.east_asian.codes import spell_digits, spell_plainly
from workers.text.normalization.rules import Rule, any_of

_DASH: Final = "[-‐‑–—−~～〜－]"
_HAN: Final = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff"
_TENS: Final = {"10": "十", "11": "十一", "12": "十二"}


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules for the names of the locale."""
    if locale.names is None:
        return
    yield from _events(locale, locale.names)
    yield from _routes(locale, locale.names)
    yield from _models(locale, locale.names)
    yield from _laughs(locale, locale.names)


def _events(locale: EastAsian, names: Names) -> Iterator[Rule]:
    """Rules for events that have the name of a day: 3·15晚会, “9·18”事变, 11.11购物节."""

    def verbalize(match: re.Match[str]) -> str:
        month, day = match["month"], match["day"]
        if month == day and month in {"11", "12"}:
            return f"{match['open']}双{_TENS[month]}{match['close']}"
        said = _TENS.get(month) or spell_plainly(month, locale)
        return match["open"] + said + spell_plainly(day, locale) + match["close"]

    day = r"(?P<month>1[0-2]|[1-9])[·•・‧.](?P<day>3[01]|[12][0-9]|[1-9])"
    yield Rule(
        re.compile(
            rf"(?<![A-Za-z0-9.·])(?P<open>[\"「『]?){day}(?P<close>[\"」』]?)(?=(?:[和、与及][0-9.]{{3,5}})?[\u4e00-\u9fff]{{0,4}}?{any_of(names.events)})"
        ),
        verbalize,
    )


def _routes(locale: EastAsian, names: Names) -> Iterator[Rule]:
    """Rules for a hyphen that means "to": 北京-上海, 虎门-南沙高速, 一-三年级."""
    place = any_of(names.places)
    yield Rule(
        re.compile(rf"(?P<place>{place}[市站港东西南北]?) ?{_DASH}{{1,2}} ?(?={place})"),
        lambda match: match["place"] + locale.to,
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<=[{_HAN}])[-‐‑–—－~～](?=[{_HAN}]{{2,6}}?{any_of(names.routes)})"), locale.to, needs_digit=False
    )
    yield Rule(re.compile(rf"(?<=[一二三四五六七八九十百]){_DASH}(?=[一二三四五六七八九十])"), locale.to, needs_digit=False)


def _models(locale: EastAsian, names: Names) -> Iterator[Rule]:
    """Rules for numbers after a name and a space: RTX 4090, Office 365, CES 2024; and for 12306."""
    free = _free(locale)

    def verbalize(match: re.Match[str]) -> str | None:
        if match["n"].endswith("00"):
            return None
        return f"{match['name']} {spell_plainly(match['n'], locale)}"

    yield Rule(
        re.compile(
            rf"(?<![A-Za-z0-9])(?P<name>{any_of(names.spaced_models)}) (?P<n>[0-9]{{3,5}})(?=[A-Z]{{0,2}}(?![A-Za-z])){free}"
        ),
        verbalize,
    )
    yield Rule(re.compile(rf"(?P<name>(?<=[A-Za-z])) (?P<n>(?:19|20)[0-9]{{2}}){free}"), verbalize)
    lines = any_of(n for n in locale.codes.short if len(n) == 5 and not n.endswith("000"))
    yield Rule(re.compile(rf"(?<![A-Za-z0-9.,¥$+-]){lines}{free}"), lambda match: spell_digits([match[0]], locale))


def _laughs(locale: EastAsian, names: Names) -> Iterator[Rule]:
    """Rules for numbers that are words in chats: 666，太厉害了, 23333."""
    start = '(?<=[，。！？!?、~～…"])|(?<=[，。！？] )|(?<=[说啊吧哈])|\\A'
    end = '[，。！!？?~～…"啊呀哈呜笑快]|太|我|了|\\Z'
    yield Rule(
        re.compile(rf"(?:{start})(?P<n>{any_of(names.laughs)})(?={end})(?!\.[0-9])"),
        lambda match: spell_plainly(match["n"], locale),
    )
    schools = "(?:985|211)(?=[/、和]?(?:985|211|高校|院校|大学|双一流))"
    yield Rule(
        re.compile(rf"(?<![A-Za-z0-9.,¥$-])(?:996{_free(locale)}|(?<=了)5{{3,9}}(?=[，。！~]|\Z)|{schools})"),
        lambda match: spell_plainly(match[0], locale),
    )
    yield Rule(re.compile("(?<=九八五)/(?=211)|(?<=二一一)/(?=985)"), "、")
    yield Rule(re.compile(rf"(?<![A-Za-z0-9.,¥$-])23{{4,9}}{_free(locale)}"), lambda match: spell_plainly(match[0], locale))


def _free(locale: EastAsian) -> str:
    """A pattern for the end of a number that counts nothing."""
    measures = any_of({*locale.counted, *locale.measured, *"年月日号元人多余", "美元"})
    return rf"(?![0-9.,%％-]| ?{measures})"
