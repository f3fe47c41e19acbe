"""G2P of Japanese: the readings of pyopenjtalk in Misaki's phonemes, in the spelling that Kokoro v1.0 was trained on.

Why not Misaki's G2P as a whole: by default it needs a dictionary of half a gigabyte, downloaded separately. With pyopenjtalk it
takes no readings of ours and fails on words that it does not expect.
Misaki's spelling for pyopenjtalk belongs to a later model; the replacements below turn it into the alphabet of v1.0.

Why some Latin words are said as English: pyopenjtalk does not know them and would spell them letter by letter.
"""

import contextlib
import io
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from workers.text.g2p.alignment import AlignedSpan, phonemize_in_parts
from workers.text.g2p.english import english
from workers.text.g2p.japanese import openjtalk
from workers.text.g2p.japanese.kana import find_tokens, find_unread, has_latin
from workers.text.g2p.japanese.openjtalk import Feature

with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
    from misaki.ja import JAG2P, M2P, PUNCT_MAP, PUNCT_STARTS, PUNCT_STOPS, PUNCT_VALUES, TAILS

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


class _Token(msgspec.Struct, frozen=True):
    """A word as pyopenjtalk divides the text, and its place in the text."""

    first: int
    last: int
    phonemes: str
    """Phonemes, with the space before them."""
    n_moras: int


def make(language: str, english_model: str | None) -> Callable[[str], list[AlignedSpan]]:
    """Returns the G2P of `ja`. `english_model`, for Latin words, is the result of `workers.text.g2p.english.tagger.find`."""
    phonemize_latin = english.make("en-US", english_model)

    def find_latin(text: str) -> list[tuple[int, int]]:
        return find_unread(text, _read(text)) if has_latin(text) else []

    return lambda text: phonemize_in_parts(text, ((start, end, phonemize_latin) for start, end in find_latin(text)), _phonemize)


def _phonemize(text: str) -> list[AlignedSpan]:
    return [AlignedSpan(token.first, token.last, token.phonemes) for token in _read(text) if token.phonemes]


def _read(text: str) -> list[_Token]:
    features = openjtalk.read(text)
    places = find_tokens(text, [PUNCT_MAP.get(one["string"], one["string"]) for one in features])
    said = _say(features)
    return [_Token(*place, *one) for place, one in zip(places, said, strict=True)]


def _say(features: Sequence[Feature]) -> list[tuple[str, int]]:
    """Returns the phonemes of each word, with the space before it, and its length in moras.

    Spaces are where Misaki puts them: between two accent phrases, after marks, and before brackets that open.
    """
    said: list[tuple[str, int]] = []
    last, gap, was_word = "", "", False
    for feature in features:
        moras = JAG2P.pron2moras(feature["pron"]) if feature["mora_size"] > 0 else []
        mark = PUNCT_MAP.get(feature["string"], feature["string"])
        if moras:
            is_chained = was_word and (feature["chain_flag"] == 1 or moras[0] == "ー")
            is_apart = not is_chained and last[-1:] in TAILS and moras[0] != "ン"
            last = "".join(M2P[mora] for mora in moras)
            said.append(((gap or " " * is_apart) + _spell(last), len(moras)))
            gap, was_word = "", True
        elif mark and all(one in PUNCT_VALUES for one in mark):
            is_stop = mark[-1] in PUNCT_STOPS
            before = "" if is_stop else gap or " " * (mark[-1] in PUNCT_STARTS and bool(last))
            said.append((before + mark, 0))
            last, gap, was_word = mark, " " * is_stop, False
        else:
            is_space = mark == "・" or not mark.strip()
            gap, was_word = (" " if is_space and last else gap), was_word and is_space
            said.append(("", 0))
    return said


def _spell(phonemes: str) -> str:
    """Converts phonemes from Misaki's alphabet for pyopenjtalk to the alphabet of Kokoro v1.0."""
    for old, new in _SPELLING:
        phonemes = old.sub(new, phonemes)
    return phonemes
