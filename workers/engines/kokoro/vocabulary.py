"""Kokoro's alphabet: what the model reads, and the nearest it has to what it does not.

Why a table: espeak-ng's languages have sounds that Kokoro was never taught. Left out, a word loses a consonant or a syllable;
with the sound beside it in the mouth it is said with an accent.
"""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

from workers.text.words import Said

_NEAR: Final = {
    # The same sound, written another way.
    **{"g": "ɡ", "ɚ": "əɹ", "ɝ": "ɜɹ", "ˑ": "ː", "ʱ": "ʰ", "ʷ": "w"},
    # Voiced and voiceless are kept, the place is the nearest.
    **{"ɫ": "l", "ɭ": "l", "ɬ": "l", "ɮ": "l", "ʟ": "l", "ɱ": "m", "ɺ": "ɾ", "ʀ": "ʁ", "ʙ": "b", "ʍ": "w"},
    **{"ʑ": "ʒ", "ʐ": "ʒ", "ɧ": "ʃ", "ɦ": "h", "ħ": "h", "ʜ": "h", "ʕ": "ʔ", "ʢ": "ʔ", "ʡ": "ʔ", "ɢ": "ɡ"},
    # Implosives are the plain stops.
    **{"ɓ": "b", "ɗ": "d", "ʄ": "ɟ", "ɠ": "ɡ", "ʛ": "ɡ"},
    # Vowels between two that there are.
    **{"ɵ": "ɔ", "ʉ": "u", "ʏ": "y", "ɘ": "ə", "ɞ": "ɜ", "ɶ": "œ", "ʌ": "ɐ", "ᵿ": "ʊ"},
    # A consonant that is a syllable has a short vowel about it.
    "\u0329": "ᵊ",
    # Finer shades of the sound before: dental, raised, lowered, unsyllabic, voiceless, pharyngeal, velar.
    **dict.fromkeys("\u032a\u031d\u031e\u032f\u0325\u0308\u0361ˤˠʼ^`-", ""),
    # The mark at the other end of the sentence says it already.
    **dict.fromkeys("¿¡", ""),
}


def spell(said: Said, known: Collection[str]) -> tuple[Said, int]:
    """`said` in phonemes of `known` alone, and how many phonemes had nothing near them and were left out."""
    if all(phoneme in known for phoneme in said.phonemes):
        return said, 0
    near = [_near(phoneme, known) for phoneme in said.phonemes]
    return said.replace(lambda i: "" if _is_idle(near, i) else near[i] or ""), near.count(None)


def _is_idle(near: Sequence[str | None], i: int) -> bool:
    """Whether it is a space with only another space left before it."""
    return near[i] == " " and next((near[k] for k in range(i - 1, -1, -1) if near[k]), " ") == " "


def _near(phoneme: str, known: Collection[str]) -> str | None:
    if phoneme in known:
        return phoneme
    if phoneme in _NEAR:
        return "".join(one for one in _NEAR[phoneme] if one in known)
    # A letter that has its mark in it: õ for o and a tilde.
    return "".join(one for one in unicodedata.normalize("NFD", phoneme) if one in known) or None
