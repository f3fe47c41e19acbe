"""Expressions without LaTeX are formulas where nothing else looks like them."""

import pytest

from workers.text.normalization.formulas.plain import find
from workers.text.normalization.normalize import normalize


@pytest.mark.parametrize(
    "text", ["b²-4ac", "5-3=2", "x⁻¹", "10^-3", "y = -x", "F = ma", "√2", "v₁ − v₀", "(a+b)²", "f(x) = 3", "n-1"]
)
def test_a_formula_is_found_as_a_whole(text: str) -> None:
    assert [(one.start, one.end) for one in find(f"It is {text} here.")] == [(6, 6 + len(text))]


@pytest.mark.parametrize(
    "text",
    [
        "5-3",
        "GPT-4",
        "F-16",
        "son² ruled",
        "n = 10-20",
        "x = 5",
        "a/b",
        "2020-01-05",
        "https://x.com/?a=b-c",
        "key=val-2",
        "1984²",
        "C++",
        "a == b-c",
    ],
)
def test_other_texts_are_none(text: str) -> None:
    assert list(find(f"It is {text} here.")) == []


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("10 m s⁻² or 5 mol·L⁻¹", "ten meters per second squared or five moles per liter"),
        ("8.3 J/(mol·K) and 1 kg/m³", "eight point three joules per mole per kelvin and one kilogram per cubic meter"),
        ("10⁸m/s", "Ten to the eight meters per second"),
        ("F = 5 × 10 N", "F equals five times ten newtons"),
        ("the area in km²", "the area in square kilometers"),
    ],
)
def test_units_of_formulas_are_said(text: str, spoken: str) -> None:
    assert normalize(text, "en-US").text == spoken
