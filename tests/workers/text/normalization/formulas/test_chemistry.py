"""Chemical formulas are spelled, with their numbers and charges."""

import pytest

from workers.text.normalization.normalize import normalize


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("H₂SO₄", "H two S O four"),
        ("CO2", "C O two"),
        ("Fe³⁺", "F E three plus"),
        ("OH⁻", "O H minus"),
        ("NaCl", "N A C L"),
        ("Al₂(SO₄)₃", "A L two, S O four, three"),
        ("2H₂ + O₂ → 2H₂O", "Two H two plus O two to two H two O"),
        (r"$\ce{2H2 + O2 -> 2H2O}$", "Two H two plus O two to two H two O"),
        ("$H_2O$", "H two O"),
    ],
)
def test_a_chemical_formula_is_spelled(text: str, spoken: str) -> None:
    assert normalize(text, "en-US").text == spoken


@pytest.mark.parametrize("text", ["B2B", "PS5", "W1A", "MP3", "H1B", "HeLa", "PCs", "$x_1$", "$P_1V_1$"])
def test_other_letters_with_numbers_are_none(text: str) -> None:
    assert " two O" not in normalize(text, "en-US").text
    assert normalize(text, "en-US").text.count(" ") < 6


@pytest.mark.parametrize(
    ("language", "spoken"), [("fr-FR", "C O 2"), ("hi", "C O टू"), ("pt-BR", "C ó 2"), ("zh", "C O 2"), ("ja", "C Oツー")]
)
def test_every_language_says_the_number(language: str, spoken: str) -> None:
    assert normalize("CO₂", language).text == spoken
