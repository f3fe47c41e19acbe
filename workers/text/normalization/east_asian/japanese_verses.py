"""Places in books with chapters and verses: ヨハネ3:16, 詩篇23:1-6.

Why before times of day: 3:16 after the name of a book is no time, and 1:1 no score.
"""

import re
from collections.abc import Iterator
from typing import Final

from workers.text.locales.east_asian_groups import JapaneseVerses
from workers.text.normalization.rules import Rule, any_of

_LETTERS: Final = "(?:(?:の|人?への|の信徒への)?(?:第[一二三]の)?手紙|書)?+(?:第?[一二三])?+"
"""The end of the name of a letter: コリント人への第一の手紙."""


def rules(words: JapaneseVerses, to: str) -> Iterator[Rule]:
    """The rule for a chapter and its verses. `to` is the word between the ends of a range."""

    def verbalize(match: re.Match[str]) -> str:
        chapter = words.psalm if match["book"] in words.psalms else words.chapter
        first = chapter.format(n=match["chapter"]) + words.verse.format(n=match["first"])
        last = to + words.verse.format(n=match["last"]) if match["last"] else ""
        pause = "、" if match["rest"].endswith(("一", "二", "三")) else ""
        return f"{words.short.get(match['book'], match['book'])}{match['rest']}{pause}{first}{last}"

    yield Rule(
        re.compile(
            rf"(?P<book>{any_of([*words.books, *words.psalms, *words.short])})(?P<rest>{_LETTERS}) ?"
            r"(?P<chapter>[0-9]{1,3})[:：] ?(?P<first>[0-9]{1,3})(?: ?[-–—~〜～] ?(?P<last>[0-9]{1,3}))?(?![0-9:：]| ?[発着頃])"
        ),
        verbalize,
    )
