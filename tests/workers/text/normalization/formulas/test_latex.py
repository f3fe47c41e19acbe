"""Formulas in LaTeX are found, and told apart from money, code and Markdown."""

import pytest

from workers.text.normalization.formulas.latex import find_formulas


def found(text: str) -> list[str]:
    """Returns the formulas of `text` without their delimiters."""
    return [formula for _, _, formula in find_formulas(text)]


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("Solve $x^2 = 4$ now.", "x^2 = 4"),
        ("$$x$$", "x"),
        (r"\(a, b\)", "a, b"),
        (r"\[x + 1\]", "x + 1"),
        (r"\begin{align} x &= 1 \end{align}", r"\begin{align} x &= 1 \end{align}"),
        ("the $n$th term", "n"),
        ("$ x^2 $", " x^2 "),
        (r"$5\,\text{km and more}$", r"5\,\text{km and more}"),
        ("```math\nx\n```", "x\n"),
    ],
)
def test_a_formula_is_found(text: str, formula: str) -> None:
    assert found(text) == [formula]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 or $10.",
        "$HOME/$USER and $PATH",
        "US$5, A$6 and 5$",
        "between $5 and 6$",
        "$5 million and more$",
        "`$x$`",
        "```\n$x^2$\n```",
        r"\[1\] and \(this word\)",
        "$name$",
        "$x\n\ny$",
        "$$$ and $$",
        r"\(x",
    ],
)
def test_other_dollars_and_brackets_are_no_formula(text: str) -> None:
    assert found(text) == []
