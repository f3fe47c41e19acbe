"""How the operator wants words said: `KOE_LEXICON`, a TOML file of words and phonemes, by language or for all of them.

Why the API looks words up and not a worker: what a text's words are said like is part of its sound, so it belongs to the
utterance and its digest; and only the few entries that the text needs travel.
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
"""The table of the file that holds for every language."""

WORD: Final = re.compile(r"\w+(?:['’.&+-]\w+)*")
"""One word, in scripts that put spaces between them."""

_UNSPACED: Final = re.compile(f"[{HAN_AND_KANA}]")

Pronunciations = tuple[tuple[str, str], ...]
"""Pairs of word and phonemes in Misaki's alphabet, sorted."""


class Lexicon:
    """Words and their phonemes. Capitals do not matter, unless a word is written with them in the file."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """`tables`: a BCP 47 tag, its language alone (`en`), or ALL → word → phonemes."""
        self._tables = {tag.lower(): dict(table) for tag, table in (tables or {}).items()}

    def entries(self, text: str, language: str) -> Pronunciations:
        """The entries of the words that are in `text`; of two tables the one for the nearer language is right."""
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
    """Whether it is written in Han or kana, which put no spaces between words."""
    return _UNSPACED.search(word) is not None


def read_lexicon(file: Path | None) -> Lexicon:
    """The lexicon in a file; an empty one for None. Raises SettingsError for a file that cannot be used."""
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
    """Both; of one word that is in both, `own` is right, however it is capitalised."""
    known = {word.lower() for word, _ in own}
    return tuple(sorted([*own, *(entry for entry in lexicon if entry[0].lower() not in known)]))
