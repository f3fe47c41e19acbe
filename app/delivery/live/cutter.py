"""Cuts a text that arrives in pieces into parts that can be spoken: never within a word, a number, an abbreviation or markup.

Why a full stop alone is not the end of a sentence here: "$3." may become "$3.50" and "Dr." may become "Dr. Who" with the next
piece. So a boundary counts only when the text after it has begun; after initials ("the U.S. They left"), when the next word has
ended. Marks of Chinese and Japanese are certain at once.

Why only the first part may end at a clause: somebody waits for it. Later parts are spoken while an earlier one is heard, and
whole sentences sound better.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from app.core.speech.boundaries import PARAGRAPH_BREAK, WORD, Ending, ending_of, find_boundaries, weigh
from app.core.speech.characters import OPENERS, in_class

FIRST_WEIGHT: Final = 20
"""A first part that ends at a clause has at least this many phonemes, by `weigh`."""
MAX_WEIGHT: Final = 400
"""A text without a boundary that is longer than this is cut between two words."""
_MARKUP_CHARS: Final = 400
"""Markup of one line that is open for longer than this is taken for text. Code and thoughts may have any length."""

_FOLLOWED: Final = re.compile(rf"\s*[{in_class(OPENERS)}]*[^\s{in_class(OPENERS)}]")
"""Text after a boundary that tells whether it is one."""
_INITIALS: Final = re.compile(r"(?:\b[A-Z]\.){1,5}[^\w\s]*\s*\Z|\bPh\.D\.\s*\Z")
_SPACE: Final = re.compile(r"\s+")
_WORD_AFTER: Final = re.compile(r"\s*\S+\s")
_ITEM: Final = re.compile(r"\n(?=[^\S\n]*(?:[-*+•]|\d{1,3}[.)]|#{1,6})[^\S\n]+\S)")
"""The end of the line before an item of a list or a heading."""

_OPEN: Final = re.compile(
    r"(?P<fence>```|~~~)|(?P<code>`)|<(?P<element>think(?:ing)?|speak|[ps]|voice|prosody|emphasis|lang|say-as|sub|phoneme)\b(?=[\s>])"
    r"|(?P<tag><(?=[A-Za-z/!?]))|(?P<link>\[)|(?P<strong>\*\*)"
)
"""What begins a piece of markup. An element is one with its content."""
_CLOSE: Final = {
    "fence": re.compile(r"```|~~~"),
    "code": re.compile(r"`"),
    "tag": re.compile(r">"),
    "link": re.compile(r"\](?:\([^()\s]*\)?)?"),
    "strong": re.compile(r"\*\*"),
}
_LONG: Final = frozenset({"fence", "element"})
"""Markup of any length."""
_SPOKEN: Final = frozenset({"element", "link", "strong"})
"""Markup with text in it: a sentence may end at its end."""


class _Markup(msgspec.Struct, frozen=True):
    """A piece of markup in a text."""

    first: int
    last: int | None
    """Its exclusive end; None while it is open."""
    ends_sentence: bool = False
    """Whether a sentence ends at its end."""


class Cutter:
    """The text that has come and was not taken. The parts that are taken, joined, are the text."""

    def __init__(self, language: str) -> None:
        """`language`: BCP 47 tag."""
        self._language = language
        self._text = ""

    def __len__(self) -> int:
        """Number of characters."""
        return len(self._text)

    def add(self, text: str) -> None:
        """Appends text as it was sent."""
        self._text += text

    def take(self, *, is_first: bool = False) -> str:
        """Removes and returns all whole sentences; empty if there is none yet. `is_first`: only the first one, or its first
        clause, since somebody waits for it.
        """
        places = [place for place in self._places() if _FOLLOWED.match(self._text, place[0]) and self._is_certain(place[0])]
        sentences = [end for end, ending in places if ending is not Ending.CLAUSE]
        if is_first:
            sentences = [end for end, ending in places if ending is not Ending.CLAUSE or self._weight(end) >= FIRST_WEIGHT][:1]
        return self._remove(sentences[-1] if sentences else self._cut([end for end, _ in places]))

    def take_ended(self) -> str:
        """Removes and returns all sentences, also a last one after which nothing has come."""
        return self._remove(max((end for end, ending in self._places() if ending is not Ending.CLAUSE), default=0))

    def take_now(self) -> str:
        """Removes and returns the whole text; empty while it ends with an abbreviation, after which its sentence may go on."""
        is_open = self._text.rstrip().endswith(".") and all(end < len(self._text) for end, _ in self._places())
        return "" if is_open else self.take_all()

    def take_all(self) -> str:
        """Removes and returns the whole text."""
        return self._remove(len(self._text))

    def _remove(self, end: int) -> str:
        taken, self._text = self._text[:end], self._text[end:]
        return taken

    def _weight(self, end: int) -> float:
        return weigh(self._text[:end].strip())

    def _is_certain(self, end: int) -> bool:
        return _INITIALS.search(self._text, max(0, end - 20), end) is None or _WORD_AFTER.match(self._text, end) is not None

    def _cut(self, places: list[int]) -> int:
        """Returns where a text that is too long without a sentence's end is cut; 0 if it is not too long."""
        if self._weight(len(self._text)) <= MAX_WEIGHT:
            return 0
        words = [match.end() for match in WORD.finditer(self._text)][:-1]
        return max((end for end in places or self._outside(words) if self._weight(end) <= MAX_WEIGHT), default=0)

    def _places(self) -> list[tuple[int, Ending]]:
        """Returns the end of each paragraph, item, sentence and clause that is outside of markup, in order."""
        text = self._text
        found = dict(find_boundaries(text, 0, self._language))
        for one in _find_markup(text):
            if one.last is not None and one.ends_sentence and (space := _SPACE.match(text, one.last)):
                found[space.end()] = Ending.SENTENCE
        found |= {match.end(): Ending.SENTENCE for match in _ITEM.finditer(text) if text[: match.start()].strip()}
        found |= {match.end(): Ending.PARAGRAPH for match in PARAGRAPH_BREAK.finditer(text) if text[: match.start()].strip()}
        return [(end, found[end]) for end in self._outside(sorted(found))]

    def _outside(self, places: list[int]) -> list[int]:
        """Returns the places that are not within markup."""
        markup = list(_find_markup(self._text))
        return [at for at in places if not any(one.first < at and (one.last is None or at < one.last) for one in markup)]


def _find_markup(text: str) -> Iterator[_Markup]:
    at = 0
    while opening := _OPEN.search(text, at):
        kind = opening.lastgroup or ""
        close = re.compile(rf"</{opening['element']}\s*>") if kind == "element" else _CLOSE[kind]
        closing = close.search(text, opening.end())
        if closing is not None:
            ends_sentence = kind in _SPOKEN and ending_of(text[opening.end() : closing.start()]) is Ending.SENTENCE
            yield _Markup(opening.start(), closing.end(), ends_sentence)
            at = closing.end()
        elif kind in _LONG or len(text) - opening.start() <= _MARKUP_CHARS:
            yield _Markup(opening.start(), None)
            return
        else:
            at = opening.end()
