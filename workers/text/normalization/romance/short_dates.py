"""Months and weekdays that are written short: 28 nov. 2024, lun. 5 feb, mar-dom, fin oct.

Why a number must stand next to some of them: "sept" is also seven in French, and "mer." may be the last word of a sentence.
"""

import re
from collections.abc import Iterator
from functools import partial

from workers.text.locales.structs import Romance
from workers.text.normalization.rules import Rule, any_of
from workers.text.normalization.western import ends_sentence

_YEAR = r"(?:[0-9]{4}|'[0-9]{2})(?!\w)"
_FRACTIONS = {(1, 2), (1, 3), (2, 3), (1, 4), (3, 4)}
_BEFORE_DAY = ("dia ", "día ")
_NUMBER_AFTER = re.compile(r",? [0-9]")


def rules(locale: Romance) -> Iterator[Rule]:
    """All rules for short names. They come before the abbreviations."""
    yield from _months(locale)
    yield from _weekdays(locale)
    if locale.language in {"es", "pt"}:
        # diciembre de 2020 - enero de 2021
        yield Rule(
            re.compile(rf"(?<=[0-9]{{4}}) ?[-–] ?(?=(?i:{any_of(locale.months)}) de (?:19|20)[0-9]{{2}}(?!\w))"),
            f" {locale.to} ",
        )
    if locale.before_dates:
        yield _day_with_slash(locale)


def _months(locale: Romance) -> Iterator[Rule]:
    """Rules for months: in a date, before a year, in a range, and alone with a full stop."""
    short = f"(?P<month>(?i:{any_of(locale.short_months)}))"
    full = any_of(locale.months)
    say = partial(_say, locale, "short_months")

    def in_date(match: re.Match[str]) -> str | None:
        month = match["month"].lower()
        if (
            month in locale.like_words
            and match["year"] is None
            and not (_goes_on(match) or _follows_place(match))
            and match["sep"] != "/"
        ):
            return None
        after = between if match["year"] is not None else ""
        return f"{match['day']}{between}{locale.short_months[month]}{after}" + _stop(match)

    of, between = ("(?:de )?", " de ") if locale.language in {"es", "pt"} else ("", " ")
    yield Rule(
        re.compile(
            rf"(?<!\w)(?<![0-9][.,])(?P<day>[0-3]?[0-9](?:er|[°º])?)(?P<sep>[-/]| {of}){short}(?P<stop>\.?)(?!\w)"
            rf"(?P<before_year>(?:[-/]| (?:del? )?)(?P<year>(?={_YEAR})))?"
        ),
        in_date,
    )
    yield Rule(
        re.compile(rf"(?<![\w.]){short}[/-](?P<year>(?:19|20)?[0-9]{{2}})(?![\w/]|[.,-][0-9])"),
        lambda match: f"{_as_written(match['month'], locale.short_months)}{between}{match['year']}",
    )
    yield Rule(
        re.compile(rf"(?<![\w.]){short}(?P<stop>\.?)(?= (?P<of>del? )?{_YEAR})"),
        lambda match: say(match) + (between.rstrip() if match["of"] is None else ""),
    )
    yield Rule(
        re.compile(rf"(?<![\w.]){short}(?P<stop>\.?) ?[-–/] ?(?=(?i:{any_of(locale.short_months)}|{full})(?!\w))"),
        lambda match: f"{locale.short_months[match['month'].lower()]} {locale.to} ",
        needs_digit=False,
    )
    if locale.before_months:
        yield Rule(
            re.compile(rf"(?<!\w)(?P<before>{any_of(locale.before_months)})(?P<sep>[ -]){short}(?P<stop>\.)(?!\w)"),
            lambda match: f"{match['before']}{match['sep']}{locale.short_months[match['month'].lower()]}{_stop(match)}",
            needs_digit=False,
        )
    yield Rule(
        re.compile(rf"(?<![\w.]){short}(?P<stop>\.)(?!\w)"),
        lambda match: None if match["month"].lower() in locale.like_words else say(match),
        needs_digit=False,
    )


