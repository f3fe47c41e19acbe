"""Roman numerals in Japanese: 第II章, ルイXVI世, II型, ロッキーIV, I・II・III, (ii).

Why a word next to a numeral decides: V型 is a shape, XL a size, IV a drip, CD a disc.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.east_asian_groups import JapaneseRomans
from workers.text.normalization import numerals
from workers.text.normalization.numerals import ROMAN
from workers.text.normalization.rules import Rule, any_of

_HAN: Final = "\u3005-\u3007\u3400-\u9fff"
_ALONE: Final = "(?<![A-Za-z0-9.&'_-])"
_END: Final = "(?![A-Za-z0-9'_]|-[A-Za-z0-9])"
_SMALL: Final = "X{0,3}(?:IX|IV|V?I{0,3})"
_SHORT: Final = rf"(?:(?=[IVX]{{2}})(?!X{{2,3}}{_END}){_SMALL}|(?=[IVXL]{{4}})(?:XL|L){_SMALL})"
"""Numerals of two letters at least that are no short form: not XX, XL, LV."""
_LOWER: Final = "(?!x[)）])(?=[ivx]{1,6}[)）])x{0,3}(?:ix|iv|v?i{0,3})"
_LINK: Final = "[・、，/／〜～~-]"
_RUN: Final = re.compile("[IVX]+")


def rules(words: JapaneseRomans) -> Iterator[Rule]:
    """Rules for numerals, the surest first."""

    def to_name(match: re.Match[str]) -> str:
        value = numerals.from_roman(match["roman"])
        return words.numbers[value] if value < len(words.numbers) else str(value)

    no_word = f"(?!{any_of(words.not_after)})"
    patterns = (
        rf"(?<={_one_of(words.before)})(?P<roman>{ROMAN}){_END}",
        rf"{_ALONE}(?P<roman>(?![VX]{_END}){ROMAN})(?={any_of(words.after)}){no_word}",
        rf"{_ALONE}(?P<roman>[VX])(?={any_of(words.after_letter)}){no_word}",
        rf"(?<=[(（])(?P<roman>{_SHORT})(?=[)）])",
        rf"(?<![A-Za-z_][(（])(?<=[(（])(?P<roman>{_LOWER})(?=[)）])",
        # II. 方法
        rf"(?:\A|(?<=\n\n)|(?<=。 ))(?P<roman>{ROMAN})(?=[.．)、] ?[^A-Za-z0-9. ]|\Z)",
        rf"(?:{_after(words.subjects)})(?P<roman>I){_END}",
        rf"(?<=[{_HAN}])(?P<roman>{_SHORT}){_END}",
    )
    # I・II・III
    yield Rule(re.compile(rf"{_ALONE}[IVX]{{1,6}}(?:{_LINK}[IVX]{{1,6}}){{1,12}}{_END}"), _say_list, needs_digit=False)
    # II-3
    yield Rule(
        re.compile(rf"{_ALONE}(?P<roman>(?=[IVX]{{2}}){_SMALL})-(?=[0-9])"), lambda match: _to_number(match) + words.link
    )
    for pattern in patterns:
        yield Rule(re.compile(pattern), _to_number, needs_digit=False)
    # ロッキーIV, スーパーボウルLVIII, PART II
    yield Rule(
        re.compile(rf"(?:(?<=[ァ-ヴー]{{2}})|(?<=[ァ-ヴー] )|(?<=[A-Za-z] ))(?P<roman>{_SHORT}){_END}"),
        to_name,
        needs_digit=False,
    )


def _one_of(characters: tuple[str, ...]) -> str:
    return "[" + "".join(characters) + "]"


def _after(words: tuple[str, ...]) -> str:
    return "|".join(f"(?<={word})" for word in words)


def _to_number(match: re.Match[str]) -> str:
    return str(numerals.from_roman(match["roman"].upper()))


def _say_list(match: re.Match[str]) -> str | None:
    """Returns the numbers of a list of numerals; None where no part of it has two letters, as in X/Y."""
    runs = _RUN.findall(match[0])
    if all(len(run) == 1 for run in runs) or not all(re.fullmatch(ROMAN, run) for run in runs):
        return None
    return _RUN.sub(lambda run: str(numerals.from_roman(run[0])), match[0])
