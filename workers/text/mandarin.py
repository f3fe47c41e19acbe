"""G2P of Mandarin: Misaki's, with Latin words among the characters said as English.

Why the calls inside of Misaki's: as a whole it fails on text that is empty once its punctuation is mapped, takes Latin letters
for phonemes, and leaves numbers over 16 digits unsaid.
"""

import logging
import re
import warnings
from collections.abc import Callable
from typing import Final

import cn2an
import jieba
from misaki.zh import ZHG2P

from workers.text import english

_LATIN: Final = re.compile(r"([A-Za-zÀ-ɏ]+(?:[ '-]+[A-Za-zÀ-ɏ]+)*)")
_LONG_NUMBER: Final = re.compile(r"\d{17,}")
_DIGITS: Final = str.maketrans("0123456789", "零一二三四五六七八九")


def make(language: str) -> Callable[[str], str]:
    """The G2P of `zh`."""
    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    say_latin = english.make("en-US")

    def g2p(text: str) -> str:
        parts = _LATIN.split(_spell_numbers(text))
        return " ".join(say_latin(part) if i % 2 else _say(part) for i, part in enumerate(parts) if part.strip())

    return g2p


def _spell_numbers(text: str) -> str:
    digit_by_digit = _LONG_NUMBER.sub(lambda match: match[0].translate(_DIGITS), text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        spelled: str = cn2an.transform(digit_by_digit, "an2cn")
    return spelled.translate(_DIGITS)


def _say(text: str) -> str:
    plain = ZHG2P.map_punctuation(text)
    return str(ZHG2P.legacy_call(plain)) if plain else ""
