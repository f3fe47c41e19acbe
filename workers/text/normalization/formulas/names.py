"""The names that LaTeX has for signs, and the characters that stand for signs, powers and indices.

Why a table of our own and not pylatexenc's: ours holds the signs that the locales have words for, and each name leads to the
sign under which the locales list the word.
"""

import re
from typing import Final

_SIGNS: Final = {
    "≤": "le leq leqslant",
    "≥": "ge geq geqslant",
    "≠": "ne neq",
    "<": "lt",
    ">": "gt",
    "≪": "ll",
    "≫": "gg",
    "≈": "approx thickapprox",
    "≡": "equiv",
    "∼": "sim simeq",
    "≅": "cong",
    "∝": "propto",
    "×": "times",
    "⋅": "cdot",
    "∗": "ast",
    "÷": "div",
    "±": "pm",
    "∓": "mp",
    "∘": "circ",
    "⊕": "oplus",
    "⊗": "otimes",
    "∈": "in",
    "∉": "notin",
    "∋": "ni",
    "⊂": "subset subsetneq",
    "⊆": "subseteq",
    "⊃": "supset",
    "⊇": "supseteq",
    "∪": "cup",
    "∩": "cap",
    "∖": "setminus backslash",
    "∅": "emptyset varnothing",
    "∀": "forall",
    "∃": "exists",
    "∄": "nexists",
    "∧": "land wedge",
    "∨": "lor vee",
    "¬": "neg lnot",
    "→": "to rightarrow longrightarrow xrightarrow",
    "←": "leftarrow gets",
    "↔": "leftrightarrow",
    "⇒": "Rightarrow implies Longrightarrow",
    "⇐": "Leftarrow impliedby",
    "⇔": "iff Leftrightarrow Longleftrightarrow",
    "↦": "mapsto",
    "∂": "partial",
    "∇": "nabla",
    "∞": "infty",
    "∴": "therefore",
    "∵": "because",
    "∠": "angle",
    "⊥": "perp bot",
    "∥": "parallel",
    "△": "triangle",
    "∣": "mid",
    "ℏ": "hbar",
    "…": "ldots cdots dots vdots dotsc dotsb",
    "′": "prime",
    "°": "degree",
    "mod": "bmod mod",
    "%": "%",
    "&": "&amp;",
    "#": "#",
    "|": "vert lvert rvert",
    "‖": "Vert lVert rVert | ‖",
    "⌊": "lfloor",
    "⌋": "rfloor",
    "⌈": "lceil",
    "⌉": "rceil",
    "⟨": "langle",
    "⟩": "rangle",
    "[": "lbrack",
    "]": "rbrack",
    "ℓ": "ell",
    "∑": "sum",
    "∏": "prod",
    "∫": "int",
    "∬": "iint",
    "∭": "iiint",
    "∮": "oint",
    "⋃": "bigcup",
    "⋂": "bigcap",
    "⊤": "top intercal",
    "†": "dagger",
    "⋆": "star",
    "$": "$",
}
SIGNS: Final = {name: sign for sign, names in _SIGNS.items() for name in names.split()}
"""Name of a command → sign."""

_LETTERS: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi "
    "omega"
)
_SMALL: Final = "αβγδεζηθικλμνξοπρστυφχψω"
GREEK: Final = {letter: i for letters in (_SMALL, _SMALL.upper()) for i, letter in enumerate(letters)} | {
    "ς": 17, "ϵ": 4, "ϑ": 7, "ϕ": 20, "ϱ": 16, "ϖ": 15, "µ": 11, "∆": 3, "Ω": 23
}  # fmt: skip
"""Letter → its place in the Greek alphabet, from 0."""
GREEK_NAMES: Final = {name: i for i, name in enumerate(_LETTERS.split())}
"""Name of a command in small letters, without the "var" before it → place in the Greek alphabet."""

LARGE: Final = frozenset("∑∏∫∬∭∮⋃⋂") | {"lim", "max", "min", "sup", "inf", "liminf", "limsup", "argmax", "argmin"}
RELATIONS: Final = frozenset("=≠<>≤≥≪≫≈≡∼≅∝∈∉∋⊂⊆⊃⊇→←↔⇒⇐⇔↦⊥∥∣∴∵")
OPERATORS: Final = frozenset("+-−×⋅·∗*÷±∓∘⊕⊗∪∩∖∧∨/:") | {"mod"}

_RAISED: Final = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵃᵇᶜᵈᵉᶠᵍʰʲᵏˡᵐᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ"
_RAISED_AS: Final = "0123456789+-=()niabcdefghjklmoprstuvwxyzT"
_LOWERED: Final = "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
_LOWERED_AS: Final = "0123456789+-=()aehijklmnoprstuvx"
RAISED: Final = dict(zip(_RAISED, _RAISED_AS, strict=True))
LOWERED: Final = dict(zip(_LOWERED, _LOWERED_AS, strict=True))
"""Character → the plain character that it stands for."""
RAISE: Final = {plain: raised for raised, plain in RAISED.items()}
LOWER: Final = {plain: lowered for lowered, plain in LOWERED.items()}
RAISED_RUN: Final = re.compile(f"[{_RAISED}]++")
LOWERED_RUN: Final = re.compile(f"[{_LOWERED}]++")


def plain_of(text: str) -> str:
    """Returns `text` with its raised and lowered characters as plain ones."""
    return "".join(RAISED.get(character) or LOWERED.get(character, character) for character in text)
