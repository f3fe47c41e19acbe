"""Roman numerals of Mandarin: 路易XVI, 第III章, II型, 最终幻想VII, （ii）.

Why the words next to them decide: CV, MV, XL and VI are short for other words.
"""

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from workers.text.locales.structs import EastAsian
from workers.text.normalization.numerals import ROMAN, from_roman
from workers.text.normalization.rules import Rule, any_of

_HAN: Final = "\u3005-\u3007\u3400-\u9fff\uf900-\ufaff"
_SMALL: Final = "(?:X{0,3}(?:IX|IV|VI{0,3}|I{1,3})|X{1,3})"
_SAFE: Final = "(?:(?=[IVX]{2})X{0,2}(?:I{2,3}|I[VX]|VI{0,3})|X{1,3}I)"
"""Numerals that are hardly ever short for something else. XX is not among them: it stands for a name that is left out."""
_FREE: Final = "(?<![A-Za-z0-9])"
_END: Final = "(?![A-Za-z0-9])"
_NEXT: Final = rf"(?: ?[-‐‑–—~～〜、,，/和及或至到与與] ?{_SMALL})"
_MORE: Final = rf"{_NEXT}{{0,4}}"
_WARS: Final = {"I": "一", "II": "二", "III": "三"}


def rules(locale: EastAsian) -> Iterator[Rule]:
    """Rules for Roman numerals, which become digits."""
    words = locale.romans
    if words is None:
        return
    roman = partial(_rule, to=locale.to)
    yield Rule(re.compile(rf"{_FREE}WW ?(?P<n>I{{1,3}}){_END}"), lambda match: f"{_WARS[match['n']]}战", needs_digit=False)
    # 第III章, 第X卷; 第X次 leaves the number open.
    yield roman(rf"第 ?{_FREE}(?!X{_END} ?{any_of(words.open)}){ROMAN}{_MORE}{_END}")
    # 伊丽莎白II世, I、II期, XX世纪
    yield roman(rf"{_FREE}(?:{_SMALL}{_MORE}(?= ?世)|(?:{_SAFE}|{_SMALL}{_NEXT}){_MORE}(?= ?{any_of(words.before)}))")
    yield roman(rf"{_FREE}(?:[IV](?= ?{any_of(words.before_single)})|I(?= ?型(?![钢梁])))")
    yield roman(rf"{_FREE}(?:{_SAFE}|[IV])(?=[A-C][1-3]?期)")
    yield roman(rf"{any_of(words.after)}·? ?(?=[IVXLC]{{1,9}}{_END}(?! ?[A-Za-z])){ROMAN}{_MORE}{_END}")
    yield roman(rf"\b(?:Chapter|Part|Vol(?:ume|\.)?|Book|Act|Scene|Section|Super Bowl|Psalm|Type|Phase) {ROMAN}{_END}")
    # 最终幻想VII, Final Fantasy VII
    yield roman(rf"(?:(?<=[{_HAN}》」』]) ?|(?<=[A-Za-z]{{2}}) ){_SAFE}{_END}(?! ?{any_of(words.not_before)})")
    # II. 方法
    yield roman(rf"(?:\A|(?<=\n)|(?<=[。！？] )){_SMALL}(?=[.、．:：] ?[{_HAN}]|\.(?:\s|\Z)|(?<=[IVX]{{2}})(?:\n|\Z))")
    yield Rule(
        re.compile(rf"{_FREE}(?P<open>[(（])(?P<n>i{{1,3}}|i[vx]|vi{{1,3}})(?=[)）])"),
        lambda match: match["open"] + str(from_roman(match["n"].upper())),
        needs_digit=False,
    )


_ONE: Final = re.compile("[IVXLCDM]+(?![a-z])")
_BETWEEN: Final = re.compile(r"(?<=[0-9]) ?(?:(?P<to>[-‐‑–—~～〜])|/) ?(?=[0-9])")


def _rule(pattern: str, to: str) -> Rule:
    """Returns the rule that writes all numerals of a pattern as digits. Other letters that it matches have small ones.

    `to` is the word for a hyphen. No other rule can say it, since the text may have no digits.
    """

    def verbalize(match: re.Match[str]) -> str:
        digits = _ONE.sub(lambda one: str(from_roman(one[0])), match[0])
        return _BETWEEN.sub(lambda mark: to if mark["to"] else "、", digits)

    return Rule(re.compile(pattern), verbalize, needs_digit=False)
