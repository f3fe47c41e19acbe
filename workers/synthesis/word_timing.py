"""Finds the time of each word of the user's text: from the words of the segments, through the tracked text.

Why a word may be held until the next segment: "$12" is spoken as two words, perhaps in two segments, but is reported once.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import UNSET

from app.core.speech.word_times import TimedWord
from workers.engines.base import Segment
from workers.synthesis.audio import Sound
from workers.text.markup import plain
from workers.text.normalization.tags.ssml_places import HIDDEN
from workers.text.tracked_text import TrackedText
from workers.text.words import find_words

_LOOKAHEAD_CHARS: Final = 100
"""Longer than the white space between two segments."""


class WordTimer:
    """Takes the segments of one utterance in order, and returns the words of the user's text in order, each once."""

    def __init__(self, text: str) -> None:
        """`text`: the user's text."""
        self._text = text
        self._spans = find_words(text)
        self._starts = [start for start, _ in self._spans]
        self._held: tuple[int, float, float, str | None] | None = None
        """Number of the held word, its start and end as far as known, in seconds, and its speaker."""

    def add(
        self,
        segment: Segment,
        tracked: TrackedText,
        sound: Sound,
        begins_seconds: float,
        speaker: str | None = None,
        *,
        is_whole: bool = True,
    ) -> list[TimedWord]:
        """Adds a segment of `tracked` whose audio begins at `begins_seconds`. Returns the words that are complete now.

        `is_whole`: whether these are the segment's last words. If not, it is added again with the words that follow.
        """
        words = []
        for number, start, end in self._numbered(segment, tracked, sound):
            if (word := self._add_piece(number, begins_seconds + start, begins_seconds + end, speaker)) is not None:
                words.append(word)
        if is_whole and self._held is not None and not self._continues(self._held[0], segment, tracked):
            words += self.rest()
        return words

    def rest(self) -> list[TimedWord]:
        """Returns the held word, if there is one."""
        held, self._held = self._held, None
        return [self._show(held)] if held else []

    def _continues(self, number: int, segment: Segment, tracked: TrackedText) -> bool:
        """Whether the word continues after the segment."""
        end = segment.start + len(segment.text)
        following = tracked.text[end : end + _LOOKAHEAD_CHARS]
        place = end + len(following) - len(following.lstrip())
        first, last = self._spans[number]
        return bool(following.strip()) and first <= tracked.origin(place, place + 1)[0] < last

    def _add_piece(self, number: int, start: float, end: float, speaker: str | None) -> TimedWord | None:
        """Adds a piece of a word. Returns the word before it if this is a new word."""
        before = self._held
        if before is not None and number <= before[0]:
            self._held = (before[0], before[1], max(before[2], end), before[3])
            return None
        self._held = (number, start, end, speaker)
        return self._show(before) if before is not None else None

    def _show(self, held: tuple[int, float, float, str | None]) -> TimedWord:
        number, start, end, speaker = held
        first, last = self._spans[number]
        return TimedWord(plain(self._text[first:last].replace(HIDDEN, "")), round(start, 6), round(end, 6), speaker or UNSET)

    def _numbered(self, segment: Segment, tracked: TrackedText, sound: Sound) -> Iterator[tuple[int, float, float]]:
        """Yields the user's words in the segment, with times. If one spoken word is several of them, they share its time."""
        for word in sound.words:
            origin = tracked.origin(segment.start + word.first, segment.start + word.last)
            shares = list(self._shares(*origin))
            total = sum(share for _, share in shares)
            at, seconds = word.start, word.end - word.start
            for number, share in shares:
                until = at + seconds * share / total
                yield number, at, until
                at = until

    def _shares(self, start: int, end: int) -> Iterable[tuple[int, int]]:
        """Yields the numbers of the user's words between two indices, and how many characters of each are there."""
        number = max(0, bisect_right(self._starts, start) - 1)
        while number < len(self._spans) and self._spans[number][0] < end:
            first, last = self._spans[number]
            if (share := min(end, last) - max(start, first)) > 0:
                yield number, share
            number += 1
