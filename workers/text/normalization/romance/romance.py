"""Normalization of Spanish, French, Italian and Brazilian Portuguese: rules shared with English, and their own."""

import re
from collections.abc import Iterator

from workers.text.locales import loader
from workers.text.locales.structs import Romance
from workers.text.normalization import amounts, western
from workers.text.normalization.agreement import agreement
from workers.text.normalization.initialisms import initialisms
from workers.text.normalization.romance import (
    angles,
    bible,
    elision,
    hyphens,
    iberian_numbers,
    iberian_romans,
    joined_amounts,
    names,
    ordinals,
    phones,
    romans,
    short_dates,
)
from workers.text.normalization.romance.durations import clock_times, durations
from workers.text.normalization.romance.mixed_numbers import mixed_numbers
from workers.text.normalization.romance.pairs import pairs
from workers.text.normalization.romance.quantities import quantities
from workers.text.normalization.romance.scales import short_scales
from workers.text.normalization.romance.short_forms import short_forms
from workers.text.normalization.romance.slashes import rates, slashes
from workers.text.normalization.rules import Rule


def rules(language: str) -> Iterator[Rule]:
    """All rules of a language (`es`, `fr`, `it` or `pt`), in order."""
    locale = loader.romance(language)
    for rule in _rules(locale):
        yield _capitalizing(rule, locale)


def _capitalizing(rule: Rule, locale: Romance) -> Rule:
    """The rule with a capital where its words begin a sentence in place of a digit: a small letter would end no sentence."""
    change = rule.replacement
    if isinstance(change, str):
        return rule

    def verbalize(match: re.Match[str]) -> str | None:
        words = change(match)
        if words and words[0].islower() and not match[0][0].isalpha() and western.begins_sentence(locale, match):
            return words[0].upper() + words[1:]
        return words

    return Rule(rule.pattern, verbalize, rule.needs_digit)


def _rules(locale: Romance) -> Iterator[Rule]:
    language = locale.language
    yield from western.addresses(locale)
    if language == "fr":
        yield from _always_open()
    yield from short_dates.rules(locale)
    yield from iberian_romans.centuries(locale)
    yield from short_forms(locale)
    yield from names.eras(locale)
    yield from names.names(locale)
    yield from western.abbreviations(locale)
    yield from phones.rules(locale)
    yield from iberian_numbers.numbers(locale)
    yield from quantities(locale)
    yield from hyphens.rules(locale)
    yield from bible.rules(locale)
    yield from western.dates(locale)
    yield from slashes(locale)
    yield from rates(locale)
    yield from pairs(locale)
    yield from angles.degrees(locale)
    yield from clock_times(locale)
    yield from angles.lengths(locale)
    yield from joined_amounts.rules(locale)
    yield _half_of_day(locale)
    yield from durations(locale)
    yield from western.times(locale)
    yield from western.named(locale, "hashtag")
    yield from _named(locale)
    yield from amounts.ungroup(locale)
    yield from amounts.money(locale)
    yield from short_scales(locale)
    yield from mixed_numbers(locale)
    yield from amounts.fractions(locale)
    yield from ordinals.degree_signs(locale)
    yield from amounts.measures(locale)
    yield ordinals.rule(language)
    yield from romans.rules(locale)
    yield from initialisms(locale)
    yield from western.ranges(locale)
    yield from western.signs(locale)
    yield agreement(locale)
    yield from western.numerals_of(locale)
    yield from elision.rules(language)


def _half_of_day(locale: Romance) -> Rule:
    """The rule for times with a half of the day: 9:00 a.m., 3 p. m."""

    def verbalize(match: re.Match[str]) -> str:
        number, minute = str(int(match["hour"])), int(match["minute"] or 0)
        morning, afternoon, evening = locale.halves_of_day
        half = morning if match["half"] in "aA" else evening if 7 <= int(number) < 12 else afternoon
        hour = locale.hours.get(number, number)
        if minute:
            said = locale.time.format(hour=hour, minute=minute)
        else:
            said = f"{hour} heure{'s' * (number != '1')}" if locale.language == "fr" else hour
        stop = "." if match[0].endswith(".") and western.ends_sentence(match) else ""
        return f"{said} {half}{stop}"

    return Rule(
        re.compile(rf"(?<![\w:.,/])(?P<hour>1[0-2]|0?[1-9])(?::(?P<minute>[0-5][0-9]))?{western.HALF_OF_DAY}"), verbalize
    )


def _always_open() -> Iterator[Rule]:
    """Rules for French hours of opening, before "j" and "h" become words: 7 j/7, 24h/24."""
    yield Rule(re.compile(r"(?<![\w.,])7 ?j ?/ ?7(?!\w)"), "7 jours sur 7")
    yield Rule(re.compile(r"(?<![\w.,])24 ?h ?/ ?24(?!\w)"), "24 heures sur 24")


def _named(locale: Romance) -> Iterator[Rule]:
    """Rules for ratios and fixed expressions: 16:9, y/o."""
    yield Rule(
        re.compile(r"(?<![\w:.,/])([0-9]{1,3}):(?=[0-9]{1,3}(?![\w:]|[.,][0-9]))"), lambda match: f"{match[1]} {locale.to} "
    )
    both = locale.and_or
    yield Rule(re.compile(rf"(?<![\w/]){re.escape(both)}(?![\w/])"), both.replace("/", " "), needs_digit=False)
