"""Roman numerals in Hindi: अध्याय II, जॉर्ज VI, XX सदी, कक्षा XII, (ii).

Why a word next to a numeral decides: IV is a drip, XL a size, VI a company.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Hindi
from workers.text.normalization import numerals
from workers.text.normalization.hindi.numbers import LETTERS
from workers.text.normalization.numerals import ROMAN
from workers.text.normalization.rules import Rule, any_of

_START: Final = rf"(?<![\w.&'/{LETTERS}-])"
_END: Final = r"(?![\w'&]|-[A-Za-z0-9]|\.[A-Za-z])"
_LINK: Final = r"(?:, | और | तथा | एवं | से | या | व |[-–/]| ?& ?)"
_SMALL: Final = "X{0,3}(?:IX|IV|V?I{0,3})"
_SURE: Final = rf"(?=[IVX]{{2}})(?!(?:IV|VI|XX|XXX)(?![IVX])){_SMALL}|(?=[IVXL]{{4}})(?:XL|L){_SMALL}"
"""Numerals that are hardly ever short for something else."""
_LOWER: Final = r"(?=[ivx]{1,6}\))(?!x\))x{0,3}(?:ix|iv|v?i{0,3})"
_DASH: Final = re.compile("(?<=[0-9])[-–](?=[0-9])")
_ONE: Final = re.compile("[IVXLCDM]+")
_CENTURY: Final = "(?= (?:सदी|शताब्दी|शती))"


def rules(locale: Hindi) -> Iterator[Rule]:
    """Rules for numerals, the surest first. They come before the rules for initialisms."""
    words = locale.romans

    def regnal(match: re.Match[str]) -> str:
        n = numerals.from_roman(match["roman"])
        return f"{match['name']} {words.regnal[n - 1] if n <= len(words.regnal) else locale.numerals[n] + 'वें'}"

    patterns = (
        rf"{_START}{any_of(words.before)}(?: |-|: ?){ROMAN}(?:{_LINK}{ROMAN}){{0,6}}{_END}",
        rf"(?:{_START}|(?<=-)){_SMALL}(?<=[IVX])(?= {any_of(words.after)}(?![{LETTERS}]))",
        rf"(?:\A|(?<=\n\n)|(?<=। )){ROMAN}(?=[.)] |\)|\.?(?:\Z|\n\n))",
        rf"(?<=[{LETTERS}]{{2}} )(?:{_SURE}){_END}",
        rf"(?<=[{LETTERS}]{{2}}-)(?:{_SURE}){_END}",
        rf"(?<=[{LETTERS}]{{2}} )(?:IV|VI)(?=[।,;:)?!]|\Z)",
        r"(?<=\()(?=[IVX]{2})(?:IV|VI|IX|XI{1,3}|I{2,3}|VI{2,3})(?=\))",
    )
    yield Rule(re.compile(rf"{_START}WW ?(?P<n>II?){_END}"), lambda match: words.wars[len(match["n"]) - 1], needs_digit=False)
    yield Rule(
        re.compile(rf"{_START}(?P<roman>{_SMALL})(?<=[IVX])(?:वीं)?{_CENTURY}"),
        lambda match: f"{locale.numerals[numerals.from_roman(match['roman'])]}वीं",
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"{_START}(?P<name>{any_of(words.reigns)}) (?P<roman>{_SMALL})(?<=[IVX]){_END}"), regnal, needs_digit=False
    )
    for pattern in patterns:
        yield Rule(
            re.compile(pattern), lambda match: _DASH.sub(f" {locale.to} ", _ONE.sub(_to_number, match[0])), needs_digit=False
        )
    yield Rule(
        re.compile(rf"(?<![A-Za-z_]\()(?<=\(){_LOWER}(?=\))|(?:\A|(?<=\n\n)|(?<=। )){_LOWER}(?=\) )"),
        lambda match: str(numerals.from_roman(match[0].upper())),
        needs_digit=False,
    )


def _to_number(match: re.Match[str]) -> str:
    return str(numerals.from_roman(match[0]))
