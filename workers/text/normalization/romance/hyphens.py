"""Hyphens and colons between numbers that are neither ranges nor ratios, in Romance languages: Boeing 737-800, loi n° 78-17,
art. L. 121-1, ISO 9001:2015; and the ranges of hours, 9h-18h.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_HOUR: Final = "(?:[01]?[0-9]|2[0-4])"
_CLOCK: Final = rf"{_HOUR}(?::[0-5][0-9](?: ?h(?!\w))?| ?[hH](?: ?[0-5][0-9])?(?![\w.]))"
_STANDARDS: Final = any_of(["ISO", "EN", "NF", "UNI", "DIN", "IEC", "CEI", "UNE", "NBR", "ISO/IEC", "RFC"])
_SIZES: Final = r"[0-9]{1,4}(?:[.,][0-9]{1,2})?(?: ?[x×] ?[0-9]{1,4}(?:[.,][0-9]{1,2})?)? ?(?:cm|mm|m|km|px)(?![\w])"
"""The rest of a size: 30 x 20 cm."""
_CODE: Final = "[0-9]{1,5}(?:[-–][0-9]{1,5}){1,4}"


def rules(locale: Romance) -> Iterator[Rule]:
    """All rules of a language. They come after the abbreviations and before dates, times and ranges."""
    yield from _hours_with_dots(locale)
    if locale.language == "fr":
        # 9H30, 18 H
        yield Rule(re.compile(rf"(?<![\w.,/]){_HOUR} ?H(?= ?[0-5][0-9](?!\w)|(?![\w'/]))"), lambda match: match[0].lower())
    if locale.language == "it":
        yield from _ranges_with_dots()
    yield from _ranges_of_hours(locale)
    yield from _models(locale)
    yield from _sizes_and_prices(locale)
    if locale.hyphenated:
        yield from _codes(locale)


def _hours_with_dots(locale: Romance) -> Iterator[Rule]:
    """Rules for ore 18.30 and 21.15 horas: the dot becomes a colon, which the rules of times know."""
    if locale.before_hour:
        yield Rule(
            re.compile(
                rf"(?<!\w)(?P<before>{any_of(locale.before_hour)})(?P<space> |(?<=')|(?<=h))"
                rf"(?P<time>{_HOUR}(?:[.,:][0-5][0-9])?(?:(?: ?[-–] ?| alle ){_HOUR}[.:][0-5][0-9])?)"
                r"(?![\w%]|[.,:][0-9]| ?[€%]| (?:euro|mil)| ?(?:kg|km|g|m|l|cm)(?!\w))"
            ),
            _with_colons,
        )
    # 21.15 horas, de 10.00 a 14.00 h, 18.30 h
    hours = "(?:h|hs|hrs|horas?|ore|heures?)(?!\\w)"
    yield Rule(
        re.compile(
            rf"(?<![\w.,:/])(?P<hour>{_HOUR})\.(?P<minute>[0-5][0-9])"
            rf"(?= ?{hours}|(?: (?:a|à|y|e|et|às|alle) (?:las )?| ?[-–] ?){_HOUR}\.[0-5][0-9] ?{hours})"
        ),
        lambda match: f"{match['hour']}:{match['minute']}",
    )


def _ranges_with_dots() -> Iterator[Rule]:
    """Rules for Italian hours: 8.30-19.30, lun-ven 9-18."""
    price = r"(?![\w%]|[.,][0-9]| ?[€$%]| (?:euro|mil)| ?(?:kg|km|g|m|l|cm)(?!\w))"
    yield Rule(
        re.compile(
            rf"(?<![\w.,:/€$-])(?<!ione )(?<!ioni )(?P<one>{_HOUR}\.[0-5][0-9]) ?[-–] ?(?P<two>{_HOUR}\.[0-5][0-9]){price}"
        ),
        lambda match: f"{match['one']}-{match['two']}".replace(".", ":"),
    )
    yield Rule(
        re.compile(rf"(?:(?<=dì )|(?<=sabato )|(?<=aperto ))(?P<one>{_HOUR})[-–](?P<two>{_HOUR}){price}"),
        lambda match: f"{match['one']}:00-{match['two']}:00",
    )


def _ranges_of_hours(locale: Romance) -> Iterator[Rule]:
    """The rule for 9h-18h and 10:00-11:30."""
    yield Rule(
        re.compile(
            rf"(?P<before>\b(?:[Dd]alle|[Dd]e|[Dd]as) )?(?<![\w:.,/])(?P<one>{_CLOCK}) ?[-–—] ?(?P<two>{_CLOCK})(?![\w-])"
        ),
        lambda match: _hours(locale, match),
    )


def _models(locale: Romance) -> Iterator[Rule]:
    """Rules for Boeing 737-800 and ISO 9001:2015."""
    yield Rule(
        re.compile(r"(?<![\w.,-])(?P<one>7[0-9]7)-(?P<two>[0-9]{1,3})(?P<rest>[A-Z]{0,3})(?![\w-])"),
        lambda match: (
            f"{match['one']} {numerals.in_words(int(match['two']), locale.language)} {' '.join(match['rest'])}".rstrip()
        ),
    )
    yield Rule(
        re.compile(
            rf"(?<!\w)(?P<before>{_STANDARDS}(?: [A-Z]{{2,4}}){{0,2}} (?P<n>[0-9]{{2,6}}))[-:](?=[0-9]{{1,4}}(?![\w-]))"
        ),
        lambda match: f"{match['before']} ",
    )


def _sizes_and_prices(locale: Romance) -> Iterator[Rule]:
    """Rules for servi à 10-12 °C, 30 x 20 cm, 3 € 50 and 2 mln di €."""
    # servi à 10-12 °C: the word for the range stands before it.
    yield Rule(
        re.compile(rf"(?<= {re.escape(locale.to)} )(?P<one>[1-9][0-9]?)[-–](?P<two>[1-9][0-9]?)(?![\w-]|[.,][0-9])"),
        lambda match: f"{numerals.in_words(int(match['one']), locale.language)} {match['two']}",
    )
    if locale.language == "fr":
        yield Rule(re.compile(rf"(?<=[0-9]) ?[x×] ?(?={_SIZES})"), " par ")
    yield Rule(
        re.compile(r"(?<![\w.,])([0-9]{1,6}) ?€ ?([0-9]{2})(?![\w%]|[.,][0-9]| ?€)"), lambda match: f"{match[1]},{match[2]} €"
    )
    yield Rule(re.compile("(?<= d[ei] )€(?! ?[0-9])"), locale.money["€"].unit.many, needs_digit=False)


def _codes(locale: Romance) -> Iterator[Rule]:
    """Rules for loi n° 78-17 and art. L. 121-1."""
    hyphen = f" {locale.address['-']} "

    def code(match: re.Match[str]) -> str:
        return match["before"] + re.sub("[-–]", hyphen, match["code"])

    yield Rule(re.compile(rf"(?<!\w)(?P<before>{any_of(locale.hyphenated)} )(?P<code>{_CODE})(?![\w/]|[.,-][0-9])"), code)
    yield Rule(
        re.compile(
            r"(?<![\w.-])(?P<art>[Aa]rts?\. ?)?(?<![\w'])"
            r"(?P<letter>[LRDA](?=\.)|[LRD](?=[0-9 ]{1,6}-)|(?<=article )[LRDA])\.? ?\*?"
            r"(?P<code>[0-9]{1,5}(?:-[0-9]{1,5}){0,4})(?![\w/]|[.,-][0-9])"
        ),
        lambda match: f"{'article ' * (match['art'] is not None)}{match['letter']} {match['code'].replace('-', hyphen)}",
    )


def _hours(locale: Romance, match: re.Match[str]) -> str:
    one, two = match["one"], match["two"]
    if not locale.hour_range:
        return f"{match['before'] or ''}{one} {locale.to} {two}"
    one, two = (re.sub(":00| ?[hH]$", "", time) for time in (one, two))
    return locale.hour_range.format(start=one, end=two)


def _with_colons(match: re.Match[str]) -> str | None:
    time = re.sub("[.,](?=[0-5][0-9])", ":", match["time"])
    if match["before"].lower() == "dalle" and " alle " in time:
        time = time.replace(":00", "")
    before = "ore" if match["before"] in {"h", "h."} else match["before"]
    return (
        None
        if time == match["time"] and before == match["before"]
        else f"{before}{match['space'] or ' ' * (before == 'ore')}{time}"
    )
