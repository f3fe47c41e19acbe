"""Roman numerals in Romance languages that no word explains: after a name, alone in a line, in brackets, on front pages.

Why two letters at least: a single I, V or X is rather a letter or a word, unless it is the number of a list or of a chapter.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule

SMALL: Final = r"(?=[ivx])x{0,3}(?:ix|iv|v?i{0,3})(?<=[ivx])"
"""A numeral under 40 in small letters."""
_LONG: Final = rf"(?=[IVX]{{3}}|[IVXLC]{{4}})(?!XXX(?!\w)){numerals.ROMAN}"
_SHORT: Final = rf"(?=[IVX]{{2}})(?!XXX(?!\w)){numerals.ROMAN}"
_HEAD: Final = r"(?:\A|(?<=\n\n))"


def rules(locale: Romance) -> Iterator[Rule]:
    """Rules for numerals, the surest first."""

    def to_number(match: re.Match[str]) -> str | None:
        if match["roman"] in locale.initialisms.spelled:
            # CI, CD
            return None
        return str(numerals.from_roman(match["roman"].upper()))

    # A line of its own, or the number of a heading or of an item.
    yield Rule(
        re.compile(rf"{_HEAD}(?P<roman>(?![LCDM](?!\w)){numerals.ROMAN})(?=[.):]?(?:\n\n|\Z)|\) )"),
        to_number,
        needs_digit=False,
    )
    yield Rule(
        re.compile(rf"{_HEAD}(?P<roman>(?![LCDM](?!\w)){numerals.ROMAN})(?=(?:[.:]-?| [-–—]) [^\n.]{{1,80}}(?:\n\n|\Z))"),
        to_number,
        needs_digit=False,
    )
    # (ii), (IV), iii), páginas ii–xiv
    yield Rule(re.compile(rf"(?<=\()(?P<roman>(?!x\)){SMALL}|(?!X\)){numerals.ROMAN})(?=\))"), to_number, needs_digit=False)
    yield Rule(re.compile(rf"(?<![\w(])(?P<roman>(?=[ivx]{{2}}){SMALL})(?=\)(?!\w))"), to_number, needs_digit=False)
    page = locale.before_number["p"]

    def verbalize_pages(match: re.Match[str]) -> str:
        first = f"{page}{'s' * match['page'].startswith('pp')} {numerals.from_roman(match['first'].upper())}"
        return f"{first} {locale.to} {to_number(match)}" if match["roman"] else first

    yield Rule(
        re.compile(rf"(?<!\w)(?P<page>pp?\.) ?(?P<first>{SMALL})(?: ?[-–] ?(?P<roman>{SMALL}))?(?!\w)"),
        verbalize_pages,
        needs_digit=False,
    )
    # art. 155, II, da Constituição
    yield Rule(
        re.compile(rf"(?<=[0-9º], )(?P<roman>(?=[IVX]){numerals.ROMAN})(?=[,;:.]| d[aeo] |\Z)(?!\.[^\W\d_])"),
        to_number,
        needs_digit=False,
    )
    # Rocky IV, del XIX al XX
    yield Rule(re.compile(rf"(?<![\w.'-])(?P<roman>{_LONG})(?![\w'-])"), to_number, needs_digit=False)
    yield Rule(re.compile(rf"(?<=[a-zß-ÿ]{{2}} )(?P<roman>{_SHORT})(?![\w'-])"), to_number, needs_digit=False)
