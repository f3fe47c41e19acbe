"""Normalization of Spanish, French, Italian and Brazilian Portuguese: rules shared with English, ordinals and centuries."""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import Romance
from workers.text.normalization import amounts, numerals, western
from workers.text.normalization.agreement import agreement, halves
from workers.text.normalization.initialisms import initialisms
from workers.text.normalization.rules import Rule, any_of

_ORDINALS: Final = {
    "es": r"\.?(?:[ºo]\b|º|ª|er\b)",
    "it": r"\.?[º°ª]",
    "pt": r"\.?(?:º|ª)",
    "fr": r"(?:ers?|ère|re|nde?|èmes?|ième|es?)(?!\w)",
}
_FEMININE: Final = ("ª", "ère", "re", "nde")
_CENTURY: Final = {"es": "[Ss]iglo", "pt": "[Ss]éculo"}
_REGNAL_FEMININE: Final = re.compile(r"a$|^(?:Isabel|Beatriz|Elisabeth|Élisabeth|Elizabeth)$")


def rules(language: str) -> Iterator[Rule]:
    """All rules of a language (`es`, `fr`, `it` or `pt`), in order."""
    locale = loader.romance(language)
    yield from western.addresses(locale)
    yield from western.abbreviations(locale)
    yield from western.phones(numerals.part_digits, locale.plus)
    yield from _phones(language)
    yield from western.dates(locale)
    yield _half_of_day(locale)
    yield from western.times(locale)
    yield from western.named(locale, "hashtag")
    yield from _named(locale)
    yield from amounts.ungroup(locale)
    yield from amounts.money(locale)
    yield halves(locale)
    yield from amounts.fractions(locale)
    yield from amounts.measures(locale)
    yield _ordinals(language)
    yield from _romans(locale)
    yield from initialisms(locale)
    yield from western.ranges(locale)
    yield from western.signs(locale)
    yield agreement(locale)
    yield from western.numerals_of(locale)


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


def _named(locale: Romance) -> Iterator[Rule]:
    """Rules for ratios and fixed expressions: 7j/7, 16:9, y/o."""
    if locale.language == "fr":
        # 7 j/7, 24h/24
        yield Rule(re.compile(r"(?<![\w.,])7 ?j ?/ ?7(?!\w)"), "7 jours sur 7")
        yield Rule(re.compile(r"(?<![\w.,])24 ?h ?/ ?24(?!\w)"), "24 heures sur 24")
    yield Rule(
        re.compile(r"(?<![\w:.,/])([0-9]{1,3}):(?=[0-9]{1,3}(?![\w:]|[.,][0-9]))"), lambda match: f"{match[1]} {locale.to} "
    )
    both = locale.and_or
    yield Rule(re.compile(rf"(?<![\w/]){re.escape(both)}(?![\w/])"), both.replace("/", " "), needs_digit=False)


_PHONES: Final = {
    "pt": r"(?<![\w(])(?:\([0-9]{2}\) ?)?(?:9[0-9]{4}|[2-5][0-9]{3})-[0-9]{4}(?![\w-])",
    "fr": r"(?<![\w.])0[1-9](?:([ .])[0-9]{2})(?:\1[0-9]{2}){3}(?![\w]|\1[0-9])",
}
"""Telephone numbers as they are written in Brazil and in France: (11) 91234-5678, 01 23 45 67 89."""


_REGISTERED: Final = re.compile(r"\b(?P<name>CEP|CPF|CNPJ|RG) (?P<n>[0-9]{2,5}(?:[./-][0-9]{2,4}){1,4})(?![\w-])")


def _phones(language: str) -> Iterator[Rule]:
    def verbalize(match: re.Match[str]) -> str | None:
        groups = re.findall("[0-9]+", match[0])
        if language == "fr":
            return ", ".join(groups)
        if language == "pt" and len(groups) == 2 and len(groups[0]) == 4 and int(groups[0]) < int(groups[1]) <= 2099:
            return None
        return ", ".join(map(numerals.part_digits, groups))

    if language in _PHONES:
        yield Rule(re.compile(_PHONES[language]), verbalize)
    if language == "pt":
        yield Rule(
            _REGISTERED,
            lambda match: f"{match['name']} " + ", ".join(map(numerals.part_digits, re.findall("[0-9]+", match["n"]))),
        )


