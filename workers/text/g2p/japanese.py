"""G2P of Japanese: the readings of pyopenjtalk through Misaki, in the spelling that Kokoro v1.0 was trained on.

Why not Misaki's own default: it needs a dictionary of half a gigabyte, downloaded separately; pyopenjtalk-plus includes one.
Misaki's spelling for pyopenjtalk belongs to a later model; the replacements below turn it into the alphabet of v1.0.

Why some Latin words are said as English: pyopenjtalk does not know them and would spell them letter by letter.
"""

import contextlib
import io
import logging
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from workers.text.g2p import english
from workers.text.g2p.alignment import AlignedSpan, phonemize_in_parts
from workers.text.g2p.kana import find_tokens, find_unread, has_latin
from workers.text.g2p.misaki_espeak import EspeakG2P

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


_FAILURES: Final = (AssertionError, KeyError, IndexError)
"""Errors of Misaki on text that it does not expect."""


class _Token(msgspec.Struct, frozen=True):
    """A word as pyopenjtalk divides the text, and its place in the text."""

    first: int
    last: int
    phonemes: str
    """Phonemes in Misaki's spelling."""
    n_moras: int


def make(language: str, english_model: str | None) -> Callable[[str], list[AlignedSpan]]:
    """Returns the G2P of `ja`. `english_model`, for Latin words, is the result of `workers.text.g2p.tagger.find`."""
    logging.getLogger("phonemizer").disabled = True
    g2p = JAG2P(version="pyopenjtalk", unk="")
    spare = EspeakG2P(language="ja")
    phonemize_latin = english.make("en-US", english_model)

    def read(text: str) -> tuple[str, list[_Token]]:
        both, tokens = g2p(text)
        places = find_tokens(text, [token.text for token in tokens])
        found = (_Token(*place, token.phonemes or "", token._.mora_size) for place, token in zip(places, tokens, strict=True))
        return both[: len(both) // 2], list(found)

    def phonemize(text: str) -> list[AlignedSpan]:
        try:
            return _place(text, *read(text))
        except _FAILURES:
            return [AlignedSpan(0, len(text), str(spare(text)[0]))]

    def find_latin(text: str) -> list[tuple[int, int]]:
        try:
            return find_unread(text, read(text)[1]) if has_latin(text) else []
        except _FAILURES:
            return find_unread(text, [])

    return lambda text: phonemize_in_parts(text, ((start, end, phonemize_latin) for start, end in find_latin(text)), phonemize)


def _place(text: str, phonemes: str, tokens: Sequence[_Token]) -> list[AlignedSpan]:
    """Returns the phonemes in Kokoro's spelling, each token's with the part of `text` that it was read from."""
    aligned: list[AlignedSpan] = []
    at = 0
    for token in tokens:
        begin = phonemes.find(token.phonemes, at)
        if not token.phonemes or begin < 0:
            continue
        aligned.append(AlignedSpan(token.first, token.last, phonemes[at:begin] + _spell(token.phonemes)))
        at = begin + len(token.phonemes)
    whole = _spell(phonemes)
    if "".join(one.phonemes for one in aligned) + phonemes[at:] != whole:
        return [AlignedSpan(0, len(text), whole)]
    return aligned


def _spell(phonemes: str) -> str:
    """Converts phonemes from Misaki's alphabet for pyopenjtalk to the alphabet of Kokoro v1.0."""
    for old, new in _SPELLING:
        phonemes = old.sub(new, phonemes)
    return phonemes
