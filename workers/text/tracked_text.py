"""A text that is to be spoken, and where in the user's text each of its characters came from.

Why: words are timed as they are spoken ("twelve dollars"), and told as they were written ("$12"). So every change that makes
a text speakable goes through here, and keeps the way back.
"""

from array import array
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workers.text.cancellation import look

Pattern = Any
"""Compiled by `re` or by `regex`."""
Change = Callable[[Any], str | None]
"""Gets a match and gives what stands in its place; None leaves it."""


class TrackedText:
    """Text with its origin. Never changed: each step gives another."""

    __slots__ = ("_ends", "_starts", "text")

    def __init__(self, text: str, starts: "array[int]", ends: "array[int]") -> None:
        """For each character of `text`: the first code point of the user's text that it stands for, and one behind the last."""
        self.text = text
        self._starts = starts
        self._ends = ends

    @classmethod
    def of(cls, text: str) -> "TrackedText":
        """The user's text, as it is."""
        return cls(text, array("l", range(len(text))), array("l", range(1, len(text) + 1)))

    def __len__(self) -> int:
        return len(self.text)

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The part of the user's text that the characters from `start` to before `end` stand for; there is at least one."""
        return min(self._starts[start:end]), max(self._ends[start:end])

    def sub(self, pattern: Pattern, change: Change | str) -> "TrackedText":
        """Each match replaced, as `replace` does it. A match of nothing is passed over.

        Raises Cancelled when the text is not wanted any more (`workers.text.cancellation`).
        """
        look()
        give: Change = change if callable(change) else lambda _: change
        found = ((*match.span(), give(match)) for match in pattern.finditer(self.text) if match.start() < match.end())
        return self.replace((start, end, new) for start, end, new in found if new is not None)

    def replace(self, changes: Iterable[tuple[int, int, str]]) -> "TrackedText":
        """The characters from a start to before an end replaced by others, for each of `changes`, in order.

        What a replacement shares at its edges with what it replaces keeps its own origin; the rest of it stands for the whole
        rest of that, or for the character beside it.
        """
        writer = _Writer(self)
        for start, end, new in changes:
            look()
            if new != self.text[start:end]:
                writer.replace(start, end, new)
        return writer.finish()

    def translate(self, table: Mapping[int, int | str]) -> "TrackedText":
        """As `str.translate` with a table of one character for one character."""
        text = self.text.translate(table)
        assert len(text) == len(self.text)
        return TrackedText(text, self._starts, self._ends)

    def then(self, change: Callable[[str], "TrackedText"]) -> "TrackedText":
        """What `change` makes of the text, with the origin in this one's."""
        inner = change(self.text)
        starts = array("l", (self._starts[start] for start in inner._starts))
        return TrackedText(inner.text, starts, array("l", (self._ends[end - 1] for end in inner._ends)))

    def cut(self, start: int, end: int) -> "TrackedText":
        """The characters from `start` to before `end`."""
        return TrackedText(self.text[start:end], self._starts[start:end], self._ends[start:end])

    def strip(self) -> "TrackedText":
        """Without white space around it."""
        # Not by a pattern: one that looks for the end would try at each space of a run, and go through the rest of it.
        end = len(self.text.rstrip())
        start = end - len(self.text[:end].lstrip())
        return self if end - start == len(self.text) else self.cut(start, end)


class _Writer:
    """Builds the text that a replacement leads to."""

    def __init__(self, old: TrackedText) -> None:
        self._old = old
        self._parts: list[str] = []
        self._starts = array("l")
        self._ends = array("l")
        self._done = 0

    def replace(self, start: int, end: int, new: str) -> None:
        """Puts `new` in the place of the characters from `start` to before `end`."""
        n_same = min(end - start, len(new))
        n_head = _n_shared(self._old.text[start:end], new, n_same)
        n_tail = _n_shared(self._old.text[start + n_head : end][::-1], new[n_head:][::-1], n_same - n_head)
        self._copy(start + n_head)
        body = new[n_head : len(new) - n_tail]
        if body:
            first, last = start + n_head, end - n_tail
            if first == last:
                # Nothing is left for it to stand for but what it was put beside.
                first, last = (first - 1, first) if n_head else (last, last + 1)
            origin_start, origin_end = self._old.origin(first, last)
            self._parts.append(body)
            self._starts.extend([origin_start] * len(body))
            self._ends.extend([origin_end] * len(body))
        self._done = end - n_tail

    def finish(self) -> TrackedText:
        """The whole."""
        if not self._done and not self._parts:
            return self._old
        self._copy(len(self._old))
        return TrackedText("".join(self._parts), self._starts, self._ends)

    def _copy(self, end: int) -> None:
        self._parts.append(self._old.text[self._done : end])
        self._starts.extend(self._old._starts[self._done : end])
        self._ends.extend(self._old._ends[self._done : end])
        self._done = end


def _n_shared(one: str, other: str, most: int) -> int:
    n_shared = 0
    while n_shared < most and one[n_shared] == other[n_shared]:
        n_shared += 1
    return n_shared
