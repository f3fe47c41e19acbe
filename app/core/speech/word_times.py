"""Word times: the words of the user's text and the time of each in the audio, in the form that workers send to the API.

Why the times of characters are computed from a word's: an engine knows when it speaks a word, and not which sound is which
letter.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

_JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f")
"""Zero-width joiners and variation selectors, which belong to the characters around them."""


class TimedCharacter(msgspec.Struct, frozen=True):
    """One character of a word, with its combining marks, and its time in the audio."""

    character: str
    start: float
    """Seconds from the beginning of the audio."""
    end: float


class TimedWord(msgspec.Struct, frozen=True):
    """One word as the user wrote it, and its time in the audio."""

    word: str
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    """Seconds, at least `start`."""
    speaker: str | UnsetType = UNSET
    """The voice as the user wrote it; unset, and not in the JSON, in a text with one voice."""


class SpeltWord(TimedWord, frozen=True, kw_only=True):
    """A word with its characters."""

    characters: list[TimedCharacter]


def with_characters(word: TimedWord) -> SpeltWord:
    """The word with its characters, which divide its time evenly. Times are in milliseconds."""
    pieces = _divide(word.word)
    seconds = (word.end - word.start) / max(1, len(pieces))
    edges = [round(word.start + number * seconds, 3) for number in range(len(pieces) + 1)]
    times = zip(pieces, edges, edges[1:], strict=False)
    fields = msgspec.structs.asdict(word)
    return SpeltWord(**fields, characters=[TimedCharacter(*time) for time in times])


def _divide(word: str) -> list[str]:
    """The characters of a word, each with the marks that follow it and what is joined to it."""
    pieces: list[str] = []
    for char in word:
        is_joined = char in _JOINERS or unicodedata.category(char).startswith("M") or (pieces and pieces[-1].endswith("\u200d"))
        if pieces and is_joined:
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def write_words(words: Sequence[TimedWord]) -> bytes:
    """A JSON array of objects, their times to the millisecond."""
    rounded = [msgspec.structs.replace(word, start=round(word.start, 3), end=round(word.end, 3)) for word in words]
    return msgspec.json.encode(rounded)


def read_words(data: bytes | str) -> list[TimedWord]:
    """The words that `write_words` wrote."""
    return msgspec.json.decode(data, type=list[TimedWord])
