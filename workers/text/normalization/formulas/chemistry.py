"""Chemical formulas: their symbols are said letter by letter, and their numbers and charges as numbers: H₂SO₄, Fe³⁺, C6H12O6.

Why a formula without subscripts must have a known form: B2B, PS5 and W1A are letters of elements with digits too.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from workers.text.locales.math_words import Math
from workers.text.normalization.formulas import names
from workers.text.normalization.rules import Rule, any_of

_ELEMENTS: Final = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru "
    "Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At "
    "Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr"
)
_ELEMENT: Final = any_of(_ELEMENTS.split())
_COMPOUNDS: Final = (
    "CO2 NO2 SO2 SO3 N2O H2O D2O CS2 NH3 CH4 PH3 BF3 NF3 SF6 NO3 CO3 SO4 PO4 NH4 O2 O3 N2 H2 H2S HF HCl HBr HI NaCl NaOH KOH "
    "KCl KBr AgCl CuO ZnO MgO CaO FeO FeS LiF NaF CaS ZnS PbO AgBr AgI NaI HClO HCN KCN NaCN SiC GaAs TiN"
)
_KNOWN: Final = frozenset(_COMPOUNDS.split())
_LOWERED: Final = "[₀-₉]{1,4}+"
_CHARGE: Final = "(?:[⁰¹²³⁴-⁹]{0,2}+[⁺⁻])"
_PART: Final = rf"(?:{_ELEMENT}(?:{_LOWERED})?+|[(\[](?:{_ELEMENT}(?:{_LOWERED})?+){{1,8}}[)\]](?:{_LOWERED})?+)"
_PLAIN_PART: Final = rf"(?:{_ELEMENT}(?:[1-9][0-9]{{0,2}})?+|\((?:{_ELEMENT}[0-9]{{0,2}}+){{1,8}}\)[1-9]?+)"
_BEFORE: Final = r"(?=[1-9A-Z(\[])(?<![A-Za-z0-9_./@#&$-])"
_AFTER: Final = r"(?![A-Za-z0-9_@])"
_LOWERED_FORMULA: Final = re.compile(rf"{_BEFORE}[1-9]?{_PART}{{1,16}}(?:[·⋅•][0-9]?{_PART}{{1,8}})?+{_CHARGE}?+{_AFTER}")
_ISOTOPE: Final = re.compile(rf"(?<![A-Za-z0-9⁰¹²³⁴-⁹])(?P<n>[⁰¹²³⁴-⁹]{{1,3}})(?P<symbol>{_ELEMENT})(?![A-Za-z0-9])")
_PLAIN_FORMULA: Final = re.compile(rf"{_BEFORE}{_PLAIN_PART}{{1,16}}{_AFTER}(?!-[0-9A-Z])")
_TOKEN: Final = re.compile(r"[A-Z][a-z]?|[0-9₀-₉]{1,4}|[⁰¹²³⁴-⁹]{0,3}[⁺⁻]|\^\{?[0-9]{0,3}[+-]\}?|->|<=>|[+=→⇌()\[\]·⋅•]")
_CHARGED: Final = re.compile(r"[⁰¹²³⁴-⁹]{0,3}[⁺⁻]\Z")
_TWO_LETTERS: Final = re.compile("[A-Z][a-z]")
_DIGIT: Final = re.compile("[0-9]")
_ARROWS: Final = {"->": "→", "<=>": "⇌"}

Number = Callable[[str], str]
"""Returns the words for a number."""


def rules(say_formula: Callable[[str], str | None]) -> Iterator[Rule]:
    """Rules for chemical formulas: with subscripts or a charge, and with plain digits where only a formula has this form."""
    yield Rule(_ISOTOPE, lambda match: say_formula(match["symbol"] + names.plain_of(match["n"])), needs_digit=False)
    yield Rule(_LOWERED_FORMULA, lambda match: say_formula(match[0]) if _is_marked(match[0]) else None, needs_digit=False)
    yield Rule(_PLAIN_FORMULA, lambda match: say_formula(match[0]) if _is_plain_formula(match[0]) else None, needs_digit=False)


def say(formula: str, words: Math, number: Number, signs: Mapping[str, str]) -> str:
    """Returns the words for one chemical formula."""
    return " ".join(_say(formula, words, number, signs))


def say_all(text: str, words: Math, number: Number, signs: Mapping[str, str]) -> str:
    """Returns the words for an equation of chemical formulas, as LaTeX's command for them has it."""
    return say(text.replace("_", ""), words, number, signs)


def is_compound(symbols: list[str], numbers: list[str]) -> bool:
    """Whether letters with these numbers below them are a compound, as in H_2O, and not variables, as in x_1."""
    if "1" in numbers or "V" in symbols or not set(symbols) <= set(_ELEMENTS.split()):
        return False
    return len(symbols) > 1 and not set(symbols).isdisjoint({"C", "H", "O", "N"})


def _say(formula: str, words: Math, number: Number, signs: Mapping[str, str]) -> Iterator[str]:
    for match in _TOKEN.finditer(formula):
        text = match[0]
        if text[0].isalpha():
            yield " ".join(words.letters.get(letter, letter) for letter in text.upper())
        elif text in "()[]·⋅•":
            yield ","
        elif text in "+=→⇌" or text in _ARROWS:
            yield signs.get(_ARROWS.get(text, text), signs["→"])
        elif (plain := names.plain_of(text).strip("^{}"))[-1] in "+-":
            if plain[:-1]:
                yield _number(plain[:-1], words, number)
            yield signs["+"] if plain[-1] == "+" else words.minus
        else:
            yield _number(plain, words, number)


def _number(text: str, words: Math, number: Number) -> str:
    return words.element_digits[int(text)] if int(text) < len(words.element_digits) else number(text)


def _is_marked(text: str) -> bool:
    """Whether a formula has a number below a symbol, or a charge."""
    return names.LOWERED_RUN.search(text) is not None or _CHARGED.search(text) is not None


def _is_plain_formula(text: str) -> bool:
    """Whether a text of elements and plain digits is a formula: a known one, or one that no other name looks like."""
    if text in _KNOWN:
        return True
    if text.startswith("COP"):
        # The conferences of the United Nations: COP26.
        return False
    n_digits = len(_DIGIT.findall(text))
    symbols = re.findall("[A-Z][a-z]?", text)
    if not n_digits or len(symbols) < 2:
        return False
    if "(" in text or (_TWO_LETTERS.search(text) and len(set(symbols)) > 1 and not text[-2:].isdigit()):
        return True
    is_organic = {"C", "H"} <= set(symbols) <= {"C", "H", "N", "O", "S", "P"} and (len(text) > 3 or symbols[0] == "C")
    is_acid = symbols[0] == "H" and symbols[-1] == "O" and text[-1].isdigit() and len(symbols) == 3
    return is_acid or (is_organic and text[0] in "CH") or (n_digits > 1 and len(symbols) > 2 and "O" in symbols)
