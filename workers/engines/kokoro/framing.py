"""Adds context phonemes to a segment, so that the model speaks the segment as a part of its text.

Why a part of a sentence gets context: the model ends a clause without context like a sentence. In nine languages the pitch at a
comma fell by 3 to 8 semitones instead of 0 to 5, and the last sounds were up to twice as long. So the model reads the phonemes
before and after the part in its sentence too, and only the part's own frames are decoded.

Why a short Spanish text is read after another word, whose sound is cut off: Kokoro was trained on sentences. In a single word
it drops or adds a sound: Whisper, with two attempts, understood 16 of 28 Spanish words ("¿Qué es eso?" for "Guardar"), and 24
after "Bueno.".

Why only in Spanish: in English, French, Italian and Japanese, no variant was understood better than the word alone. The
variants were a word before it, quotation marks (one more sound in Italian and French) and a full stop. In all languages, a
slower speed and the style rows of longer texts add sounds ("A seven", "to note"). Reading the word twice and cutting one of the
two off loses its first or last sound.
"""

from typing import Final

import msgspec

MAX_READ: Final = 510
"""Most phonemes that the model reads at once."""
MAX_SHORT: Final = 12
"""Longest segment, in phonemes, that is read after another word. Longer segments are clear without it."""
MAX_CONTEXT: Final = 60
"""Most context phonemes on each side. They are enough for the end of a clause. Each costs a fifth of a spoken phoneme."""

_ENDS: Final = ".!?…,;:—"
_LEADS: Final = {"es": "bwˈeno."}
"""Language subtag → phonemes that the model reads before a short text."""


class Framed(msgspec.Struct, frozen=True):
    """The phonemes that the model reads, and the position of the segment's own phonemes in them."""

    phonemes: str
    first: int
    last: int
    """Exclusive end index."""
    first_audible: int
    """The first audible token: 0 without context before the segment, else the segment's first token or the pause before it."""
    ends_text: bool
    """Whether no context follows. Otherwise the sound ends where the next segment's sound begins."""

    @property
    def tokens(self) -> tuple[int, int]:
        """The audible tokens, first and exclusive end: the segment's own phonemes, silent pads and marks, and the space after a
        clause.
        """
        return self.first_audible, len(self.phonemes) + 2 if self.ends_text else 2 + self.last

    def own_frames(self, n_frames: list[int]) -> list[int]:
        """Converts `n_frames` of each audible token to [silence before, each of the segment's own phonemes, silence after]."""
        lead = 1 + self.first - self.first_audible
        own_end = lead + self.last - self.first
        return [sum(n_frames[:lead]), *n_frames[lead:own_end], sum(n_frames[own_end:])]


def frame(phonemes: str, before: str, after: str, language: str) -> Framed:
    """Adds context to `phonemes`, the phonemes of a segment.

    `before` and `after`: the phonemes before and after the segment in its sentence; they may be empty. `language`: a BCP 47
    tag.
    """
    if not before and not after:
        return _alone(phonemes, _LEADS.get(language.partition("-")[0], ""))
    n_context = min(MAX_CONTEXT, max(0, MAX_READ - len(phonemes) - 2) // 2)
    before, after = before[len(before) - min(n_context, len(before)) :], after[:n_context]
    lead, trail = f"{before} " if before else "", f" {after}" if after else ""
    first = len(lead)
    first_audible = 1 + first if before else 0
    return Framed(f"{lead}{phonemes}{trail}", first, first + len(phonemes), first_audible, ends_text=not after)


def _alone(phonemes: str, lead: str) -> Framed:
    n = len(phonemes)
    if not lead or n > MAX_SHORT:
        return Framed(phonemes, 0, n, first_audible=0, ends_text=True)
    stop = "" if phonemes.endswith(tuple(_ENDS)) else "."
    first = len(lead) + 1
    # The audible part begins with the space. Token numbers also count the pad before the phonemes.
    return Framed(f"{lead} {phonemes}{stop}", first, first + n, first_audible=first, ends_text=True)
