"""Makes two texts comparable: their canonical forms differ only where they sound different.

Why not the original letters: a transcript with "9" for "nine", "colour" for "color" or traditional characters for simplified
ones is correct. Why readings in Japanese and Chinese: a homophone is no error of speech. Why consonants in Hindi: Whisper base
writes Hindi in Urdu letters, which omit short vowels. So both texts are romanised and lose their vowels (of three romanisers,
`anyascii` with these folds gives the smallest differences on correctly understood speech).
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

_VARIANTS: Final = Path(__file__).parent / "texts" / "variants.toml"
_NUMBER: Final = re.compile(r"\d+")
_JOINED: Final = re.compile(r"(?<=\w)['’](?=\w)")
_ALONE: Final = re.compile(r"(?<![\w'’])[ld](?![\w'’])")
_ELIDED: Final = {"fr": {"l": "elle", "d": "dé"}, "it": {"l": "elle", "d": "di"}}
"""Letters that are articles before an apostrophe, and otherwise have names."""
_MUTE_S: Final = re.compile(r"(?<=\w{3})s\b")
"""The plural in French, which is not heard."""
_NOT_WORD: Final = re.compile(r"[^\w]+|_")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_BETWEEN_HINDI: Final = re.compile(r"[^\w\u0900-\u0963\u0966-\u097f]+")
"""`re` does not count the vowel signs of Devanagari as letters, but they are parts of words."""
_VOWELS: Final = re.compile(r"[aeiouvwy']+")
"""Vowels, and also v and w: Urdu has one letter for both of these and for three vowels."""
_NOT_LATIN: Final = re.compile(r"[^a-z]+")
_DOUBLE: Final = re.compile(r"(.)\1+")
_HINDI_FOLDS: Final = {"sh": "s", "ph": "f", "kh": "k", "q": "k", "ch": "c", "z": "j", "h": ""}
"""Folds aspiration."""
_NASAL: Final = re.compile("[\u0901\u0902](?=[\u0904-\u0939])")
"""A nasal within a word, which Urdu writes as n."""
_NASAL_END: Final = re.compile("[\u0901\u0902ں]$")
"""A nasal vowel at the end of a word: a dot in Devanagari, a letter in Urdu that Whisper often leaves out."""
_LETTERS_IN_ORDER: Final = "abcdefghijklmnopqrstuvwxyz"
_NAMES_IN_ORDER: Final = (
    "エー,ビー,シー,ディー,イー,エフ,ジー,エイチ,アイ,ジェー,ケー,エル,エム,エヌ,オー,ピー,キュー,アール,エス,ティー,ユー,ブイ,"
    "ダブリュー,エックス,ワイ,ゼット"
)
_LETTER_NAMES: Final = dict(zip(_LETTERS_IN_ORDER, _NAMES_IN_ORDER.split(","), strict=True))
"""Names of letters in Japanese: pyopenjtalk leaves a letter that stands alone."""
_NUMBER_LANGUAGES: Final = {"en": "en", "es": "es", "fr": "fr", "it": "it", "pt": "pt_BR"}
_READ: Final = ("ja", "zh")


def is_read(language: str) -> bool:
    """Whether the units of `split` are readings of syllables, since the language puts no spaces between words."""
    return language.partition("-")[0] in _READ


def split(text: str, language: str) -> list[str]:
    """Returns the canonical words of `text`; for Japanese its kana, for Chinese its syllables in pinyin without tones."""
    subtag = language.partition("-")[0]
    return _SPLITTERS.get(subtag, _split_western)(unicodedata.normalize("NFKC", text), subtag)


def _split_western(text: str, subtag: str) -> list[str]:
    spoken = _NUMBER.sub(lambda match: f" {_in_words(match[0], subtag)} ", text.casefold())
    spoken = _ALONE.sub(lambda match: _ELIDED.get(subtag, {}).get(match[0], match[0]), spoken)
    spoken = _JOINED.sub("" if subtag == "en" else " ", spoken)
    plain = _without_accents(spoken).replace("œ", "oe").replace("ß", "ss")
    if subtag == "fr":
        plain = _MUTE_S.sub("", plain)
    variants = _variants(subtag)
    return [variants.get(word, word) for word in _NOT_WORD.sub(" ", plain).split()]


def _split_japanese(text: str, _: str) -> list[str]:
    import pyopenjtalk

    for written, meant in _variants("ja").items():
        text = text.replace(written, meant)
    kana: str = pyopenjtalk.g2p(_NOT_WORD.sub(" ", text), kana=True) if text.strip() else ""
    named = "".join(_LETTER_NAMES.get(sign.casefold(), sign) for sign in unicodedata.normalize("NFKC", kana))
    return [sign for sign in named if sign.isalnum() or sign == "ー"]


def _split_chinese(text: str, _: str) -> list[str]:
    import cn2an
    import zhconv
    from pypinyin import lazy_pinyin

    simplified = _NUMBER.sub(lambda match: cn2an.an2cn(match[0]), zhconv.convert(text, "zh-hans"))
    return lazy_pinyin("".join(_LETTERS.findall(simplified.casefold())))


def _split_hindi(text: str, _: str) -> list[str]:
    from anyascii import anyascii

    flapped = _NASAL.sub("न", text.replace("ड\u093c", "र").replace("ढ\u093c", "र"))
    return [
        skeleton
        for word in _BETWEEN_HINDI.sub(" ", flapped).split()
        if (skeleton := _skeleton(anyascii(_NASAL_END.sub("", word))))
    ]


def _skeleton(word: str) -> str:
    """Returns the consonants of a romanised word, without differences that only one of Devanagari and Urdu writes.

    Nasals are one: they are a dot in Devanagari and a letter in Urdu.
    """
    sounds = word.casefold()
    for spelling, sound in _HINDI_FOLDS.items():
        sounds = sounds.replace(spelling, sound)
    return _DOUBLE.sub(r"\1", _NOT_LATIN.sub("", _VOWELS.sub("", sounds))).replace("m", "n")


_SPLITTERS: Final[dict[str, Callable[[str, str], list[str]]]] = {
    "hi": _split_hindi,
    "ja": _split_japanese,
    "zh": _split_chinese,
}


def _in_words(digits: str, subtag: str) -> str:
    from num2words import num2words

    language = _NUMBER_LANGUAGES.get(subtag)
    return str(num2words(int(digits), lang=language)) if language else digits


def _without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


@cache
def _variants(subtag: str) -> dict[str, str]:
    table: dict[str, dict[str, str]] = tomllib.loads(_VARIANTS.read_text(encoding="utf-8"))
    return table.get(subtag, {})
