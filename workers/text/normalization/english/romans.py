"""Roman numerals in English: rulers, chapters, centuries, years, lone numerals on a line.

Why capitals alone do not make a numeral: I is a pronoun, V and X are names, MIX and CIVIL are words. A word next to a numeral,
or its place alone on a line, decides.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales import loader
from workers.text.normalization import numerals, western
from workers.text.normalization.numerals import ROMAN
from workers.text.normalization.rules import Rule, any_of

_WORDS: Final = loader.english("en")
_SMALL: Final = r"(?:X{0,3}(?:IX|IV|V?I{1,3}|V)|X{1,3})"
"""Numerals of rulers, and numerals that stand next to a name: from 1 to 39."""
_LOWER: Final = r"(?:(?=[ivxl])(?:xl|l?x{0,3})(?:ix|iv|v?i{0,3})(?<=[ivx]))"
_NUMBERED: Final = any_of(
    [name + plural for name in _WORDS.numbered for plural in ("", "s")]
    + [name.upper() + plural for name in _WORDS.numbered for plural in ("", "S")]
)
_LOWER_NUMBERED: Final = any_of([name.lower() + plural for name in _WORDS.numbered for plural in ("", "s")])
_PARTS_OF_TEXTS: Final = "pages?|lines?|stanzas?|(?:foot)?notes?|items?|verses?|clauses?|paragraphs?"
_SHORT_NUMBERED: Final = any_of(_WORDS.short_numbered)
_LINK: Final = r"(?: ?[-–—] ?|, (?:and |or )?| and | or | to | & )"
_NO_VERB: Final = "(?! (?:think|am|hope|suppose|know|believe|can|will|would|have)\\b)"
"""No verb follows: the I of "Henry, I think" is no numeral."""
_DOT: Final = r"(?P<stop>\.(?=[ ,;:)]|\n|\Z))?+"
_YEARS: Final = range(1100, 2100)
_N_LETTERS_OF_NUMBERS: Final = 3
"""A numeral in thousands with more letters is a year; MIX and MDI are not."""
_DASH: Final = re.compile(" ?[-–—] ?")


def rules() -> Iterator[Rule]:
    """The rules for numerals in Roman letters, for after the rules of ranges."""
    yield Rule(
        re.compile(
            rf"\b(?P<name>{any_of(_WORDS.titles)} [A-Z]\w{{1,20}}|{any_of(_WORDS.reigns)}) "
            rf"(?P<roman>{_SMALL}){_DOT}(?!\w|'[a-rt-z]|-\w|\.){_NO_VERB}"
        ),
        lambda match: f"{match['name']} the {_ordinal(match['roman']).capitalize()}{western.full_stop(match)}",
        needs_digit=False,
    )
    yield from _numbered()
    # Rocky IV, Apollo XI: a name and a numeral of two letters or more.
    yield Rule(
        re.compile(
            rf"\b(?P<name>[A-Z][a-z]{{2,20}}) "
            rf"(?P<roman>(?=[IVX]{{2}}){_SMALL}|(?=[IVXL]{{3}})(?:XL|L)X{{0,3}}(?:IX|IV|V?I{{0,3}}))"
            r"(?![\w'])"
        ),
        lambda match: f"{match['name']} {_cardinal(match['roman']).capitalize()}",
        needs_digit=False,
    )
    yield from _ordinals()
    yield from _alone()


def labelled() -> Rule:
    """The rule for numerals after a label with a full stop: pp. ii–xiv, ch. iv, Vol. VI."""

    def verbalize(match: re.Match[str]) -> str:
        last = f" to {_cardinal(match['last'])}" if match["last"] else ""
        return f"{_WORDS.before_number[match['label'][:-1]]} {_cardinal(match['roman'])}{last}{western.full_stop(match)}"

    roman = f"(?:{ROMAN}|{_LOWER})"
    return Rule(
        re.compile(
            rf"(?<![\w.])(?P<label>{_SHORT_NUMBERED}\.) ?(?!I (?!of\b))(?P<roman>{roman})(?!\w|\.\w|')"
            rf"(?:[-–—](?P<last>{roman})(?!\w))?+{_DOT}"
        ),
        verbalize,
        needs_digit=False,
    )


def _numbered() -> Iterator[Rule]:
    more = rf"(?:{_LINK}(?!I\b){ROMAN}(?!\w)){{0,9}}+"
    yield Rule(
        re.compile(rf"\b(?P<name>{_NUMBERED})\.? (?P<all>(?:{ROMAN}|[LC](?=[.:]|\n|\Z))(?![\w']){more})"),
        lambda match: f"{match['name']} {_replace(match['all'], is_capital=match['name'].istitle())}",
        needs_digit=False,
    )
    # type II, chapter I of the book, chapter xiii, scene ii
    yield Rule(
        re.compile(
            rf"\b(?P<name>{_LOWER_NUMBERED}) "
            rf"(?P<all>(?:(?!I\b){ROMAN}(?![\w']){more}|I(?= (?:of|{any_of(_WORDS.after_first)})\b|[.;:)]| and [IVX]{{2}})"
            rf"(?:{_LINK}{ROMAN}(?!\w)){{0,9}}+))"
        ),
        lambda match: f"{match['name']} {_replace(match['all'])}",
        needs_digit=False,
    )
    yield Rule(
        re.compile(
            rf"\b(?P<name>{_LOWER_NUMBERED}|{_NUMBERED}|{_PARTS_OF_TEXTS}) "
            rf"(?P<all>{_LOWER}(?![\w'-]|\.\w)(?:[-–—]{_LOWER}(?!\w))?+)"
        ),
        lambda match: f"{match['name']} {_replace(match['all'])}",
        needs_digit=False,
    )
    # stage IIIb
    yield Rule(
        re.compile(
            rf"\b(?P<name>{_LOWER_NUMBERED}|{_NUMBERED}) (?P<roman>(?=[IVX]{{1,4}}[a-cA-C]\b){_SMALL})(?P<letter>[a-cA-C])\b"
        ),
        lambda match: f"{match['name']} {_cardinal(match['roman'])} {match['letter'].upper()}",
        needs_digit=False,
    )
    # (ii)
    yield Rule(
        re.compile(r"(?<![A-Za-z_])\((?P<roman>x{0,3}(?:ix|iv|v?i{1,3}|v)|x{2,3})\)"),
        lambda match: f"({_cardinal(match['roman'])})",
        needs_digit=False,
    )


def _ordinals() -> Iterator[Rule]:
    century = "(?=[ -][Cc]entur)"
    yield Rule(
        re.compile(rf"\b(?P<first>{_SMALL})(?P<link> and | or | to |[-–—])(?P<roman>{_SMALL})(?:th|st|nd|rd)?{century}"),
        lambda match: f"{_ordinal(match['first'])}{_DASH.sub(' to ', match['link'])}{_ordinal(match['roman'])}",
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"\b(?P<roman>{_SMALL})(?:th|st|nd|rd)?{century}"),
        lambda match: _ordinal(match["roman"]),
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<=\b[Tt]he )(?P<roman>{ROMAN})(?= (?:{any_of(_WORDS.counted_by_ordinals)})\b)"),
        lambda match: _ordinal(match["roman"]),
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?<!\w)(?P<roman>(?=[IVXLC]{{2}}){ROMAN})(?:th|st|nd|rd|d)(?!\w)"),
        lambda match: _ordinal(match["roman"]),
        needs_digit=False,
    )


def _alone() -> Iterator[Rule]:
    # A paragraph that is a numeral, or begins with one and a full stop.
    yield Rule(
        re.compile(rf"(?:(?<=\n\n)|\A)(?P<roman>{ROMAN})(?P<stop>[.)]?)(?=\n\n|\Z)"),
        lambda match: None if match[0] == "I" else _say_alone(match["roman"]) + match["stop"],
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"(?:(?<=\n\n)|\A)(?P<roman>(?=[IVXLC]{{2}}){ROMAN})(?P<stop>\.)(?= [A-Z\"])"),
        lambda match: _cardinal(match["roman"]).capitalize() + ".",
        needs_digit=False,
    )
    # I. before a paragraph that begins with II.
    yield Rule(
        re.compile(r"(?:(?<=\n\n)|\A)I\.(?= [A-Z\"])"),
        lambda match: "One." if match.string.find("\n\nTwo. ", match.end(), match.end() + 2000) >= 0 else None,
        needs_digit=False,
    )
    # MCMXCIV
    yield Rule(re.compile(rf"(?<![\w'&-])(?P<roman>(?=M[IVXLCDM]{{3}}){ROMAN})(?![\w'-])"), _year, needs_digit=False)


_PARTS: Final = re.compile(r" ?[-–—] ?|\b(?:[IVXLCDM]+|[ivxl]+)\b")


def _replace(text: str, *, is_capital: bool = False) -> str:
    """Replaces each numeral of a list by its cardinal, and a dash by "to"."""

    def verbalize(match: re.Match[str]) -> str:
        if not match[0].isalpha():
            return " to "
        return _cardinal(match[0]).capitalize() if is_capital else _cardinal(match[0])

    return _PARTS.sub(verbalize, text)


def _value(roman: str) -> int:
    return numerals.from_roman(roman.upper())


def _cardinal(roman: str) -> str:
    return numerals.cardinal(str(_value(roman)), british=False)


def _ordinal(roman: str) -> str:
    return numerals.ordinal(str(_value(roman)), british=False)


def _say_alone(roman: str) -> str:
    is_year = _value(roman) in _YEARS and len(roman) > _N_LETTERS_OF_NUMBERS
    return (numerals.year(str(_value(roman)), british=False) if is_year else _cardinal(roman)).capitalize()


def _year(match: re.Match[str]) -> str | None:
    value = _value(match["roman"])
    return numerals.year(str(value), british=False) if value in _YEARS else None
