"""Months and weekdays that English writes short, and ranges of days: On Nov 28, Mon-Fri, May 5–10, 2020-12.

Why the text next to "Mar" or "Sun" decides: they are words and names too. A number, another month or day, or a word such as
*until* shows what they are.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import English
from workers.text.normalization import numerals, western
from workers.text.normalization.rules import Rule, any_of

_ENGLISH: Final = loader.english("en")
_MONTHS: Final = _ENGLISH.short_months
_DAYS: Final = _ENGLISH.short_days
_WORDS: Final = _ENGLISH.beside_days
_MONTH: Final = any_of([*_ENGLISH.months, *_MONTHS])
_FULL: Final = any_of(_ENGLISH.months)
_YEAR: Final = "(?:1[1-9]|20)[0-9]{2}"
_NUMBER: Final = "(?:3[01]|[12][0-9]|0?[1-9])"
_TH: Final = "(?:st|nd|rd|th|d)?"
_DASH: Final = r"(?: ?[-–—] ?)"
_LINK: Final = rf"(?:{_DASH}| to | through | and | & |, (?:and |or )?| or | ?/ ?)"
_DOT: Final = r"(?P<stop>\.(?!\w))?+"
_BEFORE: Final = re.compile(r"([A-Za-z]{1,12})[ -]\Z")


def rules(locale: English) -> Iterator[Rule]:
    """The rules for short months, short days and ranges of days, for before the rules of dates."""
    yield _chain(_DAYS)
    yield _chain(_MONTHS)
    yield Rule(
        re.compile(
            rf"(?<![\w'])(?P<short>{any_of(_DAYS)})\.?"
            rf"(?=,? (?:{_MONTH}\b|{_NUMBER}(?:(?:st|nd|rd|th)\b|:[0-5]| (?:of )?{_MONTH}\b"
            rf"| ?[AaPp]\.?[Mm]\b|/[0-9])|{any_of(_WORDS.parts)}\b))"
        ),
        lambda match: _DAYS[match["short"]],
        needs_digit=False,
    )
    yield Rule(re.compile(rf"(?<![\w'])(?P<short>{any_of(_DAYS)}){_DOT}(?![\w'])"), _write_out_day, needs_digit=False)
    yield from _months()
    yield from _ranges()
    yield Rule(
        re.compile(rf"\b(?P<day>{any_of(_DAYS.values())}),? (?P<one>[0-9]{{1,2}})/(?P<two>[0-9]{{1,2}})(?![\w/]|\.[0-9])"),
        lambda match: _day_and_date(match, locale),
    )
    yield Rule(
        re.compile(rf"(?<![\w/.:-])(?P<year>{_YEAR})-(?P<month>0[1-9]|1[0-2])(?![\w/-]|\.[0-9])"),
        _year_and_month,
    )


def _chain(names: dict[str, str]) -> Rule:
    """The rule for several short names in a row: Mon.–Fri., Jan-Mar, Sat and Sun."""
    name = re.compile(rf"({any_of(names)})\.?(?:(?:{_DASH}| ?/ ?)(?=[A-Z]))?")
    links = {"-": " to ", "–": " to ", "—": " to ", "/": ", "}

    def verbalize(match: re.Match[str]) -> str:
        words = name.sub(lambda one: names[one[1]] + links.get(one[0].rstrip(" ")[-1], ""), match["all"])
        return words + western.full_stop(match)

    short = any_of(names)
    return Rule(
        re.compile(rf"(?<![\w'])(?P<all>{short}(?:\.?{_LINK}{short}){{1,11}}+){_DOT}(?![\w'])"), verbalize, needs_digit=False
    )


def _months() -> Iterator[Rule]:
    short = rf"(?P<short>{any_of(_MONTHS)})"
    # Nov 28, Nov. 2024, Dec '24
    yield Rule(
        re.compile(rf"(?<![\w'.-]){short}\.? '(?P<year>[0-9]{{2}})(?![\w'])"),
        lambda match: f"{_MONTHS[match['short']]} 20{match['year']}",
    )
    yield Rule(
        re.compile(rf"(?<![\w'.-]){short}\.?(?: |, ?(?={_YEAR}\b))(?=[0-9])"),
        lambda match: f"{_MONTHS[match['short']]} ",
    )
    # 28 Nov, 5-Mar-2024
    yield Rule(
        re.compile(rf"(?<![\w.,:/])(?P<day>{_NUMBER}){_TH}(?P<of> of)?[ -]{short}{_DOT}(?![\w'])(?:-(?=[0-9]{{4}}\b))?+"),
        lambda match: (
            f"{match['day']}{match['of'] or ''} {_MONTHS[match['short']]}"
            + western.full_stop(match)
            + " " * match[0].endswith("-")
        ),
    )
    # in Nov, since Oct.
    yield Rule(re.compile(rf"(?<![\w'.-]){short}{_DOT}(?![\w'])"), _write_out_month, needs_digit=False)


def _ranges() -> Iterator[Rule]:
    day = rf"(?P<first>{_NUMBER}){_TH}(?:{_DASH}| to | through )(?P<last>{_NUMBER}){_TH}"
    yield Rule(
        re.compile(rf"\b(?P<month>{_FULL}) {day}(?![\w:-]|[.,/][0-9])(?P<year>,? {_YEAR}(?![\w,-]))?+"),
        _month_and_days,
    )
    yield Rule(
        re.compile(
            rf"(?<![\w.,:/-])(?P<the>[Tt]he )?(?P<first>{_NUMBER}){_TH}(?P<link>{_DASH}| to | and )(?P<last>{_NUMBER}){_TH}"
            rf"(?: of)? (?P<month>{_FULL})\b"
        ),
        _days_and_month,
    )
    # Nov 28–Dec 3, October 2023–March 2024
    yield Rule(
        re.compile(rf"\b(?P<from>{_FULL} [0-9]{{1,4}}{_TH}(?:, {_YEAR})?){_DASH}(?={_FULL}\b)"),
        lambda match: f"{match['from']} to ",
    )
    yield Rule(
        re.compile(rf"(?<![\w.,:/-])(?P<from>{_NUMBER}{_TH} {_FULL}(?: {_YEAR})?){_DASH}(?={_NUMBER}{_TH} {_FULL}\b)"),
        lambda match: f"{match['from']} to ",
    )
    # Tues 3 Jan–Thurs 5 Jan
    yield Rule(
        re.compile(rf"\b(?P<from>{_NUMBER}{_TH} {_FULL}(?: {_YEAR})?){_DASH}(?=(?:{any_of(_DAYS.values())})\b)"),
        lambda match: f"{match['from']} to ",
    )
    yield Rule(re.compile(rf"\b(?P<from>{_FULL}){_DASH}(?={_FULL}\b)"), lambda match: f"{match['from']} to ", needs_digit=False)


def _write_out_day(match: re.Match[str]) -> str | None:
    before = _word_before(match)
    is_sure = match["short"] in _WORDS.sure_days or (match["stop"] is not None and match["short"] not in _WORDS.words)
    if not is_sure and before not in (_WORDS.before_words if match["short"] in _WORDS.words else _WORDS.before):
        return None
    return _DAYS[match["short"]] + western.full_stop(match)


def _write_out_month(match: re.Match[str]) -> str | None:
    is_name = match["short"] in _WORDS.names
    if match["stop"] is None and is_name:
        return None
    if _word_before(match) not in _WORDS.before and (match["stop"] is None or is_name):
        return None
    return _MONTHS[match["short"]] + western.full_stop(match)


def _word_before(match: re.Match[str]) -> str:
    found = _BEFORE.search(match.string[max(0, match.start() - 12) : match.start()])
    return "" if found is None else found[1].lower()


def _month_and_days(match: re.Match[str]) -> str | None:
    first, last = int(match["first"]), int(match["last"])
    if first >= last:
        return None
    year = f", {numerals.year(match['year'][-4:], british=False)}" if match["year"] else ""
    return f"{match['month']} {_ordinal(first)} to {_ordinal(last)}{year}"


def _days_and_month(match: re.Match[str]) -> str | None:
    first, last = int(match["first"]), int(match["last"])
    if first >= last:
        return None
    link = "and" if match["link"] == " and " else "to"
    return f"{match['the'] or 'the '}{_ordinal(first)} {link} the {_ordinal(last)} of {match['month']}"


def _day_and_date(match: re.Match[str], locale: English) -> str | None:
    month, day = int(match["one"]), int(match["two"])
    if not locale.is_month_first or month > len(locale.months):
        month, day = day, month
    if not (1 <= month <= len(locale.months) and 1 <= day <= 31):
        return None
    name = locale.months[month - 1]
    return (
        f"{match['day']}, {name} {_ordinal(day)}" if locale.is_month_first else f"{match['day']} the {_ordinal(day)} of {name}"
    )


def _year_and_month(match: re.Match[str]) -> str | None:
    """A year and a month; None for two years in a row, 2010-11."""
    if (int(match["year"]) + 1) % 100 == int(match["month"]):
        return None
    return f"{_ENGLISH.months[int(match['month']) - 1]} {numerals.year(match['year'], british=False)}"


def _ordinal(n: int) -> str:
    return numerals.ordinal(str(n), british=False)
