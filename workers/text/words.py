"""The words of a text, their places in it, and the phonemes that say them."""

import re
import unicodedata
from collections.abc import Callable
from itertools import accumulate
from typing import Final

import msgspec

from app.core.speech.characters import HAN_AND_KANA

_LONG: Final = "ーｰﾞﾟ"
"""Signs that make the kana before them long or voiced and are said with it."""
_WORD: Final = re.compile(rf"[{HAN_AND_KANA}](?:[{_LONG}\u3001\u3002\uff01-\uff20])*|[^\s{HAN_AND_KANA}]+")

_SPOKEN_CATEGORIES: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Sm", "Sc"})


class PhonemizedWord(msgspec.Struct, frozen=True, array_like=True):
    """A word of a text, and the range of phonemes that say it."""

    first: int
    """Index of its first character in the text."""
    last: int
    """Exclusive end index in the text."""
    begin: int
    """Index of its first phoneme."""
    end: int
    """Exclusive end index of its phonemes."""


class PhonemizedText(msgspec.Struct, frozen=True):
    """A text in phonemes. Its length is the number of phonemes."""

    phonemes: str
    """Phonemes in Misaki's alphabet or the engine's own, including punctuation."""
    words: tuple[PhonemizedWord, ...] = ()
    """One entry for each word of `find_words`, in order; empty if the phonemes of each word are not known. The entries do not
    overlap, and every phoneme except white space is in one. A word that has no phonemes has `begin == end`.
    """

    def __len__(self) -> int:
        return len(self.phonemes)

    def replace(self, change: Callable[[int], str]) -> "PhonemizedText":
        """Returns the text with each phoneme replaced by the result of `change` for its index: one phoneme, several or none."""
        new = [change(i) for i in range(len(self.phonemes))]
        until = list(accumulate((len(one) for one in new), initial=0))
        words = (PhonemizedWord(word.first, word.last, until[word.begin], until[word.end]) for word in self.words)
        return PhonemizedText("".join(new), tuple(words))


NO_PHONEMES: Final = PhonemizedText("")


def find_words(text: str) -> list[tuple[int, int]]:
    """Returns the start and end of each word, in characters, in order; between two words there is only white space.

    In a script without spaces between words (Han, kana), each character counts as a word, together with the marks after it.
    """
    return [match.span() for match in _WORD.finditer(text)]


def says_something(text: str) -> bool:
    """Returns whether `text` has a letter, a digit or a sign of arithmetic or money, and not only marks and emoji."""
    return any(unicodedata.category(character) in _SPOKEN_CATEGORIES for character in text)
