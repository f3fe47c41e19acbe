"""Compares a transcript with the requested text: word and character errors.

Why words that were only joined or split do not count: "mia nonna" and "mianonna" sound the same.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

import msgspec

from tests.ears.canonical import split
from tests.ears.notation import nearest_spelling

ALTERNATIVE = "|"
"""Separates several correct texts."""


class Errors(msgspec.Struct, frozen=True):
    """Number of substitutions, deletions and insertions together, and number of expected units."""

    n_words: int = 0
    word_errors: int = 0
    n_characters: int = 0
    character_errors: int = 0

    def __add__(self, other: "Errors") -> "Errors":
        return Errors(
            self.n_words + other.n_words,
            self.word_errors + other.word_errors,
            self.n_characters + other.n_characters,
            self.character_errors + other.character_errors,
        )

    @property
    def word_rate(self) -> float:
        return self.word_errors / max(1, self.n_words)

    @property
    def character_rate(self) -> float:
        return self.character_errors / max(1, self.n_characters)


def count_errors(expected: str, heard: str, language: str) -> Errors:
    """Returns the fewest errors over the alternatives in `expected`, and over what the figures in `heard` may stand for."""
    return min(
        (_fewest(split(text, language), heard, language) for text in expected.split(ALTERNATIVE)),
        key=lambda errors: errors.character_rate,
    )


def _fewest(expected: list[str], heard: str, language: str) -> Errors:
    @cache
    def count(spelling: str) -> Errors:
        return _count(expected, split(spelling, language))

    return count(nearest_spelling(heard, language, lambda spelling: count(spelling).character_errors))


def _count(expected: list[str], heard: list[str]) -> Errors:
    character_errors = distance("".join(expected), "".join(heard))
    word_errors = sum(max(len(ours), len(theirs)) for ours, theirs in differences(expected, heard))
    return Errors(len(expected), word_errors, len("".join(expected)), character_errors)


def differences(expected: Sequence[str], heard: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yields the spans that differ, as expected and as heard, except spans that differ only in their spaces."""
    for ours, theirs in _stretches(expected, heard):
        if "".join(ours) != "".join(theirs):
            yield ours, theirs


def _stretches(expected: Sequence[str], heard: Sequence[str]) -> Iterator[tuple[list[str], list[str]]]:
    import jiwer

    if not expected or not heard:
        yield list(expected), list(heard)
        return
    chunks = jiwer.process_words(" ".join(expected), " ".join(heard)).alignments[0]
    for is_equal, group in groupby(chunks, key=lambda chunk: chunk.type == "equal"):
        run = list(group)
        if not is_equal:
            ours, theirs = (run[0].ref_start_idx, run[-1].ref_end_idx), (run[0].hyp_start_idx, run[-1].hyp_end_idx)
            yield list(expected[slice(*ours)]), list(heard[slice(*theirs)])


def distance(expected: str, heard: str) -> int:
    """Returns the Levenshtein distance: how many characters must be inserted, deleted or replaced."""
    from rapidfuzz.distance import Levenshtein

    return int(Levenshtein.distance(expected, heard))
