"""What the terms of a formula look like: lists, sums, factors. This decides which words are said for their brackets."""

from typing import Final

from workers.text.normalization.formulas.nodes import Kind, Node, Row

OPERANDS: Final = frozenset(
    {Kind.NUMBER, Kind.LETTER, Kind.WORD, Kind.ROW, Kind.FRACTION, Kind.CHOICE, Kind.ROOT, Kind.BRACKET, Kind.ACCENT,
     Kind.NUMBERS, Kind.MATRIX, Kind.CHEMICAL}
)  # fmt: skip
"""Kinds of terms that stand before and after an operator."""


def is_value(node: Node | None) -> bool:
    """Whether a term is a value that a variable may approach."""
    return node is not None and (node.kind is Kind.NUMBER or node.text in {"∞", "-", "+"})


def split(row: Row) -> list[Row]:
    """Returns the parts of a row between its commas."""
    parts: list[Row] = [[]]
    for node in row:
        if node.kind is Kind.SIGN and node.text in {",", ";"}:
            parts.append([])
        else:
            parts[-1].append(node)
    return parts


def is_list(row: Row) -> bool:
    """Whether the row has only letters and numbers with commas between them, as the arguments of a function."""
    return bool(row) and all(len(part) == 1 and part[0].kind in {Kind.LETTER, Kind.NUMBER, Kind.ACCENT} for part in split(row))


def has_terms(row: Row) -> bool:
    """Whether the row is a sum or a list, and not a single product."""
    if len(row) == 1 and row[0].kind is Kind.ROW:
        return has_terms(row[0].parts[0])
    return any(node.kind is Kind.SIGN and i and node.text in "+-±∓,=<>≤≥/" for i, node in enumerate(row))


def is_factor(node: Node | None) -> bool:
    """Whether a bracket next to `node` must be told apart from it."""
    return node is not None and (
        node.kind in OPERANDS or node.kind is Kind.LARGE or (node.kind is Kind.SIGN and node.text in "-−·⋅*×/÷∘⊗!")
    )


def is_minus_one(power: Row) -> bool:
    """Whether a power is -1."""
    return [node.text for node in power] == ["-", "1"]


def digits_over_digits(node: Node) -> str:
    """Returns a fraction of two numbers as 1/2; empty for any other."""
    over, under = node.parts
    plain = all(len(row) == 1 and row[0].kind is Kind.NUMBER and not (row[0].high or row[0].low) for row in (over, under))
    return f"{over[0].text}/{under[0].text}" if plain else ""
