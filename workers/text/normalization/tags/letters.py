"""Spells a text: its letters, digits and signs one by one."""

import unicodedata
from collections.abc import Sequence
from typing import Final

from workers.text.locales import loader
from workers.text.locales.structs import EastAsian, Western
from workers.text.normalization import numerals

_BETWEEN: Final = {"zh": "、", "ja": "、"}
_SPACE_BETWEEN: Final = ","


def spell(text: str, language: str) -> str | None:
    """Returns the characters of `text` as they are spelled in `language` (BCP 47 tag); None if there is nothing to spell."""
    words: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        if unicodedata.category(character).startswith("M") and words:
            # The vowel of a letter of Devanagari belongs to it.
            words[-1] += character
        elif character.isspace():
            words[-1:] = [words[-1] + _SPACE_BETWEEN] if words and words[-1][-1] != _SPACE_BETWEEN else words[-1:]
        elif word := _say(character, language):
            words.append(word)
    return " ".join(words).rstrip(_SPACE_BETWEEN) or None


def spell_digits(text: str, language: str, words: Sequence[str] | None = None) -> str | None:
    """Returns the digits of `text` one by one; None without any. `words`: the words for the digits, if not the usual ones."""
    digits = [character for character in text if character.isascii() and character.isdigit()]
    between = _BETWEEN.get(language.partition("-")[0].lower(), " ")
    return between.join(words[int(digit)] if words else _say(digit, language) for digit in digits) or None


def _say(character: str, language: str) -> str:
    """Returns the name of a character; empty for a sign without one."""
    locale = loader.find(language)
    if character.isdigit():
        n = unicodedata.digit(character)
        if language.partition("-")[0].lower() == "en":
            return numerals.spell_digits(str(n))
        return locale.say_as.digits[n] if locale.say_as.digits else str(n)
    if character.isalpha():
        upper = character.upper() if len(character.upper()) == 1 else character
        return locale.say_as.letters.get(upper) or _letter(upper, language)
    signs = locale.address if isinstance(locale, Western | EastAsian) else {}
    return locale.say_as.signs.get(character) or signs.get(character, "")


def _letter(letter: str, language: str) -> str:
    locale = loader.find(language)
    names = locale.initialisms.letters if isinstance(locale, Western) else {}
    return names.get(letter, letter)
