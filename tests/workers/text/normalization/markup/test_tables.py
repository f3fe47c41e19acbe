"""Each row of a table is a sentence, and a sign alone in a cell is a word."""

import pytest

from workers.text.normalization.markup.tables import read_tables
from workers.text.tracked_text import TrackedText


@pytest.mark.parametrize(
    ("text", "language", "read"),
    [
        ("| one | 1 |\n| two | 2 |", "en-US", "one, 1.\ntwo, 2."),
        ("| Sync | ✅ |\n| Share | ✔️ (beta) |", "en-US", "Sync, yes.\nShare, yes (beta)."),
        ("| | A |\n| b | — |", "en-US", "A.\nb."),
        ("a | b\n--|--\n1 | 2\n\nx | y", "en-US", "a, b.\n\n1, 2.\n\nx | y"),
        ("+---+---+\n| a | b |\n+---+---+", "en-US", "\na, b.\n"),
        ("│ a │ b │", "en-US", "a, b."),
        ("<td>✅</td><td class='x'>❌</td>", "fr-FR", "<td>oui</td><td class='x'>non</td>"),
        ("| 甲 | × |", "ja", "甲、ばつ。"),
    ],
)
def test_rows_are_sentences(text: str, language: str, read: str) -> None:
    assert read_tables(TrackedText.of(text), language).text == read


@pytest.mark.parametrize("text", ["a | b", "---", "x || y", "1 + 1", "✅ Done"])
def test_everything_else_stays(text: str) -> None:
    assert read_tables(TrackedText.of(text), "en-US").text == text
