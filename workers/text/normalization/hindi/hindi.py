"""Normalization of Hindi: the rules that it shares with English, and its own for parts of the day, years and phone numbers."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import Hindi
from workers.text.normalization import amounts, numerals, western
from workers.text.normalization.hindi import forms, numbers, places, romans
from workers.text.normalization.rules import Rule

_PHONE: Final = re.compile(r"(?<![\w.,+-])(?:0)?[6-9][0-9]{4}[ -]?[0-9]{5}(?![\w-])")
"""A telephone number as it is written in India: 98765 43210."""
_RATINGS: Final = tuple(
    Rule(re.compile(pattern), lambda match: f"{match[2]} में से {match[1]}")
    for pattern in (
        r"(?<![\w.,/])([0-9]{1,2}\.[0-9])/(5|10|100)(?![\w/]|\.[0-9])",
        r"(?<![\w.,/])([0-9]{1,2})/(5|10|100)(?= (?:की )?(?:रेटिंग|स्टार|अंक))",
    )
)
"""Rules for 4.5/5 and 4/5 रेटिंग."""
_CLOCK: Final = (
    # 5.30 बजे
    Rule(
        re.compile(r"(?<![\w:.,/-])(?P<hour>[01]?[0-9]|2[0-3])\.(?P<minute>[0-5][0-9])(?= बजे)"),
        lambda match: f"{match['hour']}:{match['minute']}",
    ),
    # 10:00-11:00
    Rule(re.compile(r"(?<=[0-9]:[0-5][0-9])(?: बजे)? ?[-–] ?(?=[0-9]{1,2}:[0-5][0-9](?!\w))"), " से "),
)


def rules() -> Iterator[Rule]:
    """All rules of Hindi, in order."""
    locale = loader.hindi()
    yield from western.addresses(locale)
    yield forms.dots()
    yield forms.per_hour()
    yield from forms.dates(locale)
    yield from forms.english(locale)
    yield forms.before_names(locale)
    yield from places.rules(locale)
    yield from romans.rules(locale)
    yield from western.abbreviations(locale)
    yield from forms.initials(locale)
    yield from western.phones(numerals.part_digits, locale.plus)
    yield Rule(_PHONE, _verbalize_phone)
    yield from numbers.codes(locale)
    # ता. 5-3-24
    yield Rule(re.compile(r"(?:(?<=तारीख )|(?<=दिनांक ))([0-9]{1,2})-([0-9]{1,2})-(?=[0-9]{2}(?!\w))"), _verbalize_short)
    yield from western.dates(locale)
    yield from numbers.scores(locale)
    yield from _CLOCK
    yield _quarter_hours(locale)
    yield _part_of_day(locale)
    yield from western.times(locale)
    yield from western.named(locale, locale.hashtag)
    # ₹ 50/-
    yield Rule(re.compile(r"(?<=[0-9])/-(?!\w)"), "")
    yield from numbers.slashes(locale)
    yield numbers.ordinals(locale)
    yield from numbers.durations(locale)
    yield from amounts.ungroup(locale)
    yield from amounts.money(locale)
    yield from _RATINGS
    yield from amounts.fractions(locale)
    yield from amounts.measures(locale)
    yield Rule(re.compile(r"\bFahrenheit\b"), locale.fahrenheit)
    yield from forms.latin(locale)
    yield _year(locale)
    yield from numbers.compared_letters(locale)
    yield numbers.comparisons(locale)
    yield from western.ranges(locale)
    yield from western.signs(locale)
    yield from western.numerals_of(locale)


def _verbalize_phone(match: re.Match[str]) -> str:
    groups = re.findall("[0-9]+", match[0])
    if len(groups) == 1:
        groups = [groups[0][:-5], groups[0][-5:]]
    return ", ".join(map(numerals.part_digits, groups))


def _verbalize_short(match: re.Match[str]) -> str:
    """Returns the beginning of a date with slashes, which the rules for dates read."""
    return f"{match[1]}/{match[2]}/"


def _quarter_hours(locale: Hindi) -> Rule:
    """The rule for quarters and halves of an hour: 9:30 बजे, 3:45 बजे."""
    fractions = {"15": "1/4", "30": "1/2", "45": "3/4"}

    def verbalize(match: re.Match[str]) -> str:
        hour = int(match["hour"]) % 12 if match["minute"] == "45" else int(match["hour"])
        return amounts.quarters(locale, hour, fractions[match["minute"]])

    return Rule(re.compile(r"(?<![\w:.,/-])(?P<hour>1[0-2]|0?[1-9]):(?P<minute>15|30|45)(?= बजे)"), verbalize)


def _part_of_day(locale: Hindi) -> Rule:
    """The rule for times with a half of the day: 9:00 a.m., 3 pm."""

    def verbalize(match: re.Match[str]) -> str:
        hour = int(match["hour"]) % 12 + 12 * (match["half"] in "pP")
        part = next(name for end, name in locale.day_parts if hour < end)
        return f"{part} {int(match['hour'])}:{match['minute'] or '00'}"

    return Rule(
        re.compile(rf"(?<![\w:.,/])(?P<hour>1[0-2]|0?[1-9])(?::(?P<minute>[0-5][0-9]))?{western.HALF_OF_DAY}"), verbalize
    )


def _year(locale: Hindi) -> Rule:
    """The rule for years: 1905 में, सन 1905, 26 जनवरी 1950."""
    months = "|".join(f"(?<={month} )" for month in locale.months)
    return Rule(
        re.compile(
            rf"(?<![\w.,])1[1-9][0-9]{{2}}(?= (?:में|से|तक|के|का|की|ई))|(?:(?<=सन )|(?<=सन् )|{months})1[1-9][0-9]{{2}}(?!\w)"
        ),
        lambda match: western.hundreds(match[0], locale),
    )
