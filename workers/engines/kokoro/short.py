"""A few phonemes alone, set so that the model says them clearly.

Kokoro was trained on sentences. Of a single word without a mark it swallows the first sound or adds one of its own: Whisper
heard "Am I?" for "Emma" and "And no" for "No". What helps was found by ear: a full stop, and quotation marks around it all.
The marks are silent, and the words become those of somebody who is quoted.

Why not a slower speed, another row of the style, a word before it that is cut away, or the word twice: a slower speed and the
rows of longer texts add sounds ("A seven", "to note"), and both ways of cutting lose a first or a last sound.
"""

from typing import Final

import msgspec

MAX_SHORT: Final = 12
"""Phonemes. Longer segments are said clearly as they are."""

_ENDS: Final = ".!?…,;:—"
_QUOTES: Final = "“”"


class Setting(msgspec.Struct, frozen=True):
    """The phonemes that the model reads, and how many of them stand before and after those of the segment."""

    phonemes: str
    n_before: int = 0
    n_after: int = 0

    def own_frames(self, n_frames: list[int]) -> list[int]:
        """Of the frames of all tokens, pads included, those of the segment's own: the marks' are counted to the pads."""
        first, last = 1 + self.n_before, len(n_frames) - 1 - self.n_after
        return [sum(n_frames[:first]), *n_frames[first:last], sum(n_frames[last:])]


def set_apart(phonemes: str) -> Setting:
    """`phonemes`, with marks where they are few and not quoted already."""
    if len(phonemes) > MAX_SHORT or any(quote in phonemes for quote in _QUOTES):
        return Setting(phonemes)
    stop = "" if phonemes.endswith(tuple(_ENDS)) else "."
    opening, closing = _QUOTES
    return Setting(f"{opening}{phonemes}{stop}{closing}", n_before=1, n_after=1 + len(stop))
