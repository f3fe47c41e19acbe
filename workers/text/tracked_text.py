"""A text to be spoken, with the place in the user's text that each of its characters came from.

Why: words are timed as they are spoken ("twelve dollars") and reported as they were written ("$12"). So this module makes every
change that a text needs to be speakable, and keeps the origin of each character.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workers.text.cancellation import check_cancelled

Pattern = Any
"""A pattern compiled by `re` or by `regex`."""
Change = Callable[[Any], str | None]
"""Receives a match and returns its replacement; None leaves the match as it is."""


class TrackedText:
    """A text with its origin. Immutable: each change returns a new text."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str, starts: "array[int]", ends: "array[int]") -> None:
        """`starts` and `ends` hold, for each character of `text`, the first code point of the user's text that it stands for,
        and the exclusive end.
        """
        self.text = text
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, text: str) -> "TrackedText":
        """Returns the user's text unchanged, each character with its own place as origin."""
        return cls(text, array("l", range(len(text))), array("l", range(1, len(text) + 1)))

    def __len__(self) -> int:
        return len(self.text)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Returns the part of the user's text that the characters from `start` to before `end`, at least one, stand for."""
        return min(self._starts[start:end]), max(self._ends[start:end])

    def sub(self, pattern: Pattern, change: Change | str) -> "TrackedText":
        """Replaces each match, as `replace` does. An empty match is skipped.

        Raises Cancelled when the text is no longer wanted (`workers.text.cancellation`).
        """
        check_cancelled()
        if not pattern.search(self.text):
            return self
        give: Change = change if callable(change) else lambda _: change
        found = ((*match.span(), give(match)) for match in pattern.finditer(self.text) if match.start() < match.end())
        return self.replace((start, end, new) for start, end, new in found if new is not None)

    def replace(self, changes: Iterable[tuple[int, int, str]]) -> "TrackedText":
        """Replaces the characters from a start to before an end by others, for each of `changes`, in order.

        Characters that the replacement shares with the replaced text at its edges keep their own origin. The rest of the
        replacement stands for the rest of the replaced text, or, if nothing is left of that, for the character next to it.
        """
        writer = _Writer(self)
        for start, end, new in changes:
            check_cancelled()
            if new != self.text[start:end]:
                writer.replace(start, end, new)
        return writer.finish()

    def translate(self, table: Mapping[int, int | str]) -> "TrackedText":
        """Like `str.translate`, with a table that maps one character to one character."""
        text = self.text.translate(table)
        assert len(text) == len(self.text)
        return TrackedText(text, self._starts, self._ends)

    def then(self, change: Callable[[str], "TrackedText"]) -> "TrackedText":
        """Returns the result of `change` for the text, with its origin in the user's text."""
        inner = change(self.text)
        starts = array("l", (self._starts[start] for start in inner._starts))
        return TrackedText(inner.text, starts, array("l", (self._ends[end - 1] for end in inner._ends)))

    def cut(self, start: int, end: int) -> "TrackedText":
        """Returns the characters from `start` to before `end`."""
        return TrackedText(self.text[start:end], self._starts[start:end], self._ends[start:end])

    def strip(self) -> "TrackedText":
        """Returns the text without white space around it."""
        # Not with a pattern: to find the end, it would start at each space of a run and scan the rest of the run.
        end = len(self.text.rstrip())
        start = end - len(self.text[:end].lstrip())
        return self if end - start == len(self.text) else self.cut(start, end)


class _Writer:
    """Builds the text that results from replacements."""

    def __init__(self, old: TrackedText) -> None:
        self._old = old
        self._parts: list[str] = []
        self._starts = array("l")
        self._ends = array("l")
        self._done = 0

    def replace(self, start: int, end: int, new: str) -> None:
        """Replaces the characters from `start` to before `end` by `new`."""
        n_same = min(end - start, len(new))
        n_head = _n_shared(self._old.text[start:end], new, n_same)
        n_tail = _n_shared(self._old.text[start + n_head : end][::-1], new[n_head:][::-1], n_same - n_head)
        self._copy(start + n_head)
        body = new[n_head : len(new) - n_tail]
        if body:
            first, last = start + n_head, end - n_tail
            if first == last:
                # No replaced character is left that it could stand for, so it stands for the one next to it.
                first, last = (first - 1, first) if n_head else (last, last + 1)
            origin_start, origin_end = self._old.origin(first, last)
            self._parts.append(body)
            self._starts.extend([origin_start] * len(body))
            self._ends.extend([origin_end] * len(body))
        self._done = end - n_tail

    def finish(self) -> TrackedText:
        """Returns the whole text."""
        if not self._done and not self._parts:
            return self._old
        self._copy(len(self._old))
        return TrackedText("".join(self._parts), self._starts, self._ends)

    def _copy(self, end: int) -> None:
        self._parts.append(self._old.text[self._done : end])
        self._starts.extend(self._old._starts[self._done : end])
        self._ends.extend(self._old._ends[self._done : end])
        self._done = end


def _n_shared(one: str, other: str, max_chars: int) -> int:
    n_shared = 0
    while n_shared < max_chars and one[n_shared] == other[n_shared]:
        n_shared += 1
    return n_shared
