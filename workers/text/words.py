"""The words of a text and where they stand, for engines that tell when each is heard."""

import re
import unicodedata
from typing import Final

import msgspec

_WORD: Final = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff](?:[ー\u3001\u3002\uff01-\uff20])*|[^\\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)

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


def find_words(text: str) -> list[tuple[int, int]]:
    """Start and end of each word, in characters, in order; what stands between two words is white space.

    A script that puts no spaces between its words (Han, kana) counts each character, with what follows it, as one.
    """
    return [match.span() for match in _WORD.finditer(text)]


def says_something(text: str) -> bool:
    """Whether `text` has a letter, a digit or a sign of arithmetic or money in it, and not only marks and emoji."""
    return any(unicodedata.category(character) in _SAID for character in text)
