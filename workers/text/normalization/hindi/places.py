"""Places in books and on maps in Hindi: यूहन्ना 3:16, गीता 2:47, 28°36′50″N, and lengths with such signs: 5'11".

Why the names of the books decide: 3:16 is a time of day elsewhere.
"""

import re
from collections.abc import Iterator

from workers.text.locales.structs import Hindi
from workers.text.normalization.hindi.numbers import LETTERS
from workers.text.normalization.rules import Rule, any_of


def rules(locale: Hindi) -> Iterator[Rule]:
    """The rules for places; they come before those of times."""
    books = {book: words for words in locale.verses for book in words.books}

    def verse(match: re.Match[str]) -> str:
        words = books[match["book"]]
        last = f" {locale.to} {match['last']}" if match["last"] else ""
        return f"{match['book']} {words.chapter} {match['chapter']} {words.verse} {match['first']}{last}"

    yield Rule(
        re.compile(
            rf"(?<![\w{LETTERS}])(?P<book>{any_of(books)})\.? (?P<chapter>[0-9]{{1,3}})[:.] ?(?P<first>[0-9]{{1,3}})"
            r"(?:[-–](?P<last>[0-9]{1,3}))?(?![\w:]|[.-][0-9])"
        ),
        verse,
    )
    directions = locale.directions
    n = r"[0-9]{1,2}(?:\.[0-9]{1,4})?"

    def angle(match: re.Match[str]) -> str:
        second = f" {match['second']} {locale.units['s'].many}" if match["second"] else ""
        to = f" {directions[match['to']]}" if match["to"] else ""
        return f"{match['degree']} {locale.degrees.many} {match['minute']} {locale.units['min'].many}{second}{to}"

    yield Rule(
        re.compile(
            rf"(?<![\w.])(?P<degree>[0-9]{{1,3}})° ?(?P<minute>{n})[′'] ?"
            rf"(?:(?P<second>{n})(?:[″\"]|'') ?)?(?P<to>[NSEW]?)(?!\w)"
        ),
        angle,
    )
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<feet>[3-8])[′'] ?(?P<inches>1[01]|[0-9])(?:[″\"]|'')?(?!\w)"),
        lambda match: f"{match['feet']} {locale.units['ft'].many} {match['inches']} {locale.inch}",
    )
    yield Rule(
        re.compile(r"(?<![\w.,])(?P<n>[0-9]{1,3}(?:\.[0-9])?) ?[lL]/100 ?km(?!\w)"),
        lambda match: f"{match['n']} {locale.units['l'].many} {locale.math.per} 100 {locale.units['km'].many}",
    )
