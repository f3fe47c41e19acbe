"""Lexicons: words and their phonemes, for one language or for all. The operator's is `KOE_LEXICON`, a TOML file; users put
theirs into Redis (`app.core.lexicons`).

Why the API looks words up and not a worker: pronunciations are part of the sound, so they belong to the utterance and its
digest. Only the few entries that the text needs are sent.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from operator import add
from pathlib import Path
from typing import Final

import msgspec

from app.core.errors import SettingsError
from app.core.speech.characters import HAN_AND_KANA
from app.core.speech.phonemes import unknown_phonemes

ALL: Final = "all"
"""The table of the file for every language."""
ANY_LANGUAGE: Final = "*"
"""The language of a user's entry for every language."""

WORD: Final = re.compile(r"\w+(?:['’.&+-]\w+)*")
"""One word, in scripts with spaces between words."""

_UNSPACED: Final = re.compile(f"[{HAN_AND_KANA}]")

_SUBTAG_CASE: Final[dict[int, Callable[[str], str]]] = {2: str.upper, 4: str.title}

Pronunciations = tuple[tuple[str, str], ...]
"""Pairs of word and phonemes in Misaki's alphabet, sorted."""


class LexiconEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A word of a user's lexicon."""

    word: str
    phonemes: str
    """Phonemes in Misaki's alphabet."""
    language: str
    """BCP 47 tag, or ANY_LANGUAGE."""


class Lexicon:
    """Words and their phonemes. Case is ignored, unless a word of the lexicon has capitals."""

    def __init__(self, tables: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """`tables`: a BCP 47 tag, its language alone (`en`), or ALL → word → phonemes."""
        self._tables = {tag.lower(): dict(table) for tag, table in (tables or {}).items()}
        self._joined: dict[tuple[str, ...], _Words] = {}
        """The words of several tables, which are joined once."""

    def entries(self, text: str, language: str) -> Pronunciations:
        """The entries of the words in `text`; the table for the more specific language takes precedence."""
        table = self._words_of(language)
        if not table.phonemes:
            return ()
        words = set(WORD.findall(text))
        words |= {word.lower() for word in words}
        if table.unspaced:
            # Most words are not in the text, and are ruled out by their first two characters.
            beginnings = {*text, *map(add, text, text[1:])}
            words |= {word for word in table.unspaced if word[:2] in beginnings and word in text}
        return tuple(sorted((word, table.phonemes[word]) for word in table.phonemes.keys() & words))

    def _words_of(self, language: str) -> "_Words":
        tag = language.lower()
        names = tuple(name for name in dict.fromkeys((ALL, tag.partition("-")[0], tag)) if name in self._tables)
        if names not in self._joined:
            joined: dict[str, str] = {}
            for name in names:
                joined |= self._tables[name]
            self._joined[names] = _Words(joined, tuple(filter(is_unspaced, joined)))
        return self._joined[names]


class _Words(msgspec.Struct, frozen=True):
    """The words for one language."""

    phonemes: dict[str, str]
    unspaced: tuple[str, ...]
    """Those that have no spaces around them."""


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


def to_lexicon(entries: Iterable[LexiconEntry]) -> Lexicon:
    """The lexicon with these entries."""
    tables: dict[str, dict[str, str]] = {}
    for entry in entries:
        tables.setdefault(ALL if entry.language == ANY_LANGUAGE else entry.language, {})[entry.word] = entry.phonemes
    return Lexicon(tables)


def canonical_tag(name: str) -> str:
    """A BCP 47 tag with the usual capitals: `en-US`, `zh-Hant`. Any other text with the same rule applied."""
    first, *others = name.split("-")
    return "-".join([first.lower(), *(_SUBTAG_CASE.get(len(other), str.lower)(other) for other in others)])


def pronounced(given: Pronunciations, lexicons: Iterable[Lexicon], text: str, language: str) -> Pronunciations:
    """The pronunciations of the words in `text`: those that are `given`, then the lexicons' in order of precedence."""
    for lexicon in lexicons:
        given = merged(given, lexicon.entries(text, language))
    return given


def merged(own: Pronunciations, lexicon: Pronunciations) -> Pronunciations:
    """The entries of both. An entry of `own` replaces the entry of `lexicon` for the same word, whatever its capitals."""
    known = {word.lower() for word, _ in own}
    return tuple(sorted([*own, *(entry for entry in lexicon if entry[0].lower() not in known)]))
