"""Numbers as English words, and numbers in the form that the engines of other languages read.

Why num2words only for English and for ordinals: espeak-ng, cn2an and pyopenjtalk read plain cardinals well, but Misaki's
English reads every four digits as a year and every long number as a telephone number.
"""

import re
from typing import Final

from num2words import num2words

from workers.text.locales.structs import Western

MAX_DIGITS: Final = 15
"""Most digits of a number that is read as a whole. A longer number is said digit by digit."""

_FRACTIONS: Final = "1/2 1/3 2/3 1/4 3/4 1/5 2/5 3/5 4/5 1/6 5/6 1/7 1/8 3/8 5/8 7/8 1/9 1/10"
FRACTION_SIGNS: Final = dict(zip("½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒", _FRACTIONS.split(), strict=True))
"""Sign → fraction: ½ → 1/2."""

_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_AND: Final = re.compile(r" and ")
_NAMES: Final = {"pt": "pt_BR"}
"""Language → name that num2words has for it."""


def spell_digits(text: str) -> str:
    """The digits of `text`, each as an English word."""
    return " ".join(_DIGITS[int(digit)] for digit in text if digit.isascii() and digit.isdigit())


def part_digits(text: str) -> str:
    """The digits of `text` with spaces between them."""
    return " ".join(digit for digit in text if digit.isdigit())


def cardinal(text: str, *, british: bool) -> str:
    """`text` (digits) as English words: digit by digit when it begins with 0 or has more than `MAX_DIGITS` digits."""
    if len(text) > MAX_DIGITS or (len(text) > 1 and text[0] == "0"):
        return spell_digits(text)
    return _plain(num2words(int(text)), british=british)


def ordinal(text: str, *, british: bool) -> str:
    """`text` (digits) as an English ordinal, "twenty-first": digit by digit when it has more than `MAX_DIGITS` digits."""
    return _plain(num2words(int(text), to="ordinal"), british=british) if len(text) <= MAX_DIGITS else spell_digits(text)


def year(text: str, *, british: bool) -> str:
    """A year of up to four digits: "nineteen oh five", "two thousand five", "twenty twenty-four"."""
    if "2010" <= text <= "2099":
        return f"twenty {num2words(int(text[2:]))}"
    return _plain(num2words(int(text), to="year"), british=british).replace("oh-", "oh ")


def decimal(whole: str, fraction: str, *, british: bool) -> str:
    """A decimal in English, digit by digit after the point: "three point one four"; without a whole part, "point five"."""
    head = cardinal(whole, british=british) + " " if whole else ""
    return f"{head}point {spell_digits(fraction)}"


def _plain(words: str, *, british: bool) -> str:
    """Returns `words` without commas, which would be spoken as pauses, and without "and" in American English."""
    words = words.replace(",", "")
    return words if british else _AND.sub(" ", words)


def named_ordinal(n: int, language: str, *, is_feminine: bool = False) -> str:
    """The ordinal `n` in a Romance language that num2words knows: "vigésimo primero"."""
    words: str = num2words(n, lang=_NAMES.get(language, language), to="ordinal")
    if language == "fr":
        # num2words adds -ième to the plurals "vingts" and "cents".
        words = re.sub("(vingt|cent|million)sième", r"\1ième", words).replace("un millionième", "millionième")
        return "première" if is_feminine and n == 1 else words
    if is_feminine:
        words = " ".join(word[:-1] + "a" if word.endswith("o") else word for word in words.split())
    return words.replace("un milion", "milion") if language == "it" else words


def in_words(n: int, language: str) -> str:
    """The cardinal `n` as words of a Romance language: "ventuno"."""
    return str(num2words(n, lang=_NAMES.get(language, language))).replace(",", "")


START: Final = r"(?<![\w.,])"
"""The place where a number may begin: not within a word or another number."""
DASH: Final = "[-‐‑–—]"


def number(locale: Western) -> str:
    """A pattern of a number without a sign. Thousands are joined, except in English, where a comma shows that it is no year."""
    points = re.escape("".join(locale.points))
    grouped = "[0-9]{1,3}(?:,[0-9]{3}){1,8}+(?![0-9])|" if locale.language == "en" else ""
    return rf"(?:{grouped}[0-9]++)(?:[{points}][0-9]++)?+"


_ROMAN: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
ROMAN: Final = r"(?=[IVXLCDM])(?![LCDM](?![IVXLCDM]))M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?<=[IVXLCDM])"
"""Roman numerals from 1 to 3,999, except a single L, C, D or M, which is rather a letter."""


def from_roman(text: str) -> int:
    """The value of the Roman numeral `text`."""
    values = [_ROMAN[letter] for letter in text]
    return sum(-value if value < following else value for value, following in zip(values, [*values[1:], 0], strict=True))
