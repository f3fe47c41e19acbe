"""A formula is said as a reader would say it."""

import pytest

from workers.text.normalization.formulas.stand_ins import speaker


def say(formula: str, language: str = "en-US") -> str:
    """Returns the words for a formula in LaTeX."""
    found = speaker(language)
    assert found is not None
    return found.say(formula)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (r"\frac{-b \pm \sqrt{D}}{2a}", "minus b plus or minus the square root of D, over two a"),
        ("2(x+1)^2", "two times the quantity x plus one, squared"),
        (r"\sum_{i=1}^n i", "the sum from i equals one to n of i"),
        (r"\lim_{x \to 0} f(x)", "the limit as x approaches zero of f of x"),
        (r"\log_2 n", "log base two of n"),
        (r"\sin^{-1} x", "sine inverse x"),
        (r"|a||b|", "the absolute value of a times the absolute value of b"),
        (r"P(A|B)", "P of A given B"),
        (r"x \in [0, 1)", "x in the interval from zero to one"),
        (r"\{x \mid x > 0\}", "the set of x such that x is greater than zero"),
        (r"2\frac{1}{2}", "two and a half"),
        (r"3^{\text{rd}}", "third"),
        (r"f: A \to B", "f, A to B"),
        (r"\unknown{x} \foo", "x"),
        (r"H_2O \to \mathrm{Ca}^{2+}", "H two O to C A two plus"),
        (r"x^23", "x squared three"),
        ("", ""),
        (r"\frac", "over"),
    ],
)
def test_a_formula_in_english(formula: str, words: str) -> None:
    assert say(formula) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en-GB", "x squared minus one hundred and one over two"),
        ("es", "x al cuadrado menos 101 sobre 2"),
        ("fr-FR", "x au carré moins 101 sur 2"),
        ("it", "x al quadrato meno 101 su 2"),
        ("pt-BR", "x ao quadrado menos 101 sobre 2"),
        ("hi", "x का वर्ग माइनस 101 बटा 2"),
        ("zh", "x的平方减2分之101"),
        ("ja", "xの2乗マイナス2分の101"),
    ],
)
def test_every_language_has_its_words(language: str, words: str) -> None:
    assert say(r"x^2 - \frac{101}{2}", language) == words


@pytest.mark.parametrize("unit", ["{", "(", r"\frac", r"\mathrm", "x^", r"\sqrt{", "|", r"\begin{cases}", "√", r"\vec"])
def test_deep_formulas_do_not_fail(unit: str) -> None:
    assert isinstance(say(unit * 1000 + "x"), str)
    assert isinstance(say(unit * 1000 + "x" + "}" * 1000), str)


def test_a_language_without_words_has_no_speaker() -> None:
    assert speaker("sw") is None
