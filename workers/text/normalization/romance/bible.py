"""Places in the Bible, in Romance languages: Jn 3, 16, 1 Cor 13,4-7, Gen 1:1.

Why books need a table: the comma between chapter and verse is the one of decimals, and the colon that of hours and ratios.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.structs import Romance
from workers.text.normalization import numerals
from workers.text.normalization.rules import Rule, any_of

_ROMAN: Final = {"I": 1, "II": 2, "III": 3}
_VERSES: Final = r"[0-9]{1,3}[a-d]?(?:[-–.][0-9]{1,3}[a-d]?){0,6}"


def rules(locale: Romance) -> Iterator[Rule]:
    """The rule for a chapter and its verses. It comes before times and decimals."""
    table = locale.bible
    if table is None:
        return

    def verbalize(match: re.Match[str]) -> str | None:
        book = table.books.get(match["book"], match["book"])
        is_numbered = book in table.numbered_masculine or book in table.numbered_feminine
        if len(match["book"]) == 1 and not match["n"]:
            return None
        if match["n"]:
            if not is_numbered:
                return None
            n = _ROMAN.get(match["n"]) or int(match["n"])
            book = f"{numerals.named_ordinal(n, locale.language, is_feminine=book in table.numbered_feminine)} {book}"
        verses = re.sub("[a-d]", "", match["verses"])
        said = re.sub("[-–]", f" {locale.to} ", verses).replace(".", f" {locale.signs['&']} ")
        word = table.verse if verses.isdecimal() else table.verses
        return f"{book} {match['chapter']}, {word} {said}"

    dotted = "|\\." if locale.language == "pt" else ""
    yield Rule(
        re.compile(
            rf"(?<![\w.,:])(?:(?P<n>[123]|I{{1,3}}) ?)?(?P<book>{any_of([*table.books, *table.books.values()])})\.? "
            rf"(?P<chapter>[0-9]{{1,3}})(?:[:,] ?{dotted})(?P<verses>{_VERSES})(?![\w:]| ?[%€]|[,.][0-9])"
        ),
        verbalize,
    )
    numbered = any_of(
        [short for short, book in table.books.items() if book in table.numbered_masculine or book in table.numbered_feminine]
    )

    def verbalize_chapter(match: re.Match[str]) -> str:
        book = table.books[match["book"]]
        n = _ROMAN.get(match["n"]) or int(match["n"])
        ordinal = numerals.named_ordinal(n, locale.language, is_feminine=book in table.numbered_feminine)
        return f"{ordinal} {book} {match['chapter']}"

    yield Rule(
        re.compile(
            rf"(?<![\w.,:])(?P<n>[123]|I{{1,3}}) (?P<book>(?=[A-Z][a-z]){numbered})\.? "
            r"(?P<chapter>[0-9]{1,3})(?![\w:/%]|[.,][0-9])"
        ),
        verbalize_chapter,
    )
