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

_Beginning = dict[str, "_Beginning"]
"""The characters that may follow the beginning of a word, each with what follows it; an empty one: a word ends."""
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
    """A pattern that matches any of `words`, the longest that fits; it matches nothing if there are none.

    Words with a common beginning share it: a text is then compared with a few beginnings, and not with each word.
    """
    root: _Beginning = {}
    for word in words:
        node = root
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return f"(?:{_pattern_of(root)})" if root else "(?!)"


def _pattern_of(node: "_Beginning") -> str:
    """Returns a pattern for the ends of the words with one beginning, the longest first."""
    followers = {character: after for character, after in sorted(node.items()) if character}
    ends = "|".join(re.escape(character) + _pattern_of(after) for character, after in followers.items())
    if len(followers) > 1 or ("" in node and followers):
        ends = f"(?:{ends})"
    return f"{ends}?" if "" in node and followers else ends
