"""Slashes in Romance languages that make no fraction: laws, seasons, shares, bars of music, and rates such as €/mes.

Why these rules come before money and fractions: "35/2006" is no quotient, and the sign before "/mes" is a currency.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization.rules import Rule, any_of

_YEAR: Final = "(?:19|20)[0-9]{2}"
_RANGED: Final = [
    "min",
    "minuti",
    "minutes",
    "minutos",
    "h",
    "g",
    "gr",
    "kg",
    "cm",
    "km",
    "°C",
    "giorni",
    "jours",
    "días",
    "dias",
    "%",
]
"""Units of amounts that are written as 35/40."""
_BODIES: Final = "(?:CEE?|UE|EU|EEE|CECA|PESC|PESD|JAI|[Ee]uratom|EURATOM)"
"""The short names of the European Union, after the number of an act."""
_BEATS: Final = {"2": "mezzi", "4": "quarti", "8": "ottavi", "16": "sedicesimi"}
_BEGIN: Final = r"(?<![\w/-])(?<![0-9][.,])"
_END: Final = r"(?![\w/]|-[0-9]|[.,][0-9])"


def slashes(locale: Romance) -> Iterator[Rule]:
    """Rules for numbers: Ley 35/2006, Reglamento 2016/679, 05/2024, 2023/24, 50/50, compás de 4/4."""
    words = locale.slashes
    if words is None:
        return

    def verbalize_month(match: re.Match[str]) -> str:
        between = locale.date.partition("{month}")[2].partition("{year}")[0]
        return f"{locale.months[int(match['n']) - 1]}{between}{match['year']}"

    def verbalize_year_first(match: re.Match[str]) -> str:
        year, n = match["year"], match["n"]
        is_season = int(n) == int(year) + 1 or (len(n) == 2 and int(n) == (int(year) + 1) % 100)
        if is_season and n == "00":
            n = str(int(year) + 1)
        return f"{year} {n}" if is_season else f"{year} {locale.address['/']} {n}"

    yield Rule(
        re.compile(rf"(?<!\w)(?P<bar>{any_of(words.bars)}) (?P<n>[1-9][0-9]?)/(?P<of>[1-9][0-9]?){_END}"),
        lambda match: f"{match['bar']} {match['n']} {_beats(locale, match['of'])}",
    )
    yield _season()
    yield from _european_acts(locale)
    if locale.language == "it":
        yield from _both_genders()
    # affaire C-311/18
    yield Rule(
        re.compile(rf"(?<![\w-])(?P<case>[CTF][-‑][0-9]{{1,4}})/(?P<year>[0-9]{{2}}){_END}"),
        lambda match: f"{match['case']} {match['year']}",
    )
    yield from _ratings_and_ranges(locale)
    yield Rule(re.compile(rf"{_BEGIN}(?P<n>0[1-9])/(?P<year>{_YEAR}){_END}"), verbalize_month)
    yield Rule(re.compile(rf"{_BEGIN}(?P<year>{_YEAR})/(?P<n>[0-9]{{1,5}}){_END}"), verbalize_year_first)
    yield Rule(
        re.compile(rf"{_BEGIN}(?P<n>[0-9]{{1,6}}|[0-9]{{1,3}}\.[0-9]{{3}})/(?P<year>{_YEAR}){_END}"),
        lambda match: f"{match['n']} {words.of_year} {match['year']}",
    )
    yield Rule(
        re.compile(
            rf"(?<!\w)(?P<law>(?i:{any_of(words.laws)})) "
            rf"(?P<n>[0-9]{{1,6}}|[0-9]{{1,3}}\.[0-9]{{3}})/(?P<year>[0-9]{{2}}){_END}"
        ),
        partial(_verbalize_law, locale),
    )
    yield Rule(re.compile(rf"{_BEGIN}[1-9][0-9]/[1-9][0-9]{_END}"), _verbalize_share)


def _season() -> Rule:
    """The rule for a season or a school year with a hyphen: saison 2023-24."""
    return Rule(
        re.compile(
            r"(?<!\w)(?P<noun>(?i:saisons?|exercice|année (?:scolaire|universitaire)|campagne|promotion|stagion[ei]|"
            r"anno (?:accademico|scolastico)|biennio|campionato|annata)) "
            r"(?P<year>(?:19|20)[0-9]{2})[-–](?P<n>[0-9]{2}|[0-9]{4})(?![\w-])"
        ),
        lambda match: f"{match['noun']} {match['year']} {match['n']}",
    )


def _beats(locale: Romance, of: str) -> str:
    """The words for the lower number of a bar of music: "por 4", "quarti", and in French the number alone."""
    assert locale.slashes
    if locale.language == "it" and of in _BEATS:
        return _BEATS[of]
    return of if locale.language == "fr" else f"{locale.slashes.per} {of}"


def _both_genders() -> Iterator[Rule]:
    """Rules for Italian words for women and men: tutti/e, ragazzo/a, lui/lei."""
    yield Rule(
        re.compile(r"(?<![\w/])(?P<stem>[^\W\d_]{2,20}[^\W\d_aeiouhAEIOU])i/e(?![\w/])"),
        lambda match: f"{match['stem']}i e {match['stem']}e",
        needs_digit=False,
    )
    yield Rule(
        re.compile(r"(?<![\w/])(?P<stem>[^\W\d_]{2,20}[^\W\d_aeouAEIOU])o/a(?![\w/])"),
        lambda match: f"{match['stem']}o o {match['stem']}a",
        needs_digit=False,
    )
    yield Rule(
        re.compile(r"(?<![\w/])(?P<he>[Ll]ui|[Ee]gli)/(?=(?:lei|ella)(?![\w/]))"),
        lambda match: f"{match['he']} o ",
        needs_digit=False,
    )


def _european_acts(locale: Romance) -> Iterator[Rule]:
    """Rules for acts of the European Union: 95/46/CE, and in French 2016/679 and 1169/2011, whose slash nobody says."""
    yield Rule(
        re.compile(rf"{_BEGIN}(?P<one>[0-9]{{2,4}})/(?P<two>[0-9]{{1,4}})/(?={_BODIES}(?![\w/]))"),
        lambda match: f"{match['one']} {match['two']} ",
    )
    if locale.language == "fr":
        yield Rule(
            re.compile(
                rf"(?P<before>(?<!\w)(?:[Rr]èglement|[Dd]irective|[Dd]écision)(?: d'exécution| délégué[e]?)?,? "
                rf"(?:\({_BODIES}(?:, [A-Z][A-Za-z]{{1,8}})?\) )?(?:n[°º] ?|numéro )?)"
                r"(?P<one>[0-9]{2,4})/(?P<two>[0-9]{1,4})(?![\w/]|[.,][0-9])"
            ),
            lambda match: f"{match['before']}{match['one']} {match['two']}",
        )


def _verbalize_law(locale: Romance, match: re.Match[str]) -> str:
    is_short = locale.language in {"fr", "it"} and match["year"].startswith("0")
    year = "20" * is_short + match["year"]
    return f"{match['law']} {match['n']} {_between(locale, match['law'])} {year}"


def _ratings_and_ranges(locale: Romance) -> Iterator[Rule]:
    """Rules for ratings (4,7/5, "Note : 4/5"), house numbers (76/A) and ranges (35/40 min)."""
    yield Rule(
        re.compile(
            rf"(?:{_BEGIN}(?P<n>[0-9]{{1,3}}[.,][0-9]{{1,2}})|(?<=: )(?P<whole>[0-9]{{1,3}}))/(?=(?:5|6|10|20|30|100){_END})"
        ),
        lambda match: f"{match['n'] or match['whole']} {locale.over} ",
    )
    yield Rule(re.compile(r"(?<![\w/])([0-9]{1,4})/([A-Z])(?![\w/])"), lambda match: f"{match[1]} {match[2]}")
    yield Rule(
        re.compile(rf"{_BEGIN}(?P<n>[0-9]{{1,3}})/(?P<to>[0-9]{{1,3}})(?= ?(?:{any_of(_RANGED)})(?!\w))"),
        lambda match: f"{match['n']} {locale.to} {match['to']}" if 6 <= int(match["n"]) < int(match["to"]) else None,
    )


def _verbalize_share(match: re.Match[str]) -> str | None:
    """Two halves of a hundred, and 20/20."""
    one, other = match[0].split("/")
    return f"{one} {other}" if int(one) + int(other) == 100 or one == other == "20" else None


def _between(locale: Romance, law: str) -> str:
    """The word before the second number of a law. A directive of the European Union has its year first."""
    is_european = law.startswith(("Dire", "Deci"))
    return locale.address["/"] if is_european or locale.slashes is None else locale.slashes.of_year


def rates(locale: Romance) -> Iterator[Rule]:
    """Rules for rates: 50 €/mes, 20 €/m², 15 mg/kg, 5 l/100 km, hab./km². Rates that are units of their own stay: km/h."""
    words = locale.slashes
    if words is None:
        return
    units, money = any_of(locale.units), any_of(locale.money)
    long_units = any_of(unit for unit in locale.units if len(unit) > 1 and "/" not in unit)
    nouns = any_of(words.rate_nouns)

    def verbalize(match: re.Match[str]) -> str | None:
        above, below = match["above"], match["below"] or ""
        if f"{above}/{below}" in locale.units:
            return None
        if match["n"] is None and above in locale.money:
            above = locale.money[above].unit.many
        return f"{match['n'] or ''}{above} {_per(locale, below)}"

    yield Rule(
        re.compile(
            rf"(?:(?<![\w.,])(?P<n>[0-9][0-9.,]{{0,15}}+ ?)|(?<![\w$€£]))(?P<above>{money}|%|{units})"
            rf"/(?:(?P<below>{units}|{nouns})(?![\w/²³])|(?=[0-9]{{1,4}} ?{units}(?!\w)))"
        ),
        verbalize,
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?P<price>{money} ?[0-9][0-9.,]{{0,15}}+)/(?P<below>{units})(?![\w/²³])"),
        lambda match: f"{match['price']} {_per(locale, match['below'])}",
    )
    yield Rule(
        re.compile(rf"(?<=[\w.²³%)])(?<!\w[A-Z])/(?P<below>{long_units}|{nouns})(?![\w/²³])"),
        lambda match: None if _is_own_unit(locale, match) else f" {_per(locale, match['below'])}",
        needs_digit=False,
    )


def _is_own_unit(locale: Romance, match: re.Match[str]) -> bool:
    """Whether the slash is a part of a unit that has a name of its own: tr/min."""
    above = re.search(r"[^\W\d_]{1,6}\Z", match.string[max(0, match.start() - 6) : match.start()])
    return above is not None and f"{above[0]}/{match['below']}" in locale.units


def _per(locale: Romance, below: str) -> str:
    """The words for the slash and what stands below it: a unit, or a word as it is."""
    words = locale.slashes
    assert words
    if below in words.rates:
        return words.rates[below]
    return f"{words.per} {locale.units[below].one if below in locale.units else below}"
