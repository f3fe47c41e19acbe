"""Words of Mandarin whose pronunciation depends on the words next to them, from `words.toml`."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec

FILE: Final = Path(__file__).with_suffix(".toml")

Words = tuple[str, ...]


class Years(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to a number before 年."""

    dated_before: Words
    long_after: Words
    round_after: Words
    short_after: Words


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A character that is said in another way next to some words."""

    written: str
    said: str
    after: Words = ()
    before: Words = ()


class Retroflex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in which 儿 is a syllable."""

    whole: Words
    before: Words


class Tones(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to 一 with which it keeps its tone."""

    after_ordinal: Words


class Adverbs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to 地 with which it is no ending."""

    not_before: Words
    not_after: Words


class MandarinWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The entries of the file. Its comments explain each."""

    years: Years
    retroflex: Retroflex
    tones: Tones
    adverbs: Adverbs
    traditional: dict[str, str]
    contexts: tuple[Context, ...]
    characters: dict[str, str]
    words: dict[str, str]


def _read() -> MandarinWords:
    return msgspec.convert(tomllib.loads(FILE.read_text(encoding="utf-8")), MandarinWords)


WORDS: Final = _read()
YEARS: Final = WORDS.years
