"""Loads `words.toml`: English words whose phonemes depend on the words around them, and words that Misaki's lexicon lacks."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

_FILE: Final = Path(__file__).with_name("words.toml")

Words = frozenset[str]
Said = tuple[str, str]
"""American and British phonemes, in Misaki's alphabet."""


class HomographRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule for words that are spelled alike. A condition without words is always met; the file explains each."""

    words: Words
    before: Words = frozenset()
    before_2: Words = frozenset()
    after: Words = frozenset()
    near: Words = frozenset()
    not_before: Words = frozenset()
    not_before_2: Words = frozenset()
    not_after: Words = frozenset()
    not_near: Words = frozenset()
    tags: Words = frozenset()
    tagger: bool = True
    capital: bool | None = None
    tag: str = ""
    say: Said | None = None


class LetterA(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words next to an A that is the letter and not the article."""

    after: Words
    labels: Words
    determiners: Words
    powers: Words
    operators: Words


class NoStammer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words after a letter and a hyphen that make no stammer."""

    after: Words


class EnglishWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    lists: dict[str, Words]
    rules: tuple[HomographRule, ...]
    letter_a: LetterA
    elided: dict[str, Said]
    prefixes: dict[str, Said]
    no_stammer: NoStammer


@cache
def load() -> EnglishWords:
    """The file, read once. A mistake in it raises msgspec.ValidationError or KeyError."""
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    lists = {name: text.split() for name, text in content["lists"].items()}
    tables = {name: _split(content[name], lists) for name in ("letter_a", "no_stammer")}
    rules = [_split(rule, lists) for rule in content["rules"]]
    return msgspec.convert(content | tables | {"lists": lists, "rules": rules}, EnglishWords)


def _split(entry: dict[str, Any], lists: dict[str, list[str]]) -> dict[str, Any]:
    """Returns the entry with its texts as lists of words, except `tag`. A list in a text, such as $be, becomes its words."""
    return {name: _words(value, lists) if isinstance(value, str) and name != "tag" else value for name, value in entry.items()}


def _words(text: str, lists: dict[str, list[str]]) -> list[str]:
    return [one for word in text.split() for one in (lists[word[1:]] if word[0] == "$" else [word])]
