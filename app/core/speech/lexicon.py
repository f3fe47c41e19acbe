"""The operator's pronunciations: `KOE_LEXICON`, a TOML file of words and phonemes, for one language or for all.

Why the API looks words up and not a worker: pronunciations are part of the sound, so they belong to the utterance and its
digest. Only the few entries that the text needs are sent.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from app.core.errors import SettingsError
from app.core.speech.characters import HAN_AND_KANA
from app.core.speech.phonemes import unknown_phonemes

ALL: Final = "all"
"""The table of the file for every language."""

WORD: Final = re.compile(r"\w+(?:['’.&+-]\w+)*")
"""One word, in scripts with spaces between words."""

_UNSPACED: Final = re.compile(f"[{HAN_AND_KANA}]")

Pronunciations = tuple[tuple[str, str], ...]
"""Pairs of word and phonemes in Misaki's alphabet, sorted."""


class Lexicon:
    """Words and their phonemes. Case is ignored, unless a word in the file has capitals."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """`tables`: a BCP 47 tag, its language alone (`en`), or ALL → word → phonemes."""
        self._tables = {tag.lower(): dict(table) for tag, table in (tables or {}).items()}

    def entries(self, text: str, language: str) -> Pronunciations:
        """The entries of the words in `text`; the table for the more specific language takes precedence."""
        tag = language.lower()
        table: dict[str, str] = {}
        for name in (ALL, tag.partition("-")[0], tag):
            table |= self._tables.get(name, {})
        if not table:
            return ()
        words = set(WORD.findall(text))
        words |= {word.lower() for word in words} | {word for word in table if is_unspaced(word) and word in text}
        return tuple(sorted((word, table[word]) for word in words & table.keys()))


def is_unspaced(word: str) -> bool:
    """Whether the word is in Han or kana, which have no spaces between words."""
    return _UNSPACED.search(word) is not None


def read_lexicon(file: Path | None) -> Lexicon:
    """The lexicon in a file; an empty one for None. Raises SettingsError for an invalid file."""
    if file is None:
        return Lexicon()
    try:
        tables = msgspec.toml.decode(file.read_bytes(), type=dict[str, dict[str, str]])
    except (OSError, ValueError) as error:
        raise SettingsError(f"KOE_LEXICON: {file} cannot be read ({error}).") from None
    for table in tables.values():
        for word, phonemes in table.items():
            if not WORD.fullmatch(word):
                raise SettingsError(f"KOE_LEXICON: {word!r} in {file} is not one word.")
            if not phonemes or (unknown := unknown_phonemes(phonemes)):
                raise SettingsError(
                    f"KOE_LEXICON: the phonemes of {word!r} in {file} are not Misaki's ({unknown if phonemes else 'empty'})."
                )
    return Lexicon(tables)


def merged(own: Pronunciations, lexicon: Pronunciations) -> Pronunciations:
    """The entries of both. An entry of `own` replaces the entry of `lexicon` for the same word, whatever its capitals."""
    known = {word.lower() for word, _ in own}
    return tuple(sorted([*own, *(entry for entry in lexicon if entry[0].lower() not in known)]))
