"""G2P of Japanese: the readings of pyopenjtalk through Misaki, spelled the way Kokoro v1.0 heard them.

Why not Misaki's own default: it wants a dictionary of half a gigabyte, downloaded apart; pyopenjtalk-plus brings one along.
Misaki's spelling for pyopenjtalk is that of a later model; the replacements below lead back to the alphabet of v1.0.
"""

import contextlib
import io
import logging
import re
from collections.abc import Callable
from typing import Final

from misaki.espeak import EspeakG2P

with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
    from misaki.ja import JAG2P

_SPELLING: Final = tuple(
    (re.compile(old), new)
    for old, new in (
        ("ᶄ", "kʲ"),
        ("ᶃ", "ɡʲ"),
        ("ᶀ", "bʲ"),
        ("ᶁ", "dʲ"),
        ("ᶈ", "pʲ"),
        ("ᶆ", "mʲ"),
        ("ᶉ", "ɾʲ"),
        ("ƫ", "tʲ"),
        ("K", "kᵝ"),
        ("G", "ɡᵝ"),
        ("g", "ɡ"),
        ("r", "ɾ"),
        ("([kɡbpmɾ])i", r"\1ʲi"),
        ("ni", "ɲi"),
        ("hi", "çi"),
        ("hu|fu", "ɸɯ"),
        ("w(?=[aeio])", "β"),
        ("z(?=[aeo])", "ʣ"),
        ("([szʦɕʥʨʲçɲ])u", r"\1ɨ"),
        ("u", "ɯ"),
        ("f", "ɸ"),
    )
)


def make(language: str) -> Callable[[str], str]:
    """The G2P of `ja`."""
    logging.getLogger("phonemizer").disabled = True
    g2p = JAG2P(version="pyopenjtalk", unk="")
    spare = EspeakG2P(language="ja")

    def say(text: str) -> str:
        try:
            both: str = g2p(text)[0]
        except (AssertionError, KeyError, IndexError):
            return str(spare(text)[0])
        return _spell(both[: len(both) // 2])

    return say


def _spell(phonemes: str) -> str:
    """From Misaki's alphabet for pyopenjtalk to the one of Kokoro v1.0."""
    for old, new in _SPELLING:
        phonemes = old.sub(new, phonemes)
    return phonemes
