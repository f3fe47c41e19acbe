"""Marks and scripts, as every part that reads text knows them: what ends a sentence, what may stand around it, Han and kana.

Why here: captions and the lexicon of the API need them as well as the workers, and the API cannot import these.
"""

import re
from typing import Final

ENDS_BEFORE_SPACE: Final = ".!?…"
"""Marks that may end a sentence where white space, the end of the text, or Han or kana follow."""
ENDS_ANYWHERE: Final = "。！？｡．।॥۔؟"
"""Marks that end a sentence whatever follows: of Chinese, Japanese, Hindi and its neighbours, Urdu and Arabic."""
SENTENCE_ENDS: Final = ENDS_BEFORE_SPACE + ENDS_ANYWHERE

PAUSES_BEFORE_SPACE: Final = ",;:"
"""Marks that end a clause where white space follows."""
PAUSES_ANYWHERE: Final = "，、；：،؛"
"""Marks that end a clause whatever follows."""
CLAUSE_ENDS: Final = PAUSES_BEFORE_SPACE + PAUSES_ANYWHERE
COLONS: Final = ":："
DASHES: Final = "–—"
"""They end a clause as well."""

CLOSERS: Final = "\"'”’»›)]}」』】）》〉〕］｝"
"""Quotation marks and brackets that may stand after the mark that ends a sentence."""
OPENERS: Final = "\"'“‘«‹([{「『【（《〈〔［｛¿¡"
"""Marks that may stand before the first letter of a sentence."""
EMPHASIS: Final = "*_"
"""Markdown's marks, which may stand around a sentence as quotation marks do."""

HAN_AND_KANA: Final = "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
"""Ranges for a class of characters: scripts without spaces between words. With the iteration mark 々, 〆 and the zero 〇, kana
of half width, and Han beyond the first 65,536 characters.
"""
HANGUL: Final = "\uac00-\ud7af"
"""A range for a class of characters."""
EAST_ASIAN_MARKS: Final = "\u3000-\u3004\u3008-\u303f"
"""A range for a class of characters: the space, the marks and the brackets of Chinese and Japanese."""


def in_class(characters: str) -> str:
    """`characters` as they stand within the brackets of a pattern."""
    return re.escape(characters)
