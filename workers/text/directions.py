"""How a user says how: `[pause:1.5s]`, `[word](/phonemes/)`, and words whose phonemes are given beside the text.

Why a word with given phonemes becomes one character: no rule of any language then changes it on its way to the engine, which
looks up what the character stands for. The characters are of a plane that is private to Koe; a user's own are taken out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from app.core.alphabet import unknown_phonemes
from app.core.lexicon import WORD, is_unspaced
from workers.text.script import Script

MOST_PAUSE_SECONDS: Final = 60.0

PAUSE: Final = r"\[pause:\s?(\d{1,5}(?:\.\d{1,3})?)\s?(ms|s)\]"
"""A pattern, in whichever case."""

_PAUSE: Final = re.compile(PAUSE, re.IGNORECASE)
_SAID: Final = re.compile(r"\[([^\[\]\n]{1,100})\]\(/([^/\n]{1,200})/\)")
_FIRST: Final = 0xF0000
_MOST_GIVEN: Final = 0xFFFD
_PRIVATE: Final = re.compile("[\U000f0000-\U000fffff]")


class Given(msgspec.Struct, frozen=True):
    """A word, and how it is to be said."""

    word: str
    phonemes: str
    """In Misaki's alphabet."""


class Stretch(msgspec.Struct, frozen=True):
    """A part of a text, to the next pause that its user wants."""

    script: Script
    pause_seconds: float | None
    """After it; None where the user wants none."""


class Directions:
    """The words of a text whose phonemes are given, each in the place of one character."""

    def __init__(self) -> None:
        self._given: list[Given] = []

    def stand_for(self, given: Given) -> str | None:
        """The character that stands for it; None when there are too many."""
        if len(self._given) >= _MOST_GIVEN:
            return None
        self._given.append(given)
        return chr(_FIRST + len(self._given) - 1)

    def find(self, character: str) -> Given | None:
        """What a character stands for; None for any other."""
        number = ord(character) - _FIRST
        return self._given[number] if 0 <= number < len(self._given) else None

    def spell(self, text: str) -> str:
        """`text` with the words themselves in it."""
        return _PRIVATE.sub(lambda match: given.word if (given := self.find(match[0])) else "", text)

    def spelled(self, script: Script) -> Script:
        """`script` with the words themselves in it, for an engine that takes no phonemes."""
        return script.sub(_PRIVATE, lambda match: self.spell(match[0]))

    def parts(self, text: str) -> Iterator[tuple[int, str, Given | None]]:
        """`text` in parts: where each begins, and what it stands for, if it is one of these characters."""
        start = 0
        for match in _PRIVATE.finditer(text):
            if start < match.start():
                yield start, text[start : match.start()], None
            yield match.start(), match[0], self.find(match[0])
            start = match.end()
        if start < len(text):
            yield start, text[start:], None


NO_DIRECTIONS: Final = Directions()
"""For a text in which no word has any."""


def read_markup(text: str, pronunciations: Sequence[tuple[str, str]]) -> tuple[list[Stretch], Directions]:
    """The user's text between its pauses, with one character for each word whose phonemes are given.

    A pause is MOST_PAUSE_SECONDS at most. What looks like markup and is none (a link, an unknown phoneme) stays as it is.
    """
    directions = Directions()
    script = Script.of(text).sub(_PRIVATE, " ")
    table = dict(pronunciations)
    script = script.sub(_SAID, lambda match: _said(match, directions))
    for pattern in filter(None, (_unspaced(table), WORD if table else None)):
        script = script.sub(pattern, lambda match: _given(match[0], table, directions))
    return list(_stretches(script)), directions


def plain(word: str) -> str:
    """A word as it was written, without its markup."""
    return _PAUSE.sub("", _SAID.sub(r"\1", word))


def _said(match: re.Match[str], directions: Directions) -> str | None:
    word, phonemes = match[1].strip(), match[2].strip()
    return None if not word or not phonemes or unknown_phonemes(phonemes) else directions.stand_for(Given(word, phonemes))


def _given(word: str, table: Mapping[str, str], directions: Directions) -> str | None:
    phonemes = table.get(word) or table.get(word.lower())
    return directions.stand_for(Given(word, phonemes)) if phonemes else None


def _unspaced(words: Iterable[str]) -> re.Pattern[str] | None:
    """Finds those of the words that are written without spaces around them, the longest first; None where there are none."""
    found = sorted((word for word in words if is_unspaced(word)), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, found))) if found else None


def _stretches(script: Script) -> Iterator[Stretch]:
    start = 0
    for match in _PAUSE.finditer(script.text):
        seconds = float(match[1]) / (1000 if match[2].lower() == "ms" else 1)
        yield Stretch(script.cut(start, match.start()), min(seconds, MOST_PAUSE_SECONDS))
        start = match.end()
    yield Stretch(script.cut(start, len(script)), None)
