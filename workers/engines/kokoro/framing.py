"""What the model reads beside a segment's own phonemes, so that it says them as a person would who reads the whole text.

A part of a sentence is read with what stands before and after it in that sentence, and only its own frames are decoded. Why: a
clause that is read alone ends like a sentence. In nine languages its pitch fell by 3 to 8 semitones at a comma where it falls
by 0 to 5 within the sentence, and its last sounds were up to twice as long.

A few phonemes that stand alone are read after a word that is not heard, in Spanish. Why: Kokoro was trained on sentences. Of a
single word it swallows a sound or adds one of its own, and Whisper, which may listen twice, understood 16 of 28 Spanish words
("¿Qué es eso?" for "Guardar"). After "Bueno." it understood 24. In English, French, Italian and Japanese nothing that was tried
was heard better than the word alone: such a word in front, quotation marks (one sound more in Italian and French), a full stop.
In all languages a slower speed and the style rows of longer texts add sounds ("A seven", "to note"), and the word twice, of
which one is cut away, loses its first or last one.
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
_LEADS: Final = {"es": "bwˈeno."}
"""Subtag of a language → what is read before a short text of it."""


class Framed(msgspec.Struct, frozen=True):
    """The phonemes that the model reads, and where the segment's own stand among them."""

    phonemes: str
    first: int
    last: int
    """Exclusive."""
    heard_from: int
    """The token from which it is heard: 0 where nothing stands before its own, else its first, or the pause before that."""
    ends_text: bool
    """Whether nothing stands after its own; else its sound ends where that of another segment begins."""

    @property
    def tokens(self) -> tuple[int, int]:
        """First token and exclusive last that are heard: its own, silent pads and marks, and the space after a clause."""
        return self.heard_from, len(self.phonemes) + 2 if self.ends_text else 2 + self.last

    def own_frames(self, n_frames: list[int]) -> list[int]:
        """`n_frames`, of each token that is heard, as those of its own phonemes between two of the silence around them."""
        lead = 1 + self.first - self.heard_from
        own_end = lead + self.last - self.first
        return [sum(n_frames[:lead]), *n_frames[lead:own_end], sum(n_frames[own_end:])]


def frame(phonemes: str, before: str, after: str, language: str) -> Framed:
    """`phonemes` of a segment with those that stand `before` and `after` it in its sentence, empty where there are none.

    `language` is a BCP 47 tag.
    """
    if not before and not after:
        return _alone(phonemes, _LEADS.get(language.partition("-")[0], ""))
    most = min(MAX_CONTEXT, max(0, MAX_READ - len(phonemes) - 2) // 2)
    before, after = before[len(before) - min(most, len(before)) :], after[:most]
    lead, trail = f"{before} " if before else "", f" {after}" if after else ""
    first = len(lead)
    heard_from = 1 + first if before else 0
    return Framed(f"{lead}{phonemes}{trail}", first, first + len(phonemes), heard_from, ends_text=not after)


def _alone(phonemes: str, lead: str) -> Framed:
    n = len(phonemes)
    if not lead or n > MAX_SHORT:
        return Framed(phonemes, 0, n, heard_from=0, ends_text=True)
    stop = "" if phonemes.endswith(tuple(_ENDS)) else "."
    first = len(lead) + 1
    # Heard from the space on: tokens are counted with the pad before the phonemes.
    return Framed(f"{lead} {phonemes}{stop}", first, first + n, heard_from=first, ends_text=True)
