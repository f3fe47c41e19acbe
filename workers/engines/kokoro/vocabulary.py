"""Replaces phonemes that Kokoro does not know with the nearest phonemes that it knows.

Why a table: espeak-ng's languages have sounds that Kokoro was not trained on. If they were left out, a word would lose a
consonant or a syllable. With the nearest sound it has an accent.
"""

import unicodedata
from collections.abc import Collection, Sequence
from typing import Final

from workers.text.words import PhonemizedText

_NEAR: Final = {
    # The same sound in another notation.
    **{"g": "ɡ", "ɚ": "əɹ", "ɝ": "ɜɹ", "ˑ": "ː", "ʱ": "ʰ", "ʷ": "w"},
    # The nearest place of articulation; voicing is kept.
    **{"ɫ": "l", "ɭ": "l", "ɬ": "l", "ɮ": "l", "ʟ": "l", "ɱ": "m", "ɺ": "ɾ", "ʀ": "ʁ", "ʙ": "b", "ʍ": "w"},
    **{"ʑ": "ʒ", "ʐ": "ʒ", "ɧ": "ʃ", "ɦ": "h", "ħ": "h", "ʜ": "h", "ʕ": "ʔ", "ʢ": "ʔ", "ʡ": "ʔ", "ɢ": "ɡ"},
    # Implosives become plain stops.
    **{"ɓ": "b", "ɗ": "d", "ʄ": "ɟ", "ɠ": "ɡ", "ʛ": "ɡ"},
    # Vowels between two known vowels.
    **{"ɵ": "ɔ", "ʉ": "u", "ʏ": "y", "ɘ": "ə", "ɞ": "ɜ", "ɶ": "œ", "ʌ": "ɐ", "ᵿ": "ʊ"},
    # A syllabic consonant gets a short vowel.
    "\u0329": "ᵊ",
    # Modifiers of the sound before: dental, raised, lowered, unsyllabic, voiceless, pharyngeal, velar.
    **dict.fromkeys("\u032a\u031d\u031e\u032f\u0325\u0308\u0361ˤˠʼ^`-", ""),
    # The mark at the end of the sentence says the same.
    **dict.fromkeys("¿¡", ""),
}


def spell(phonemized: PhonemizedText, known: Collection[str]) -> tuple[PhonemizedText, int]:
    """Returns the text with phonemes of `known` only, and the number of phonemes without a replacement, which are left out."""
    if all(phoneme in known for phoneme in phonemized.phonemes):
        return phonemized, 0
    near = [_near(phoneme, known) for phoneme in phonemized.phonemes]
    return phonemized.replace(lambda i: "" if _is_redundant_space(near, i) else near[i] or ""), near.count(None)


def _is_redundant_space(near: Sequence[str | None], i: int) -> bool:
    """Whether phoneme `i` is a space after another space, or at the beginning."""
    return near[i] == " " and next((near[k] for k in range(i - 1, -1, -1) if near[k]), " ") == " "


def _near(phoneme: str, known: Collection[str]) -> str | None:
    if phoneme in known:
        return phoneme
    if phoneme in _NEAR:
        return "".join(one for one in _NEAR[phoneme] if one in known)
    # A letter composed with its mark: õ is o and a tilde.
    return "".join(one for one in unicodedata.normalize("NFD", phoneme) if one in known) or None
