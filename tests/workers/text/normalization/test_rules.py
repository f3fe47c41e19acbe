"""A list of words becomes a pattern that finds the longest of them."""

import re

import pytest

from workers.text.normalization.rules import any_of


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["m", "mm", "min", "mins"], "mins min mm m", ["mins", "min", "mm", "m"]),
        (["min", "m"], "mi", ["m"]),
        (["a.m.", "a"], "a.m. abmb", ["a.m.", "a"]),
        (["x"], "xx", ["x", "x"]),
    ],
)
def test_the_longest_word_that_fits_is_found(words: list[str], text: str, found: list[str]) -> None:
    assert re.findall(any_of(words), text) == found


def test_a_shorter_word_is_found_where_the_longest_cannot_end() -> None:
    assert re.findall(rf"{any_of(['kg', 'k'])}(?!g)", "kg kgg k") == ["kg", "k"]


def test_no_words_are_found_nowhere() -> None:
    assert re.findall(any_of([]), "any text") == []
