"""Brackets of a formula are matched, whatever is missing."""

import pytest

from workers.text.normalization.formulas.tokens import find_mates, tokenize


def mates(formula: str) -> list[tuple[str, str]]:
    """Returns the pairs of brackets that belong together, each with its place."""
    tokens = tokenize(formula, has_comma=False)
    return [
        (f"{tokens[i].text}{tokens[i].start}", f"{tokens[j].text}{tokens[j].start}")
        for i, j in sorted(find_mates(tokens).items())
    ]


@pytest.mark.parametrize(
    ("formula", "pairs"),
    [
        ("(a)", [("(0", ")2")]),
        ("[0, 1)", [("[0", ")5")]),
        ("{(}", [("{0", "}2")]),
        ("(a", []),
        (")a(", []),
        ("|a| + |b|", [("|0", "|2"), ("|6", "|8")]),
        ("a | b", []),
        ("(|a|)", [("(0", ")4"), ("|1", "|3")]),
    ],
)
def test_brackets_are_matched(formula: str, pairs: list[tuple[str, str]]) -> None:
    assert mates(formula) == pairs


def test_a_comma_before_decimals_depends_on_the_language() -> None:
    assert [token.text for token in tokenize("3,14", has_comma=True)] == ["3,14"]
    assert [token.text for token in tokenize("3,14", has_comma=False)] == ["3", ",", "14"]
    assert [token.text for token in tokenize("1,000.5", has_comma=False)] == ["1,000.5"]
