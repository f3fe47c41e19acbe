"""The words that decide where a sentence ends, by language. `sentences.toml` has them and says what they are."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

_EVERYWHERE: Final = "any"


class SentenceWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of one language, or those of all. Their meaning stands in `sentences.toml`."""

    abbreviations: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()
    openers: frozenset[str] = frozenset()


_NONE: Final = SentenceWords()


def sentence_words(language: str) -> SentenceWords:
    """Returns the words of a language (BCP 47 tag), without those of every language."""
    name = language.partition("-")[0].lower()
    return _NONE if name == _EVERYWHERE else _load().get(name, _NONE)


def sentence_words_everywhere() -> SentenceWords:
    """Returns the words that apply to the texts of every language."""
    return _load()[_EVERYWHERE]


@cache
def all_abbreviations() -> frozenset[str]:
    """Returns the abbreviations of all languages in small letters, without their last full stop."""
    return frozenset(word for words in _load().values() for word in words.abbreviations | words.numbered)


@cache
def _load() -> dict[str, SentenceWords]:
    text = files(__package__).joinpath("sentences.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, SentenceWords])
