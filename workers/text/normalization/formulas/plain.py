"""Finds formulas that are written without LaTeX: b²-4ac, 6.02×10²³, 5-3=2, x⁻¹, 1.5e-6.

Why only some expressions count: "5-3" may be a score or a range, and "son²" has the mark of a note. What counts has a power, a
root, an equals sign with another operator, or a true minus sign.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from workers.text.normalization.formulas import names
from workers.text.normalization.numerals import FRACTION_SIGNS

_RAISED: Final = "⁰¹²³⁴-⁹⁺⁻ⁿⁱˣʸᵏᵐᵗᵀ"
_LOWERED: Final = "₀-₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ"
_NUMBER: Final = "(?:[0-9]{1,15}+(?:[.,][0-9]{1,15}+)?+%?+|[½⅓⅔¼¾⅛])"
_LETTERS: Final = f"(?:(?:[A-Za-z]{{1,3}}+(?![A-Za-z])|[α-ωΑ-Ω∆](?![α-ωΑ-Ω∆]))(?:[{_LOWERED}]{{1,6}}+)?+'?+)"
_POWER: Final = (
    rf"(?:[{_RAISED}]{{1,8}}+|\^(?:\{{[^{{}}]{{1,30}}+\}}|\([^()]{{1,30}}+\)|[-−+]?[0-9]{{1,6}}+(?:\.[0-9]{{1,4}}+)?+|[A-Za-z](?![A-Za-z]))"
    r"(?:\^(?![A-Za-z0-9_]))?+)"
)
_INNER: Final = rf"[-−+×·*/=<>≤≥≠., 0-9½A-Za-zα-ωΑ-Ω^√|{_RAISED}{_LOWERED}]"
_BRACKET: Final = rf"\((?=[^()]{{0,59}}\)){_INNER}{{1,60}}+\)"
_FACTOR: Final = rf"√?+(?:(?:{_NUMBER}|{_LETTERS}|{_BRACKET}){_POWER}?+)!?+"
_TERM: Final = rf"[-−]?+(?:{_FACTOR}){{1,6}}+"
_OPERATOR: Final = r" ?(?:[-−–+×·⋅*/÷=≠≈≤≥±]|[<>]=?|!=) ?"
_BEFORE: Final = r"(?<![A-Za-z0-9À-ɏµ_.,<@/\\#&$€£¥₹'°%+=^~:?-])"
_AFTER: Final = r"(?![A-Za-z0-9À-ɏ>@$€£¥°/\\^=+]|[.,:][0-9]|-[A-Za-z0-9])"
EXPRESSION: Final = re.compile(rf"{_BEFORE}{_TERM}(?:{_OPERATOR}{_TERM}){{0,12}}{_AFTER}")
SCIENTIFIC: Final = re.compile(
    r"(?<![A-Za-z0-9_.,/-])(?P<n>[0-9]{1,3}+(?:[.,][0-9]{1,15}+)?+)(?:(?<=[.,][0-9])|(?<=[.,][0-9]{2})|(?<=[.,][0-9]{3})|(?=[eE][-−+]|e[0-9]))"
    r"[eE](?P<power>[-−+]?[0-9]{1,3}+)(?![A-Za-z0-9_]|[.,][0-9])"
)
GREEK: Final = re.compile(
    "(?<![α-ωΑ-Ωά-ώἀ-῿µ∆0-9])(?<![0-9] )(?<![0-9][kMm])(?<![0-9] [kMm])"
    "(?P<greek>[α-λν-ωΑ-Ω∆]|[µμ](?![mgsLlVAFM]))(?![α-ωΑ-Ωά-ώἀ-῿µ∆])(?P<letter>[A-Za-z](?![A-Za-z]))?+"
)
"""A Greek letter that is no part of a Greek word and no unit."""
NUMBER_WITH_POWER: Final = re.compile(rf"[0-9](?:[{_RAISED}]{{1,6}}|\^\{{?[-−+]?[0-9]{{1,4}}\}}?)\Z")
"""The end of an expression after which a unit may stand: 10⁸ m."""
LOOSE_SIGN: Final = re.compile("[∈∉∋⊂⊆⊃⊇∪∩∀∃∄∧∨∂∇∅∴∵∠⊥∥∝≡≅≪≫∓∘⊕⊗∞∑∏∫∬∭∮⋃⋂ℕℤℚℝℂ∛ℏ]")
"""A sign with a meaning outside formulas too."""
_HAS_POWER: Final = re.compile(rf"\^|[{_RAISED.replace('¹', '')}]|[⁻⁺]¹|¹[⁰¹]|(?<=10)¹")
_RELATION: Final = re.compile("[=≠≈≤≥]")
_OPERATION: Final = re.compile(r"(?<=[\w)²³!%])[ ]?[-−–+×·⋅*/÷±]|(?<=[=≈<>≤≥(])[ ]?[-−](?=[0-9]{0,3}[A-Za-zα-ω(√])")
_RANGE: Final = re.compile(r"[A-Za-z]{1,3} ?[=≈] ?(?P<first>[0-9]{1,6})[-–](?P<last>[0-9]{1,6})\Z")
_TRUE_MINUS: Final = re.compile(r"(?<=[\w)²³])(?:−| − )(?=[\w(√])")
_FACTORIAL: Final = re.compile(r"[0-9a-z]!(?= ?[-=+*/×)])")
_QUOTIENT: Final = re.compile(r"d[a-z]/d[txyz]\Z|[0-9]{0,3}[xyznt]/[0-9]{1,3}\Z|[0-9]{1,3}/[0-9]?[xyznt]\Z")
_SUM: Final = re.compile(
    r"(?=[^+]{1,40}\+)(?:[-−][0-9]{0,3}[a-z]|[a-z] ?-) ?(?:[+-] ?)?[0-9]{0,3}[a-z0-9](?: ?[+-] ?[0-9]{0,3}[a-z0-9]){0,5}\Z"
)
"""A quotient, and a sum of letters with a minus sign: x/2, -x + 3, a-b+c."""
_BY_ONE: Final = re.compile(r"[0-9]?[nijrtxy]-[0-9](?:[+-][0-9a-z])?\Z")
_ROOT: Final = re.compile("√")
_INDEXED: Final = re.compile(rf"[A-Za-zα-ω][{_LOWERED}]")
_FRACTION_SIGN: Final = re.compile("[½⅓⅔¼¾⅛]")
_APPLIED: Final = re.compile(
    r"(?:[fghFGPOTuvxyt]'?\([^()]{1,20}\) ?=|[fghFG]'?\([A-Za-z0-9](?:, ?[A-Za-z0-9])?\)|[PO]\((?!s\))[A-Za-z0-9^ ]{1,9}\)"
    r"|[uvxy]\([a-z](?:, ?[a-z])?\))"
)
"""A function with its arguments: f(x), y(t)."""
_COMPARED: Final = re.compile(r"[A-Za-zα-ω](?: ?[<>] ?[A-Za-zα-ω0-9.]{1,6}){1,2}\Z")
_CAPITAL_INDEX: Final = re.compile("(?<=[A-Z])[₀-₉]{1,4}+")
_RUN: Final = re.compile(r"(?P<digit>[0-9])?(?P<run>[A-Za-z]{2,3})")
_PRODUCTS: Final = frozenset({"dy", "du", "ma", "ab", "ac", "ad", "ax", "ay", "at", "ut", "mgh", "abc"})
_VOWELS: Final = frozenset("aeiouyAEIOU")
_LAW: Final = re.compile(r"[A-Za-z]{1,2} = [0-9]?[A-Za-z]{1,3}\Z")
_YEAR: Final = re.compile(r"(?:1[5-9]|20)[0-9]{2}(?:[¹²³⁴-⁹]|[¹²][⁰¹²³⁴-⁹])\Z")
"""A year with the mark of a note."""
_DENSITY: Final = re.compile(rf"(?:{_NUMBER}[A-Za-z]{{0,2}}|(?<=[0-9] )[A-Za-z]{{1,2}})/[kcm]?m[²³](?!\w)")
"""A number of a unit per area or volume, 200 W/m², which the rules of units read."""
MULTIPLE: Final = re.compile(rf"(?<=[0-9]) ?x ?(?=10[\^{_RAISED}])")
_LONG_POWER: Final = re.compile(r"\^(?:\((?P<inner>[^()]{1,30})\)|(?P<plain>[-−+]?[0-9]{1,6}(?:\.[0-9]{1,4})?))\^?")
ENERGY: Final = re.compile(r"(?<=[=(] )mc2(?!\w)|(?<==)mc2(?!\w)")

PARTICLES: Final = re.compile("(?<=PM)₂[.,]?₅")
COMBINED: Final = re.compile("(?P<letter>[A-Za-zα-ωÀ-ɏ])(?P<mark>[\u0302\u0303\u0304\u0305\u0307\u20d7])")
ACCENTS: Final = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u20d7": "vec"}
"""A letter with a sign above it, as one writes x̄ without LaTeX."""
UNIT_POWER: Final = re.compile(r"(?:(?<=[0-9]m)|(?<=[0-9] m)|(?<=[0-9][kcm]m)|(?<=[0-9] [kcm]m)|(?<=[0-9] ft))\^([23])(?!\w)")


_UNIT_EQUALS: Final = re.compile("(?:[nmckMGµμ]?[mgJWVPL]|min|[Mk]?Pa|eV|ft|in|lb|oz|mi|yd|gal|kHz|GHz) ?[=≈] ?")
_PRODUCT_OF_UNITS: Final = re.compile(r"[A-Zk][A-Za-z]?[·⋅][a-z]{1,3}(?![A-Za-z])")
ABSOLUTE: Final = re.compile(
    rf"(?<![A-Za-z|‖])(?P<bar>[|‖])(?P<content>(?=[^|‖\s])[-−+·*/^., ()0-9A-Za-zα-ωΑ-Ω{_RAISED}{_LOWERED}]{{1,24}}(?<=\S))"
    rf"(?P=bar)(?P<power>[{_RAISED}]{{1,4}}|\^[0-9])?(?![\w|‖])"
)
"""Bars around a term, as in |x|."""
_APPLIED_TO: Final = r"(?:\([A-Za-z0-9]\))?"
_ABSOLUTE_TERM: Final = re.compile(
    rf"[-−]?(?:[A-Za-zα-ωΑ-Ω][{_LOWERED}]?{_APPLIED_TO}|[0-9.]{{1,8}})"
    rf"(?: ?[-−+·*/] ?(?:[A-Za-zα-ωΑ-Ω0-9.]{{1,6}}[{_LOWERED}]?{_APPLIED_TO}|\([^()]{{1,12}}\))){{0,12}}+[{_RAISED}]?\Z"
)
INDEX: Final = re.compile(
    r"(?<![\w\\$@/.-])(?P<base>[A-Za-zα-ωΑ-Ω])_(?:\{(?P<long>[^{}\s\\]{1,6})\}|(?P<one>[0-9nijkm](?![\w])))"
)
"""A letter with an index as LaTeX writes it: a_{11}, x_1."""


_EQUIVALENTS: Final = frozenset({"CO₂e", "CO₂eq"})


class Found(msgspec.Struct, frozen=True):
    """A formula in a text, in the form that the reader of LaTeX takes."""

    start: int
    end: int
    formula: str


def find(text: str) -> Iterator[Found]:
    """Yields the formulas of a text."""
    for match in EXPRESSION.finditer(text):
        start = match.start() + _length_of_unit(match)
        expression = text[start : match.end()]
        if _counts(expression) and not _is_of_unit(match):
            yield Found(start, match.end(), to_latex(expression))


def _length_of_unit(match: re.Match[str]) -> int:
    """The length of the unit and the equals sign at the beginning of an expression after a number: 1 nm = 10⁻⁹ m."""
    before = match.string[max(0, match.start() - 2) : match.start()]
    unit = _UNIT_EQUALS.match(match[0]) if before[:1].isdigit() and before[1:] == " " else None
    return unit.end() if unit else 0


def _is_of_unit(match: re.Match[str]) -> bool:
    """Whether an expression is, or begins with, the unit of the number before it: 200 W/m², 1 N·m = 1 J."""
    text, start = match.string, match.start()
    is_product = text[max(0, start - 2) : start].strip().isdigit() and _PRODUCT_OF_UNITS.match(text, start)
    return bool(is_product) or _DENSITY.fullmatch(text, *match.span()) is not None


def to_latex(expression: str) -> str:
    """Returns an expression with braces around its long powers."""
    expression = _CAPITAL_INDEX.sub(lambda match: f" {names.plain_of(match[0])} ", expression)
    expression = _FRACTION_SIGN.sub(
        lambda match: f"\\\\frac{{{FRACTION_SIGNS[match[0]].replace('/', '}{')}}}".replace("\\\\", "\\"), expression
    )
    return _LONG_POWER.sub(lambda match: "^{" + (match["inner"] or match["plain"]) + "}", expression).replace("!=", "≠")


def _counts(expression: str) -> bool:
    """Whether an expression is a formula, and nothing else that has its signs."""
    if not all(_is_product(match) for match in _RUN.finditer(expression)) or "==" in expression:
        return False
    if expression in _EQUIVALENTS:
        return False
    if _HAS_POWER.search(expression):
        return _YEAR.match(expression) is None
    is_marked = any(pattern.search(expression) for pattern in (_ROOT, _INDEXED, _TRUE_MINUS, _FACTORIAL))
    is_marked = (
        is_marked
        or any(pattern.match(expression) for pattern in (_BY_ONE, _APPLIED, _QUOTIENT, _SUM))
        or _is_comparison(expression)
    )
    return is_marked or (_RELATION.search(expression) is not None and _is_equation(expression))


def _is_comparison(expression: str) -> bool:
    """Whether an expression compares variables, as in x<y. Numbers are compared by the rules for signs."""
    return _COMPARED.match(expression) is not None and any(letter.isalpha() for letter in expression[1:])


def _is_equation(expression: str) -> bool:
    """Whether an expression with an equals sign is more than the value of a variable: 5-3=2, y = -x, F = ma."""
    if not _OPERATION.search(expression):
        return _LAW.match(expression) is not None and any(not match["digit"] for match in _RUN.finditer(expression))
    a_range = _RANGE.match(expression)
    return a_range is None or int(a_range["first"]) >= int(a_range["last"])


def _is_product(match: re.Match[str]) -> bool:
    """Whether a run of letters is a product or a function, and not a word."""
    run = match["run"]
    if match["digit"] or run in _PRODUCTS or run in {"sin", "sen", "cos", "tan", "tg", "log", "ln", "lim", "exp", "max", "min"}:
        return True
    return _VOWELS.isdisjoint(run) or not (run.islower() or run.istitle() or run.isupper()) or (len(run) == 2 and run.isupper())


TAGGED: Final = re.compile(r"<(?P<name>su[pb])>(?P<content>[^<>]{1,12}+)</(?P=name)>", re.IGNORECASE)
_TAGGED_POWER: Final = re.compile(r"[-−+]?[0-9]{1,6}[-−+]?\Z|[nxkmij]\Z|[-−+]?[0-9]?[a-z]?[-−+][0-9a-z]\Z|[-−+]\Z|T\Z")
_TAGGED_INDEX: Final = re.compile(r"[0-9]{1,4}\Z|[aehijklmnoprstuvx]\Z|[0-9a-z][-−+][0-9a-z]\Z")
_OTHER_POWER: Final = re.compile(
    r"[-−+]?[0-9a-z]?[α-ω][a-z0-9]?\Z|[-−+]?[0-9]/[0-9]\Z|[-−+]?[a-z0-9]{1,2}[-−+*][a-z0-9]{1,2}\Z"
)
_RAISE: Final = {**names.RAISE, "−": "⁻"}
_LOWER: Final = {**names.LOWER, "−": "₋"}


def raise_tags(match: re.Match[str]) -> str | None:
    """Returns a number in `<sup>` or `<sub>` as raised or lowered characters; None for anything else."""
    content = match["content"].strip()
    is_raised = match["name"].lower() == "sup"
    pattern, table = (_TAGGED_POWER, _RAISE) if is_raised else (_TAGGED_INDEX, _LOWER)
    if not pattern.match(content) or any(character not in table for character in content):
        if is_raised:
            is_power = _OTHER_POWER.match(content) and match.string[max(0, match.start() - 1) : match.start()].isalpha()
            return f"^{{{content}}}" if is_power else None
        return None if len(content) > 3 else f" {content}"
    return "".join(table[character] for character in content)


def say_absolute(match: re.Match[str]) -> str | None:
    """Returns LaTeX for a term between bars; None for what is no term, as the cells of a table."""
    if not _ABSOLUTE_TERM.match(match["content"]) or match["content"].isdigit():
        return None
    power = f"^{{{names.plain_of(match['power']).lstrip('^')}}}" if match["power"] else ""
    return f"{match['bar']}{match['content']}{match['bar']}{power}"


def lower_index(match: re.Match[str]) -> str | None:
    """Returns a letter with its index as lowered characters; None if one of them has no lowered form."""
    index = match["long"] or match["one"]
    lowered = "".join(_LOWER.get(character, " ") for character in index)
    return None if " " in lowered else match["base"] + lowered
