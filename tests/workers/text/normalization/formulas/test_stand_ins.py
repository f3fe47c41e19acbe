"""The words of a formula stand for the formula as the user wrote it."""

import pytest

from workers.text.normalization.normalize import normalize


@pytest.mark.parametrize(
    ("text", "formula", "words"),
    [
        ("Solve $x^2 = 4$ now.", "$x^2 = 4$", "x squared equals four"),
        ("It is b²-4ac here.", "b²-4ac", "b squared minus four a c"),
        ("Add CO₂ now.", "CO₂", "C O two"),
        ("It is 3×10⁸ m/s.", "3×10⁸ m/s", "three times ten to the eight meters per second"),
        ("The time Δt is short.", "Δt", "delta t"),
    ],
)
def test_the_words_of_a_formula_have_its_place(text: str, formula: str, words: str) -> None:
    tracked = normalize(text, "en-US")
    start = tracked.text.index(words)
    assert tracked.origin(start, start + len(words)) == (text.index(formula), text.index(formula) + len(formula))


def test_private_characters_of_a_user_are_no_formula() -> None:
    assert normalize("a \U00100000 b $x^2$", "en-US").text == "a b x squared"
    assert normalize("a \U00100000 b², c", "en-US").text == "a b squared, c"


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("See [3] and $x^2$.[4] So", "See [three] and x squared. So"),
        ("**$x$** and *y = x²*", "x and y equals x squared"),
        ("The $n$th and $k$s", "The nth and ks"),
        ("$5 and $x^2$", "five dollars and x squared"),
        ("<b>x²</b> < <i>y²</i>", "x squared is less than y squared"),
        ("- $x$ is one\n- y² is two", "x is one. y squared is two."),
    ],
)
def test_formulas_go_with_marks_and_money(text: str, spoken: str) -> None:
    assert normalize(text, "en-US").text == spoken
