"""Decides which mark ends an item of a list, a row of a table or a line.

Why a semicolon after short forms: in "3 oz. milk" the full stop belongs to the unit and the sentence goes on. At the end of an
item it would be lost in the same way if the next item begins with a small letter or a number.
"""

import re
from functools import cache
from typing import Final

from app.core.speech.characters import CLAUSE_ENDS, SENTENCE_ENDS
from app.core.speech.sentence_words import all_abbreviations
from workers.text.locales import loader
from workers.text.locales.structs import Locale

ENDED: Final = frozenset(SENTENCE_ENDS + CLAUSE_ENDS)
_EMPHASIS: Final = "*_`"
_MEASURE: Final = re.compile(r"[0-9½⅓⅔¼¾⅛⅜⅝⅞] ?(?:[A-Za-zµμ°]{1,5}|[A-Za-z]{1,4}/[A-Za-z]{1,4})[²³]?\.?\Z")
_PER: Final = re.compile(r"/[a-z]{1,3}\.\Z")
_SHORT: Final = re.compile(r"(?:\A|[\s(\"'])(?P<word>[^\W\d_]{1,7})\.\Z")
INITIALS: Final = re.compile(r"(?:(?<=[\s(\"'])|\A)(?:[A-Z]\.){1,4}[A-Z]\.\Z|Ph\.D\.\Z")
"""Initials at the end of a text, whose last full stop ends no sentence."""
_MARKS: Final = re.compile(r"(?:[ \t]*+(?:[-+•|>#]|\*(?![^\s*])|\[[ xX]\])[ \t]++|[\n \t*_`\"'(|]++)*+")
_NUMBERED: Final = re.compile(r"[0-9]{1,3}[.)][ \t]")
_NEAR: Final = 60


def end_item(item: str, following: str, locale: Locale) -> str | None:
    """Returns `item` with the mark that ends it before the text `following`; None if it needs none."""
    bare = item.rstrip().rstrip(_EMPHASIS)
    if bare.split()[-1:] and bare.split()[-1] in locale.conjunctions:
        return None
    if is_short(bare) and not _begins_sentence(following):
        return item + ";"
    if bare[-1:] in ENDED:
        return None
    is_measure = _MEASURE.search(bare[-_NEAR:]) is not None
    return item + (";" if is_measure and locale.has_spaces and not _begins_sentence(following) else locale.full_stop)


def is_short(text: str) -> bool:
    """Whether the last character of `text` is the full stop of a short form: 3 oz., Ph.D., temp., $/mo."""
    text = text[-_NEAR:]
    if text[-1:] != ".":
        return False
    if _PER.search(text) is not None or _MEASURE.search(text) is not None or INITIALS.search(text) is not None:
        return True
    match = _SHORT.search(text)
    return match is not None and match["word"].lower() in short_forms()


def _begins_sentence(text: str) -> bool:
    """Whether `text`, without the marks of an item, begins with a capital or the number of an item, or there is none."""
    if text.startswith("\n\n"):
        return True
    start = _MARKS.match(text[:_NEAR])
    rest = text[start.end() if start else 0 :]
    return not rest[:1] or not (rest[0].islower() or rest[0].isdigit()) or _NUMBERED.match(rest) is not None


@cache
def short_forms() -> frozenset[str]:
    """Returns the abbreviations of all languages in small letters, without their last full stop."""
    return all_abbreviations() | {
        short.lower().rstrip(".")
        for locale in (*loader.all_locales(), loader.everywhere())
        for name in ("abbreviations", "before_number")
        for short in getattr(locale, name, {})
    }
