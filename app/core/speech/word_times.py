"""Word times: the words of the user's text and the time of each in the audio, in the form that workers send to the API."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType


class TimedWord(msgspec.Struct, frozen=True):
    """One word as the user wrote it, and its time in the audio."""

    word: str
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    """Seconds, at least `start`."""
    speaker: str | UnsetType = UNSET
    """The voice as the user wrote it; unset, and not in the JSON, in a text with one voice."""


def write_words(words: Sequence[TimedWord]) -> bytes:
    """A JSON array of objects, their times to the millisecond."""
    return msgspec.json.encode([TimedWord(word.word, round(word.start, 3), round(word.end, 3), word.speaker) for word in words])


def read_words(data: bytes | str) -> list[TimedWord]:
    """The words that `write_words` wrote."""
    return msgspec.json.decode(data, type=list[TimedWord])
