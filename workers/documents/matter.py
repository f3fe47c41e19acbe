"""Front and back matter: the parts of a book that few want to hear, by what the file calls them or by their titles.

Why they are marked and not left out: a person may want them, and a title can mislead.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

_NUMBER_AFTER: Final = re.compile(r"[\s.:：0-9ivxIVX]+\Z")
_MARKS_AROUND: Final = " \t.:：…*—–-[](){}«»\"'“”"
_LONG_BLOCK_CHARS: Final = 200
"""A block as long as this is prose. What stands before the first chapter and has no prose is a title page or the like."""


class _Table(msgspec.Struct, frozen=True):
    """The content of `matter.toml`."""

    types: frozenset[str]
    spoken_types: frozenset[str]
    groups: frozenset[str]
    titles: frozenset[str]


@cache
def _table() -> _Table:
    return msgspec.convert(tomllib.loads((files(__package__) / "matter.toml").read_text("utf-8")), _Table)


def is_matter_type(types: Iterable[str]) -> bool | None:
    """Whether a part that the file calls by these names is matter; None if the names do not say."""
    table, named = _table(), {name.lower() for name in types}
    if named & table.types:
        return True
    if named & table.spoken_types:
        return False
    return True if named & table.groups else None


def is_matter_title(title: str) -> bool:
    """Whether a chapter with this title is matter."""
    name = " ".join(title.lower().split()).strip(_MARKS_AROUND)
    titles = _table().titles
    return name in titles or _NUMBER_AFTER.sub("", name) in titles


def has_prose(texts: Iterable[str]) -> bool:
    """Whether one of these blocks is as long as a paragraph of prose."""
    return any(len(text) >= _LONG_BLOCK_CHARS for text in texts)
