"""The words for a number in figures: as a quantity, digit by digit, in pairs of digits, as an ordinal.

Why several: a transcript has the same figures for all of them, so it does not tell which was spoken.
"""

from functools import cache
from typing import Final

_LIBRARY: Final = {"en": "en", "es": "es", "fr": "fr", "it": "it", "pt": "pt_BR"}
"""Languages that num2words knows."""
_OTHER_FORMS: Final = {
    "en": ((" and ", " "),),
    "es": (("uno", "un"), ("uno", "una"), ("ientos", "ientas")),
    "fr": (("un", "une"),),
    "it": (("uno", "un"), ("uno", "una")),
    "pt": (("um", "uma"), ("dois", "duas"), ("entos", "entas")),
    "zh": (("二", "两"),),
}
"""Parts of a number that have another form: before a feminine noun, or in another country."""
_MIN_SPELLED: Final = {"zh": 2}
"""Digits from which a number may be said digit by digit; elsewhere 3."""
_ROMAN: Final = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_BY_SIGN: Final = ("ja", "zh")
"""Languages without spaces."""
_JAPANESE_DIGITS: Final = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_HINDI_SCALES: Final = ((10_000_000, "करोड़"), (100_000, "लाख"), (1000, "हज़ार"), (100, "सौ"))


def quantities(digits: str, subtag: str) -> list[str]:
    """Returns the words for a quantity, in each form that agrees with some noun."""
    words = quantity(int(digits), subtag)
    return list(dict.fromkeys([words, *(words.replace(one, other) for one, other in _OTHER_FORMS.get(subtag, ()))]))


def whole_numbers(digits: str, subtag: str) -> list[str]:
    """Returns all words for figures without a mark: a quantity, a year, a telephone number, the number of a train."""
    said = [] if digits[0] == "0" and len(digits) > 1 else quantities(digits, subtag)
    if len(digits) >= _MIN_SPELLED.get(subtag, 3) or not said:
        one_by_one = digit_by_digit(digits, subtag)
        said += [one_by_one, one_by_one.replace("一", "幺")] if subtag in _BY_SIGN else [one_by_one, in_pairs(digits, subtag)]
    return said


@cache
def quantity(number: int, subtag: str) -> str:
    """Returns the words for a quantity, or its figures in a language without number words here."""
    if subtag == "hi":
        return _in_hindi(number)
    if subtag == "zh":
        return _in_chinese(number)
    return _by_library(number, subtag, "cardinal")


def digit_by_digit(digits: str, subtag: str) -> str:
    """Returns the names of the digits."""
    if subtag == "ja":
        return "".join(_JAPANESE_DIGITS[int(digit)] for digit in digits)
    return ("" if subtag in _BY_SIGN else " ").join(quantity(int(digit), subtag) for digit in digits)


def in_pairs(digits: str, subtag: str) -> str:
    """Returns the numbers of two digits each, the first of one if their count is odd: 1984, 737."""
    first = len(digits) % 2
    pairs = [digits[:first]] * first + [digits[at : at + 2] for at in range(first, len(digits), 2)]
    return " ".join(_pair(pair, subtag) for pair in pairs)


def _pair(pair: str, subtag: str) -> str:
    if len(pair) == 1 or pair[0] != "0":
        return quantity(int(pair), subtag)
    if subtag == "en":
        return "hundred" if pair == "00" else f"oh {quantity(int(pair), subtag)}"
    return digit_by_digit(pair, subtag)


def ordinals(digits: str, subtag: str) -> list[str]:
    """Returns the words for the ordinal: in English and French one; in Spanish, Italian and Portuguese also the feminine."""
    words = _by_library(int(digits), subtag, "ordinal").replace("vingtsième", "vingtième")
    shortened = {"primero": "primer", "tercero": "tercer"}.get(words, words)
    feminine = words[:-1] + "a" if words.endswith("o") else words.replace("premier", "première")
    return list(dict.fromkeys([words, words.replace(" and ", " "), shortened, feminine]))


def roman(letters: str) -> str:
    """Returns a Roman numeral in figures."""
    values = [_ROMAN[letter] for letter in letters]
    return str(sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True)))


def _by_library(number: int, subtag: str, kind: str) -> str:
    from num2words import num2words

    language = _LIBRARY.get(subtag)
    return str(num2words(number, lang=language, to=kind)).replace(",", "") if language else str(number)


def _in_chinese(number: int) -> str:
    import cn2an

    return str(cn2an.an2cn(str(number)))


def _in_hindi(number: int) -> str:
    """Number names are Koe's own: no library has them."""
    from workers.text.locales import loader

    parts: list[str] = []
    for value, name in _HINDI_SCALES:
        count, number = divmod(number, value)
        if count:
            parts += [_in_hindi(count), name]
    return " ".join(parts + [loader.hindi().numerals[number]] * (number > 0 or not parts))
