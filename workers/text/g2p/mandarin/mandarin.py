"""G2P of Mandarin: Misaki's phonemes, syllable by syllable.

Why Misaki's inner functions are called: its G2P as a whole fails on text that is empty once its punctuation is mapped, takes
Latin letters for phonemes, does not say numbers over 16 digits, and does not report which character has which phonemes.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from misaki.zh import ZHG2P

from workers.text.g2p.alignment import AlignedSpan
from workers.text.g2p.mandarin import syllables
from workers.text.g2p.mandarin.numbers import spell_numbers
from workers.text.tracked_text import TrackedText

_MARK: Final = re.compile("[、，。．！：；？«»《》「」【】（）]")
_RUN: Final = re.compile("[\u4e00-\u9fff]+|[^\u4e00-\u9fff]+")


def make(language: str) -> Callable[[str], list[AlignedSpan]]:
    """Returns the G2P of `zh`."""
    syllables.load()
    return lambda text: list(_phonemize(_map_marks(spell_numbers(TrackedText.of(text)))))


def _map_marks(tracked: TrackedText) -> TrackedText:
    """Maps marks like Misaki's `map_punctuation`, but one by one, since that function strips its result."""
    return tracked.sub(_MARK, _map_mark).strip()


def _map_mark(match: re.Match[str]) -> str:
    # `map_punctuation` strips nothing between two letters.
    return str(ZHG2P.map_punctuation(f"x{match[0]}x"))[1:-1]


def _phonemize(tracked: TrackedText) -> Iterator[AlignedSpan]:
    for run in _RUN.finditer(tracked.text):
        if not "\u4e00" <= run[0][0] <= "\u9fff":
            yield AlignedSpan(*tracked.origin(*run.span()), run[0])
            continue
        for one in syllables.read(run[0]):
            first = run.start() + one.first
            if one.begins_word and one.first:
                yield AlignedSpan(*tracked.origin(first, first + 1), " ")
            yield AlignedSpan(*tracked.origin(first, run.start() + one.last), one.phonemes)
