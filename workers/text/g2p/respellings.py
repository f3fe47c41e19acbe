"""Writes words that espeak-ng says wrongly in another spelling, which it says rightly. The words are in the locales.

Why spellings and not phonemes: a speaker of the language can mend them, and the stress of the sentence stays espeak-ng's.
"""

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import Final

from workers.text.locales import loader
from workers.text.locales.groups import Respellings

_Replacements = tuple[tuple[re.Pattern[str], str], ...]

_WORD: Final = re.compile(r"(?:[^\W\d_]|[\u0900-\u0903\u093a-\u094d])++")
"""A word; Python's `\\w` does not know the marks of Devanagari."""
_MIN_LENGTH: Final = 4
"""Letters of the shortest word to which the patterns apply: TH and THC are spelled."""


def respell(text: str, language: str) -> str:
    """Returns `text` in the spelling that espeak-ng says as `language` (BCP 47 tag) is spoken."""
    table = loader.find(language).respellings
    for pattern, replacement in _compiled(language)[0]:
        text = pattern.sub(replacement, text)
    return _WORD.sub(partial(_respell_word, table, language), text) if table.words or table.patterns else text


def _respell_word(table: Respellings, language: str, match: re.Match[str]) -> str:
    word = match[0].lower()
    if word in table.words:
        return table.words[word]
    if len(word) < _MIN_LENGTH or word in table.keep:
        return match[0]
    for pattern, replacement in _compiled(language)[1]:
        word = pattern.sub(replacement, word)
    return match[0] if word == match[0].lower() else word


@cache
def _compiled(language: str) -> tuple[_Replacements, _Replacements]:
    """The elided words and the patterns within words, each with its replacement."""
    table = loader.find(language).respellings
    elided = {rf"(?<!\w){re.escape(old)}(?=[aeiouèé])": new for old, new in table.elided.items()}
    return _compile(elided), _compile(table.patterns)


def _compile(replacements: Mapping[str, str]) -> _Replacements:
    return tuple((re.compile(old, re.IGNORECASE), new) for old, new in replacements.items())
