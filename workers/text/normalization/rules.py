"""A rule of normalization (a pattern and its replacement), and `apply`, which applies several rules.

Why every pattern begins where a run of its characters begins, and has only bounded or possessive repetitions: the time is then
linear in the length of any text.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from workers.text.tracked_text import TrackedText

Replacement = Callable[[re.Match[str]], str | None]
"""Gets a match and returns the words that replace it; None leaves the match as it is."""

_DIGIT: Final = re.compile("[0-9½¼¾⅐-⅞]")


class Rule(msgspec.Struct, frozen=True):
    """One step of normalization."""

    pattern: re.Pattern[str]
    replacement: Replacement | str
    needs_digit: bool = True
    """Whether the pattern matches only in texts with digits."""


def apply(tracked: TrackedText, rules: Iterable[Rule]) -> TrackedText:
    """Applies the rules to `tracked`, one after the other."""
    has_digit = _DIGIT.search(tracked.text) is not None
    for rule in rules:
        if has_digit or not rule.needs_digit:
            tracked = tracked.sub(rule.pattern, rule.replacement)
    return tracked


def any_of(words: Iterable[str]) -> str:
    """A pattern that matches any of `words`, the longest first; it matches nothing if there are none."""
    return "(?:" + ("|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) or "(?!)") + ")"
