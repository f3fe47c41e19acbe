"""The words of a text, where they stand, and the phonemes that say them."""

import re
import unicodedata
from collections.abc import Callable
from itertools import accumulate
from typing import Final

import msgspec

from app.core.speech.characters import HAN_AND_KANA

_LONG: Final = "ーｰﾞﾟ"
"""What makes a kana long or voiced, and is said with it."""
_WORD: Final = re.compile(rf"[{HAN_AND_KANA}](?:[{_LONG}\u3001\u3002\uff01-\uff20])*|[^\s{HAN_AND_KANA}]+")

_SAID: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Sm", "Sc"})


class SaidWord(msgspec.Struct, frozen=True, array_like=True):
    """A word of a text, and the phonemes that say it."""

    first: int
    """Its first character in the text."""
    last: int
    """One behind its last."""
    begin: int
    """The first of its phonemes."""
    end: int
    """One behind the last of them."""


class Said(msgspec.Struct, frozen=True):
    """A text in phonemes. Its length is their number."""

    phonemes: str
    """In Misaki's alphabet or the engine's own, punctuation among them."""
    words: tuple[SaidWord, ...] = ()
    """One for each of `find_words`, in order, where the phonemes of each word are known. They do not overlap, and every phoneme
    but white space is in one; a word of which nothing is said has `begin == end`.
    """

    def __len__(self) -> int:
        return len(self.phonemes)

    def replace(self, change: Callable[[int], str]) -> "Said":
        """With each phoneme replaced by what `change` gives for its index: one phoneme, several or none."""
        new = [change(i) for i in range(len(self.phonemes))]
        until = list(accumulate((len(one) for one in new), initial=0))
        words = (SaidWord(word.first, word.last, until[word.begin], until[word.end]) for word in self.words)
        return Said("".join(new), tuple(words))


NOTHING_SAID: Final = Said("")


def find_words(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, in characters, in order; what stands between two words is white space.

    A script that puts no spaces between its words (Han, kana) counts each character, with what follows it, as one.
    """
    return [match.span() for match in _WORD.finditer(text)]


def says_something(text: str) -> bool:
    """Whether `text` has a letter, a digit or a sign of arithmetic or money in it, and not only marks and emoji."""
    return any(unicodedata.category(character) in _SAID for character in text)
