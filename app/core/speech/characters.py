"""Marks and scripts, for every module that reads text: ends of sentences, the marks around them, Han and kana.

Why here: captions and the lexicon of the API need them as well as the workers, and the API cannot import the workers.
"""

import re
from typing import Final

ENDS_BEFORE_SPACE: Final = ".!?…"
"""Marks that may end a sentence before white space, the end of the text, or Han and kana."""
ENDS_ANYWHERE: Final = "。！？｡．।॥۔؟"
"""Marks that end a sentence before anything: of Chinese, Japanese, Hindi and related languages, Urdu and Arabic."""
SENTENCE_ENDS: Final = ENDS_BEFORE_SPACE + ENDS_ANYWHERE

PAUSES_BEFORE_SPACE: Final = ",;:"
"""Marks that end a clause before white space."""
PAUSES_ANYWHERE: Final = "，、；：،؛"
"""Marks that end a clause before anything."""
CLAUSE_ENDS: Final = PAUSES_BEFORE_SPACE + PAUSES_ANYWHERE
COLONS: Final = ":："
DASHES: Final = "–—"
"""Dashes, which also end a clause."""

CLOSERS: Final = "\"'”’»›)]}」』】）》〉〕］｝"
"""Quotation marks and brackets that may follow the mark at the end of a sentence."""
OPENERS: Final = "\"'“‘«‹([{「『【（《〈〔［｛¿¡"
"""Marks that may precede the first letter of a sentence."""
EMPHASIS: Final = "*_"
"""Markdown's marks, which may surround a sentence like quotation marks."""

HAN_AND_KANA: Final = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
"""Ranges for a character class: scripts without spaces between words. Includes the iteration mark 々, 〆 and the zero 〇,
half-width kana, and Han beyond the first 65,536 characters.
"""
HANGUL: Final = "\uac00-\ud7af"
"""A range for a character class."""
EAST_ASIAN_MARKS: Final = "\u3000-\u3004\u3008-\u303f"
"""Ranges for a character class: the space, the marks and the brackets of Chinese and Japanese."""


def in_class(characters: str) -> str:
    """`characters`, escaped for use within the brackets of a pattern."""
    return re.escape(characters)
