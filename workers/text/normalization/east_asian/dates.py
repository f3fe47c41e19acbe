"""Dates that Mandarin takes over from English or writes with dots: Nov 28, 08/15/2024, 2024.3.5-3.8, 1980s."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import EastAsian
from workers.text.normalization.rules import Rule

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH: Final = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY: Final = "(?P<day>3[01]|[12][0-9]|0?[1-9])(?:st|nd|rd|th)?"
_YEAR: Final = "(?P<year>1[5-9][0-9]{2}|20[0-9]{2})"
_END: Final = "(?![A-Za-z0-9])"
_M: Final = "1[0-2]|0?[1-9]"
_D: Final = "3[01]|[12][0-9]|0?[1-9]"
_WEEKDAYS: Final = {"M": "一", "Tu": "二", "W": "三", "Th": "四", "F": "五", "Sa": "六", "Su": "日"}


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules for these dates."""
    # Mon, 5 Feb 2024
    yield Rule(
        re.compile(
            r"(?<![A-Za-z])(?P<day>M|Tu|W|Th|F|Sa|Su)(?:on|es?|ed|urs?|ri|t|n|onday|esday|ednesday|ursday|riday|turday|nday)\.?,?"
            r" (?=[0-9]{1,2} [A-Z][a-z]{2}|[A-Z][a-z]{2,8}\.? [0-9])"
        ),
        lambda match: f"星期{_WEEKDAYS[match['day']]}，",
    )
    yield from _english(locale)
    # 08/15/2024, 15/08/2024
    yield Rule(re.compile("(?<![A-Za-z0-9./-])([0-9]{1,2})/([0-9]{1,2})/((?:19|20)[0-9]{2})(?![A-Za-z0-9/])"), _with_slashes)
    # 2024.3.5-3.8
    yield Rule(
        re.compile(
            rf"(?<![A-Za-z0-9./-])((?:19|20)[0-9]{{2}})([./])({_M})\2({_D})"
            rf" ?[-–—~～至到] ?(?:({_M})\2)?({_D})(?![A-Za-z0-9./-])"
        ),
        lambda match: f"{match[1]}年{_say(match[3], match[4])}{locale.to}{_say(match[5], match[6])}",
    )


def _say(month: str | None, day: str) -> str:
    return (f"{int(month)}月" if month else "") + f"{int(day)}日"


def _with_slashes(match: re.Match[str]) -> str | None:
    """Returns a date with the year at its end; the month is the second number only if the first cannot be one."""
    first, second = int(match[1]), int(match[2])
    month, day = (second, first) if first > 12 else (first, second)
    return f"{match[3]}年{month}月{day}日" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _english(locale: EastAsian) -> Iterator[Rule]:
    """Rules for dates in English: Nov 28, Mar 4, 2024, 5 March 2024, Dec 2024."""

    def verbalize(match: re.Match[str]) -> str:
        found = match.groupdict()
        year = f"{found['year']}年" if found.get("year") else ""
        day = f"{int(found['day'])}日" if found.get("day") else ""
        return f"{year}{_MONTHS.index(found['month'][:3]) + 1}月{day}"

    yield Rule(re.compile(rf"(?<![A-Za-z0-9.]){_DAY} {_MONTH},? {_YEAR}{_END}"), verbalize)
    yield Rule(re.compile(rf"(?<![A-Za-z]){_MONTH} {_DAY}(?:,? {_YEAR})?{_END}(?![:.][0-9])"), verbalize)
    yield Rule(re.compile(rf"(?<![A-Za-z]){_MONTH},? {_YEAR}{_END}"), verbalize)
    # 1980s
    yield Rule(
        re.compile("(?<![A-Za-z0-9.$¥])((?:1[89]|20)[0-9]0) ?'?s(?![A-Za-z0-9])(?:年代)?"), lambda match: f"{match[1]}年代"
    )
