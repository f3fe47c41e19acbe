"""Fractions with the noun that they count, in Romance languages: ½ taza, 1½ horas, 2 1/2 kg, 3/4 taza.

Why before the other fractions: the noun stands between the number and its fraction ("dos kilos y medio").
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization.agreement import counted, gender_of, is_noun_of
from workers.text.normalization.numerals import FRACTION_SIGNS
from workers.text.normalization.rules import Rule, any_of
from workers.text.normalization.western import ends_sentence

_SHORTEST_NOUN: Final = 4
_HALF: Final = "1/2"
_START: Final = r"(?<![\w.,/])(?<![0-9] )"
_DIMINUTIVES: Final = ("ita", "ito", "inha", "inho")
_SIGNS: Final = "".join(FRACTION_SIGNS)


def mixed_numbers(locale: Romance) -> Iterator[Rule]:
    """Rules for fractions before a noun: one for a whole number and a fraction, one for a half, one for other fractions."""
    noun = rf"(?P<noun>{any_of(unit for unit in locale.units if '/' not in unit)}|[^\W\d_]{{2,30}})(?![\w'²³])(?!/[^\W\d_])"
    named = "|".join(sorted(text for text in {*locale.fractions, *locale.and_fractions}))
    yield Rule(
        re.compile(
            rf"{_START}(?P<whole>[1-9][0-9]{{0,5}})(?: ?(?P<sign>[{_SIGNS}])| (?P<parts>{named})(?![\w/])) ?{noun}"
            r"(?P<stop>\.(?!\w))?+"
        ),
        lambda match: _verbalize_mixed(locale, match),
    )
    yield Rule(
        re.compile(rf"{_START}(?:½|1/2(?![0-9/])) ?{noun}(?P<stop>\.(?!\w))?+"),
        lambda match: _verbalize_half(locale, match),
    )
    yield Rule(
        re.compile(rf"{_START}(?:(?P<sign>[{_SIGNS}])|(?P<parts>{named})(?![\w/])) (?P<noun>[^\W\d_]{{2,30}})(?![\w'])"),
        lambda match: _verbalize_part(locale, match),
    )


def _verbalize_mixed(locale: Romance, match: re.Match[str]) -> str | None:
    whole, text = match["whole"], FRACTION_SIGNS.get(match["sign"], match["parts"])
    noun, gender = _counted_noun(locale, match["noun"], is_one=whole == "1")
    if gender is None:
        return None
    and_, *half = locale.half
    words = f"{and_} {half[gender]}" if text == _HALF else locale.and_fractions.get(text)
    if words is None:
        words = f"{locale.signs['&']} {locale.fractions[text]}"
    return f"{counted(whole, noun, locale.language, is_feminine=gender)} {words}{_stop(locale, match)}"


def _verbalize_half(locale: Romance, match: re.Match[str]) -> str | None:
    noun, gender = _counted_noun(locale, match["noun"], is_one=True)
    if gender is None:
        return None
    if locale.language == "fr":
        return (f"une demi-{noun}" if gender else f"un demi {noun}") + _stop(locale, match)
    return f"{locale.half[1 + gender]} {noun}{_stop(locale, match)}"


def _verbalize_part(locale: Romance, match: re.Match[str]) -> str | None:
    text = FRACTION_SIGNS.get(match["sign"], match["parts"])
    noun = match["noun"]
    is_known = noun in locale.feminine or noun in locale.masculine
    if text == _HALF or text not in locale.fractions or not (is_known or noun.endswith(_DIMINUTIVES)):
        return None
    of = " d'" if locale.language == "fr" and noun[0] in "aeiouhé" else locale.of_scale
    return f"{locale.fractions[text]}{of}{noun}"


def _counted_noun(locale: Romance, noun: str, *, is_one: bool) -> tuple[str, bool | None]:
    """The noun in the singular or the plural, and whether it is feminine; None if its gender is unknown."""
    if unit := locale.units.get(noun):
        return unit.one if is_one else unit.many, unit.is_feminine
    gender = gender_of(noun, locale.language)
    if gender is None and len(noun) >= _SHORTEST_NOUN and noun not in locale.not_nouns:
        # In French, half sounds alike for both genders; in Italian, most plurals show it.
        gender = {"fr": False, "it": noun.endswith("e") if noun.endswith(("e", "i")) else None}.get(locale.language)
    if gender is not None and is_one and is_noun_of(noun.removesuffix("s"), locale.language, is_feminine=gender):
        noun = noun.removesuffix("s")
    elif gender is not None and is_one and locale.language in {"es", "pt"} and noun.endswith(("res", "zes")):
        # colheres
        noun = noun.removesuffix("es")
    return noun, gender


def _stop(locale: Romance, match: re.Match[str]) -> str:
    """The full stop after the match, unless it belongs to a unit within a sentence."""
    if match["stop"] is None:
        return ""
    return "." if match["noun"] not in locale.units or ends_sentence(match) else ""
