"""Roman numerals of Spanish and Portuguese: siglos V y VI, la II Guerra Mundial, los XXXIII Juegos, el papa Pío XII.

Why up to ten as ordinals: "siglo quinto", but "siglo dieciocho". Before a noun every numeral is an ordinal that agrees with it.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization import numerals
from workers.text.normalization.agreement import gender_of
from workers.text.normalization.rules import Rule
from workers.text.normalization.western import in_place

_ROMAN: Final = numerals.ROMAN
_CENTURIES: Final = {"es": ("siglo", "siglos"), "pt": ("século", "séculos")}
_CENTURY: Final = re.compile(rf"(?<!\w){_ROMAN}(?!\w)")
_LAST_ORDINAL: Final = 10
_ARTICLES: Final = {
    "es": "el|la|los|las|del|al|un|una|este|esta|estos|estas|su|sus|nuestro|nuestra",
    "pt": "o|a|os|as|do|da|dos|das|no|na|nos|nas|ao|à|aos|às|pelo|pela|pelos|pelas|um|uma|este|esta|deste|desta|seu|sua",
}
_FEMININE: Final = re.compile(r"(?:a|as|à|às)\Z", re.IGNORECASE)
_PLURAL: Final = re.compile(r"s\Z", re.IGNORECASE)
_NAME_BEFORE: Final = re.compile(r"(?<!\w)[A-ZÀ-Ý][^\W\d_]*[a-zß-ÿ]{2} \Z")


def centuries(locale: Romance) -> Iterator[Rule]:
    """The rule for centuries. It comes before the abbreviations, since "ss." has another meaning elsewhere."""
    if locale.language not in _CENTURIES:
        return
    one, many = _CENTURIES[locale.language]
    short = one[:3] if locale.language == "pt" else "s"
    link = rf"(?:, | ?[-–/] ?| (?:{'|'.join(locale.links)}|al|ao|do|del) (?:el |o |siglo |século )?)"

    def century(match: re.Match[str]) -> str:
        name = match["name"].rstrip(". ")
        said = {"s": one, "ss": many, short: one, f"{short}s": many}.get(name.lower(), name)
        said = said[0].upper() + said[1:] if name[0].isupper() else said
        numbers = re.sub(r" ?[-–] ?", f" {locale.to} ", match["numbers"])
        return f"{said} " + _CENTURY.sub(lambda one: _up_to_ten(one[0], locale.language), numbers)

    yield Rule(
        re.compile(
            rf"(?<![\w.])(?P<name>(?i:{one}s?) |[Ss](?:s|écs?)?\. ?)(?P<numbers>{_ROMAN}(?:{link}{_ROMAN}){{0,5}}+)(?![\w'])"
        ),
        century,
        needs_digit=False,
    )


def eras(locale: Romance) -> Rule:
    """The rule for a century that only its era shows: y el I d. C."""
    after = "(?:antes|depois|después) de (?:Cristo|nuestra)"
    return Rule(
        re.compile(rf"(?<![\w.'-])(?P<roman>{_ROMAN})(?= {after})"),
        lambda match: _up_to_ten(match["roman"], locale.language),
        needs_digit=False,
    )


def before_noun(locale: Romance) -> Rule:
    """The rule for numerals before a noun of the table `ranked`, or between an article and a name: el XX Congreso."""

    def verbalize(match: re.Match[str]) -> str | None:
        article, noun, roman = match["article"], match["noun"], match["roman"]
        is_ranked = noun.lower() in locale.ranked
        if not is_ranked and (article is None or not noun[0].isupper() or not set(roman) <= set("IVX") or noun.isupper()):
            return None
        if article is None and _NAME_BEFORE.search(match.string[max(0, match.start() - 24) : match.start()]):
            return None
        gender = locale.ranked.get(noun.lower())
        is_feminine = gender == "f" if gender else bool(article and _FEMININE.search(article)) or bool(gender_of(noun, "es"))
        said = numerals.named_ordinal(numerals.from_roman(roman), locale.language, is_feminine=is_feminine)
        if (article is None or _PLURAL.search(article)) and noun.lower().endswith(("os", "as")):
            said += "s"
        elif locale.language == "es":
            said = re.sub("(prim|terc)ero$", r"\1er", said)
        if noun.isupper():
            said = said.upper()
        elif noun[0].isupper():
            said = said[0].upper() + said[1:]
        return f"{article} {said} {noun}" if article else f"{in_place(locale, match, said)} {noun}"

    return Rule(
        re.compile(
            rf"(?<![\w.'-])(?:(?P<article>(?i:{_ARTICLES[locale.language]})) )?(?P<roman>{_ROMAN})\.?[°ºª]?"
            r" (?P<noun>[^\W\d_]{2,24}+)(?!['’]\w)"
        ),
        verbalize,
        needs_digit=False,
    )


def _up_to_ten(roman: str, language: str) -> str:
    """An ordinal up to ten, else a number in digits."""
    n = numerals.from_roman(roman)
    return numerals.named_ordinal(n, language) if n <= _LAST_ORDINAL else str(n)
