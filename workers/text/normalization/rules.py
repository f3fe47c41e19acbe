"""One rule of normalization, a pattern and its replacement, and `apply`, which applies several.

Why every pattern begins where a run of its characters begins, and repeats a bounded or a possessive number of times: then the
time is linear in the text, whatever the text is.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from workers.text.tracked_text import TrackedText

Replacement = Callable[[re.Match[str]], str | None]
"""Gets a match and gives the words that stand in its place; None leaves it."""

_DIGIT: Final = re.compile("[0-9½¼¾⅐-⅞]")


class Rule(msgspec.Struct, frozen=True):
    """One step."""

    pattern: re.Pattern[str]
    replacement: Replacement | str
    needs_digit: bool = True
    """It cannot match in a text without digits."""


def apply(tracked: TrackedText, rules: Iterable[Rule]) -> TrackedText:
    """`tracked` after one rule after the other."""
    has_digit = _DIGIT.search(tracked.text) is not None
    for rule in rules:
        if has_digit or not rule.needs_digit:
            tracked = tracked.sub(rule.pattern, rule.replacement)
    return tracked


def any_of(words: Iterable[str]) -> str:
    """A pattern of any of `words`, the longest first."""
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) + ")"
