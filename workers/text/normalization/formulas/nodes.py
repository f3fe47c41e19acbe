"""The terms of a formula, and those that a single token stands for."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

from workers.text.normalization.formulas import names

_FUNCTION_NAMES: Final = (
    "sin sen cos tan tg cot sec csc arcsin arccos arctan sinh cosh tanh log lg ln exp det dim ker gcd pgcd mdc deg arg Pr"
)
FUNCTIONS: Final = frozenset(_FUNCTION_NAMES.split())
_SHORT_WORDS: Final = frozenset({"if", "and", "for"})
_VOWELS: Final = frozenset("aeiou")


class Kind(StrEnum):
    """What a node is."""

    NUMBER = "number"
    LETTER = "letter"
    WORD = "word"
    SIGN = "sign"
    LARGE = "large"
    FUNCTION = "function"
    ROW = "row"
    FRACTION = "fraction"
    CHOICE = "choice"
    ROOT = "root"
    BRACKET = "bracket"
    ACCENT = "accent"
    NUMBERS = "numbers"
    MATRIX = "matrix"
    LINES = "lines"
    CHEMICAL = "chemical"


class Node(msgspec.Struct):
    """A term or a sign, with what stands above and below its end."""

    kind: Kind
    text: str = ""
    parts: list["Row"] = msgspec.field(default_factory=list)
    high: "Row | None" = None
    low: "Row | None" = None
    n_primes: int = 0


Row = list[Node]


def split_letters(run: str) -> Iterator[Node]:
    """Yields the terms that a run of letters stands for: a function, a word, or the letters one by one."""
    if run in names.LARGE:
        yield Node(Kind.LARGE, run)
    elif run in FUNCTIONS:
        yield Node(Kind.FUNCTION, run)
    elif run in {"mod"}:
        yield Node(Kind.SIGN, run)
    elif run in _SHORT_WORDS or (len(run) > 3 and (run.islower() or run.istitle()) and not _VOWELS.isdisjoint(run)):
        yield Node(Kind.WORD, run)
    else:
        yield from (Node(Kind.LETTER, letter) for letter in run)


def plain_terms(text: str) -> Row:
    """Returns the terms that a token without arguments stands for."""
    if text[0].isdigit():
        return [Node(Kind.NUMBER, text.replace("{", "").replace("}", ""))]
    if text.isascii() and text.isalpha() and text != "mod":
        return list(split_letters(text))
    if text in names.GREEK or text == "ℓ":
        return [Node(Kind.LETTER, "l" if text == "ℓ" else text)]
    if text in names.LARGE:
        return [Node(Kind.LARGE, text)]
    return [] if text in {"{", "}", "~", "&", "\\"} else [Node(Kind.SIGN, "-" if text in "−–" else text)]


def join_fractions(row: Row) -> Row:
    """Returns the row with two numbers around a slash as a fraction."""
    found: Row = []
    for node in row:
        is_joined = len(found) > 1 and found[-1].kind is Kind.SIGN and found[-1].text == "/" and not found[-1].high
        if is_joined and node.kind is found[-2].kind is Kind.NUMBER and not (found[-2].high or found[-2].low or node.low):
            under = Node(Kind.NUMBER, node.text)
            found[-2:] = [Node(Kind.FRACTION, parts=[[found[-2]], [under]], high=node.high)]
        else:
            found.append(node)
    return found


def greek_letter(name: str) -> str | None:
    """Returns the Greek letter that a command names."""
    place = names.GREEK_NAMES.get(name.removeprefix("var").lower())
    if place is None:
        return None
    letter = next(letter for letter, i in names.GREEK.items() if i == place)
    return letter.upper() if name.removeprefix("var")[0].isupper() else letter
