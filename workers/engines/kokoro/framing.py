"""What the model reads beside a segment's own phonemes, so that it says them as a person would who reads the whole text.

A part of a sentence is read with what stands before and after it in that sentence, and only its own frames are decoded. Why: a
clause that is read alone ends like a sentence. In nine languages its pitch fell by 3 to 8 semitones at a comma where it falls
by 0 to 5 within the sentence, and its last sounds were up to twice as long.

A few phonemes that stand alone are read in quotation marks, with a full stop, in English and Spanish. Why: Kokoro was trained
on sentences. Of a single word it swallows the first sound or adds one of its own, so Whisper heard "Am I?" for "Emma". The
marks are silent, and with them it misheard 12 of 76 short utterances instead of 15. In Italian and French they added a sound
("Io nulla" for "Annulla"), in Japanese they changed nothing, so there everything is read as it is. Other ways were tried, and
heard: a slower speed and the style rows of longer texts add sounds ("A seven", "to note"); the word twice, of which one is cut
away by its durations, loses a first or a last sound.
"""

from typing import Final

import msgspec

MAX_READ: Final = 510
"""Phonemes that the model reads at once."""
MAX_SHORT: Final = 12
"""Phonemes. Longer segments are said clearly as they are."""
MAX_CONTEXT: Final = 60
"""Phonemes on each side. They are enough to tell how a clause ends; each costs a fifth of what a spoken one does."""

_ENDS: Final = ".!?…,;:—"
_QUOTES: Final = "“”"
_QUOTED_LANGUAGES: Final = frozenset({"en", "es"})


class Framed(msgspec.Struct, frozen=True):
    """The phonemes that the model reads, and where the segment's own stand among them."""

    phonemes: str
    first: int
    last: int
    """Exclusive."""
    begins_text: bool
    """Whether nothing that is heard stands before its own; else its sound begins where that of another segment ended."""
    ends_text: bool
    """The same of what stands after."""

    @property
    def tokens(self) -> tuple[int, int]:
        """First token and exclusive last that are heard: its own, silent pads and marks, and the space after a clause."""
        return 0 if self.begins_text else 1 + self.first, len(self.phonemes) + 2 if self.ends_text else 2 + self.last

    def own_frames(self, n_frames: list[int]) -> list[int]:
        """`n_frames`, of each token that is heard, as those of its own phonemes between two of the silence around them."""
        lead = 1 + self.first if self.begins_text else 0
        own_end = lead + self.last - self.first
        return [sum(n_frames[:lead]), *n_frames[lead:own_end], sum(n_frames[own_end:])]


def frame(phonemes: str, before: str, after: str, language: str) -> Framed:
    """`phonemes` of a segment with those that stand `before` and `after` it in its sentence, empty where there are none.

    `language` is a BCP 47 tag.
    """
    if not before and not after:
        return _alone(phonemes, is_quoted=language.partition("-")[0] in _QUOTED_LANGUAGES)
    most = min(MAX_CONTEXT, max(0, MAX_READ - len(phonemes) - 2) // 2)
    before, after = before[len(before) - min(most, len(before)) :], after[:most]
    lead, trail = f"{before} " if before else "", f" {after}" if after else ""
    first = len(lead)
    return Framed(f"{lead}{phonemes}{trail}", first, first + len(phonemes), begins_text=not before, ends_text=not after)


def _alone(phonemes: str, *, is_quoted: bool) -> Framed:
    if not is_quoted or len(phonemes) > MAX_SHORT or any(quote in phonemes for quote in _QUOTES):
        return Framed(phonemes, 0, len(phonemes), begins_text=True, ends_text=True)
    stop = "" if phonemes.endswith(tuple(_ENDS)) else "."
    opening, closing = _QUOTES
    return Framed(f"{opening}{phonemes}{stop}{closing}", 1, 1 + len(phonemes), begins_text=True, ends_text=True)