def _ordinals(language: str) -> Rule:
    """The rule for ordinals: 1º, 2ª, 1er, 3e."""

    def verbalize(match: re.Match[str]) -> str | None:
        n = int(match[1])
        if not 1 <= n <= 999:
            return None
        suffix = match[2].lstrip(".")
        words = numerals.named_ordinal(n, language, is_feminine=suffix in _FEMININE)
        is_before_noun = re.match(r" (?!y |de |en |a |que |con )[a-z]", match.string[match.end() : match.end() + 6]) is not None
        if language == "es" and (suffix == "er" or (is_before_noun and re.search("(?:prim|terc)ero$", words))):
            return words.removesuffix("o")
        return {"nd": "second", "nde": "seconde"}.get(suffix, words) if language == "fr" else words

    return Rule(re.compile(rf"(?<![\w.,])([0-9]{{1,3}})({_ORDINALS[language]})"), verbalize)


def _romans(locale: Romance) -> Iterator[Rule]:
    """Rules for Roman numerals: Felipe VI, siglo XXI, XXIe siècle, Capitolo IV."""
    language, roman = locale.language, f"(?P<roman>{numerals.ROMAN})"
    reigns = (name for one in loader.ROMANCE for name in loader.romance(one).reigns)

    def reign(match: re.Match[str]) -> str:
        n = numerals.from_roman(match["roman"])
        is_cardinal = n > 1 if language == "fr" else n > 10 and language != "it"
        if is_cardinal:
            return f"{match['name']} {n}"
        is_feminine = _REGNAL_FEMININE.search(match["name"]) is not None
        return f"{match['name']} {numerals.named_ordinal(n, language, is_feminine=is_feminine)}"

    yield from _centuries(language, roman)
    if language == "fr":
        yield Rule(
            re.compile(r"(?<=\w )I(?P<end>er|re)(?![\w'])"),
            lambda match: "premier" if match["end"] == "er" else "première",
            needs_digit=False,
        )
    yield Rule(re.compile(rf"\b(?P<name>{any_of(locale.numbered)}) {roman}(?!\w)"), _cardinal, needs_digit=False)
    yield Rule(re.compile(rf"\b(?P<name>{any_of(reigns)}) {roman}(?!\w)"), reign, needs_digit=False)


def _centuries(language: str, roman: str) -> Iterator[Rule]:
    """Rules for centuries: siglo XXI, s. XX, XXIe siècle, XX secolo. `roman` is the pattern of a numeral in a group `roman`."""

    def century(match: re.Match[str]) -> str:
        return numerals.named_ordinal(numerals.from_roman(match["roman"]), language)

    if language in _CENTURY:
        # s. XX, séc. XX, siglos XIX y XX
        yield Rule(re.compile(rf"(?<![\w.])[Ss]écs\. ?(?={numerals.ROMAN}(?!\w))"), "séculos ", needs_digit=False)
        yield Rule(
            re.compile(rf"(?<![\w.])[Ss](?:éc)?\. ?(?={numerals.ROMAN}(?!\w))"),
            {"es": "siglo ", "pt": "século "}[language],
            needs_digit=False,
        )
        yield Rule(
            re.compile(rf"\b(?P<name>{_CENTURY[language]}s) (?P<first>{numerals.ROMAN}) (?P<link>a|e|y|al) {roman}(?!\w)"),
            lambda match: (
                f"{match['name']} {numerals.from_roman(match['first'])} {match['link']} {numerals.from_roman(match['roman'])}"
            ),
            needs_digit=False,
        )
        yield Rule(re.compile(rf"\b(?P<name>{_CENTURY[language]}) {roman}(?!\w)"), _cardinal, needs_digit=False)
    elif language == "fr":
        yield Rule(re.compile(rf"\b{roman}(?:e|ème|er)(?= siècle)"), century, needs_digit=False)
    else:
        yield Rule(
            re.compile(rf"\b(?:sec\.|secolo) {roman}(?!\w)"), lambda match: f"secolo {century(match)}", needs_digit=False
        )
        yield Rule(re.compile(rf"\b{roman}(?= secolo)"), century, needs_digit=False)


def _cardinal(match: re.Match[str]) -> str:
    return f"{match['name']} {numerals.from_roman(match['roman'])}"