def _day_with_slash(locale: Romance) -> Rule:
    """The rule for le 15/10."""
    return Rule(
        re.compile(
            rf"(?<!\w)(?P<before>(?:{any_of(locale.before_dates)} |[Ll]'|[Dd]all'|[Aa]ll'))(?P<day>0?[1-9]|[12][0-9]|3[01])"
            r"/(?P<month>0?[1-9]|1[0-2])(?![\w/%]|[.,][0-9]| d(?:e|u|es|i)\b| d')"
        ),
        lambda match: _day_and_month(locale, match),
    )


def _weekdays(locale: Romance) -> Iterator[Rule]:
    """Rules for weekdays: before a date, in a list or a range, and alone with a full stop."""
    days = f"(?i:{any_of(locale.short_days)})"
    short, link = f"(?P<day>{days})", rf"(?:,? (?:{'|'.join(locale.links)}|al?) |, | ?[-–/] ?)"
    months = f"(?i:{any_of([*locale.short_months, *locale.months])})"
    say = partial(_say, locale, "short_days")

    def in_list(match: re.Match[str]) -> str | None:
        names = re.findall(rf"(?<!\w){days}(?!\w)", match[0])
        if "." not in match[0] and all(name.lower() in locale.like_words for name in names):
            return None
        said = re.sub(r"(?<=[^ ]) ?[-–] ?", f" {locale.to} ", match[0])
        if locale.language == "it" and said != match[0] and not match.string[: match.start()].endswith(("da ", "Da ")):
            said = f"da {said}"
        said = re.sub(rf"(?<!\w){days}(?!\w)\.?", lambda one: _as_written(one[0], locale.short_days), said)
        return said + _stop(match)

    yield Rule(
        re.compile(rf"(?<![\w.-]){days}\.?(?:{link}{days}(?!\w)(?P<stop>\.?)){{1,6}}+"),
        in_list,
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<![\w.]){short}(?P<stop>\.?)(?=,? [0-3]?[0-9](?:(?:er|[°º])? (?:de )?{months}(?!\w)|[/.-][0-9]))"), say
    )

    def alone(match: re.Match[str]) -> str | None:
        is_word = match["day"].lower() in locale.like_words and _NUMBER_AFTER.match(match.string, match.end()) is None
        return None if is_word else say(match)

    yield Rule(re.compile(rf"(?<![\w.]){short}(?P<stop>\.)(?!\w)"), alone, needs_digit=False)
    if locale.language in {"fr", "it"}:
        # Lun 4, Mar 5
        yield Rule(re.compile(rf"(?:\A|(?<=\n)|(?<=, ))(?=[A-Z]){short}(?P<stop>)(?= [0-3]?[0-9](?:[,;:.\n]|\Z))"), say)


def _day_and_month(locale: Romance, match: re.Match[str]) -> str | None:
    day, month = int(match["day"]), int(match["month"])
    if (day, month) in _FRACTIONS:
        return None
    said_day = locale.first_day if day == 1 else str(day)
    of = "de " if locale.language in {"es", "pt"} else ""
    return match["before"] + f"{said_day} {of}{locale.months[month - 1]}"


def _say(locale: Romance, table: str, match: re.Match[str]) -> str:
    """The full name, with the full stop if the sentence ends there."""
    return _as_written(match.group(1), getattr(locale, table)) + _stop(match)


def _as_written(short: str, names: dict[str, str]) -> str:
    """The full name of a short form, with a capital if that has one."""
    name = names[short.rstrip(".").lower()]
    return name[0].upper() + name[1:] if short[0].isupper() else name


def _stop(match: re.Match[str]) -> str:
    return "." if match["stop"] and ends_sentence(match) else ""


def _follows_place(match: re.Match[str]) -> bool:
    """Whether the day is that of a letter or of an announced date: Paris, le 9 sept."""
    return match.string[max(0, match.start() - 9) : match.start()].endswith(
        (" le ", "Le ", " du ", " au ", " dal ", " al ", ", ")
    )


def _goes_on(match: re.Match[str]) -> bool:
    """Whether the full stop belongs to a short form: the sentence goes on, or a date is announced ("no dia 3 dez.")."""
    is_announced = match.string[: match.start()].endswith(_BEFORE_DAY)
    return match["stop"] == "." and (is_announced or not ends_sentence(match))
