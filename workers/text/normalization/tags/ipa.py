"""Converts phonemes in IPA to Misaki's alphabet, with which Kokoro was trained."""

import re
import unicodedata
from typing import Final

from app.core.speech.phonemes import unknown_phonemes

_IPA: Final = frozenset({"ipa", "", "i"})
_MISAKI: Final = frozenset({"misaki", "x-misaki", "kokoro", "x-kokoro"})
_SAME: Final = {
    "'": "ˈ", "’": "ˈ", "ˌ": "ˌ", ",": "ˌ", ":": "ː", "ˑ": "", "͡": "", "͜": "", ".": "", "‿": "", "|": "", "-": "", "˞": "ɹ",
    "g": "ɡ", "ɫ": "l", "ᵻ": "ᵻ", "ʧ": "ʧ", "ɝ": "ɜɹ", "ɚ": "əɹ", "ǝ": "ə", "∫": "ʃ", "ʦ": "ʦ", "ɕ": "ɕ",
    "\u0329": "", "\u032f": "", "\u0325": "", "\u030a": "", "\u031a": "", "\u032a": "", "\u02e1": "",
}  # fmt: skip
_AFFRICATES: Final = {"tʃ": "ʧ", "dʒ": "ʤ", "ts": "ʦ", "dz": "ʣ", "tɕ": "ʨ", "dʑ": "ʥ"}
_ENGLISH: Final = {
    "eɪ": "A", "ei": "A", "aɪ": "I", "ai": "I", "ɑɪ": "I", "ɔɪ": "Y", "ɔi": "Y", "oɪ": "Y", "aʊ": "W", "au": "W", "ɑʊ": "W",
    "tʃ": "ʧ", "dʒ": "ʤ", "r": "ɹ", "x": "k", "ɒ": "ɑ", "ʍ": "w",
}  # fmt: skip
_AMERICAN: Final = {
    "oʊ": "O",
    "əʊ": "O",
    "ou": "O",
    "ɜːɹ": "ɜɹ",
    "ɜː": "ɜɹ",
    "ː": "",
    "ɾ": "T",
    "e": "ɛ",
    "ɐ": "ə",
    "o": "ɔ",
    "a": "æ",
}
_BRITISH: Final = {"æ": "a", "əʊ": "Q", "oʊ": "Q", "ou": "Q", "eə": "ɛː", "ɒ": "ɒ", "e": "ɛ", "ɐ": "ʌ", "ɾ": "t"}
_VOWELS: Final = "AIOQWYaeiouyæøœɐɑɒɔəɘɚɛɜɝɞɤɨɪɯɵʉʊʌʏᵊᵻɶ"
_STRESS: Final = re.compile(rf"([ˈˌ])([^\s{_VOWELS}ˈˌ]{{1,6}}+)(?=[{_VOWELS}])")


def to_misaki(phonemes: str, alphabet: str, language: str) -> str:
    """Returns phonemes in Misaki's alphabet; empty if one is not known. `alphabet` is SSML's; `language` a BCP 47 tag."""
    text = phonemes.strip().strip("/[]")
    alphabet = alphabet.lower()
    if alphabet in _IPA:
        text = _from_ipa(text, language.lower())
    elif alphabet not in _MISAKI:
        return ""
    text = " ".join(text.split())
    return "" if len(text) > 200 or unknown_phonemes(text) else text


def _from_ipa(ipa: str, language: str) -> str:
    # Not in NFC: it would join a letter and the tilde of a nasal vowel, which is a phoneme of its own.
    plain = _replace(unicodedata.normalize("NFD", ipa).replace("c\u0327", "ç"), _SAME)
    if not language.startswith("en"):
        return _move_stress(_replace(plain, _AFFRICATES))
    table = _ENGLISH | (_BRITISH if language == "en-gb" else _AMERICAN)
    said = _replace(plain.replace("r", "ɹ"), table)
    return _move_stress(re.sub("ɹɹ++", "ɹ", said))


def _move_stress(phonemes: str) -> str:
    """Moves each mark of stress from the beginning of its syllable to the vowel, where Misaki has it."""
    return _STRESS.sub(r"\2\1", phonemes)


def _replace(text: str, table: dict[str, str]) -> str:
    pattern = "|".join(sorted(map(re.escape, table), key=len, reverse=True))
    return re.sub(pattern, lambda match: table[match[0]], text)
