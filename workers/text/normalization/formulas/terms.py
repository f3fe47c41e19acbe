"""Says single terms of formulas: numbers, letters, fractions, roots, matrices."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final

from workers.text.locales.structs import EastAsian, Western
from workers.text.normalization import numerals
from workers.text.normalization.formulas import chemistry, names, shapes
from workers.text.normalization.formulas.nodes import Kind, Node
from workers.text.normalization.formulas.quantities import Quantities


class Terms(ABC):
    """Says the terms of one language. What stands within a term is said by `say_row`."""

    @abstractmethod
    def say_row(self, row: Sequence[Node], *, is_limit: bool = False) -> str:
        """Says terms in their order. `is_limit`: they stand below a limit."""

    def __init__(self, locale: Western | EastAsian, *, british: bool = False) -> None:
        self._locale = locale
        self._words = locale.math
        self._british = british
        self._signs = {**locale.signs, **locale.math.symbols}
        self.quantities = Quantities(locale)
        self.is_spaced = locale.has_spaces
        self._has_comma = isinstance(locale, Western) and "," in locale.points

    def _term(self, node: Node) -> str:
        """Says a term without what stands above and below its end."""
        say = _SAY.get(node.kind)
        if node.kind is Kind.WORD and not node.text.isalpha() and (unit := self.quantities.name(node.text, "")):
            return unit
        return say(self, node) if say else node.text

    def number(self, node: Node) -> str:
        """Says a number."""
        return self._number(node.text)

    def letter(self, node: Node) -> str:
        """Says a letter."""
        place = names.GREEK.get(node.text)
        return self._words.letters.get(node.text, node.text) if place is None else self._words.greek[place]

    def row(self, node: Node) -> str:
        """Says terms in invisible brackets."""
        return self.say_row(node.parts[0])

    def choice(self, node: Node) -> str:
        """Says a number of combinations."""
        over, under = node.parts
        return self._words.choose.format(over=self.say_row(over), under=self.say_row(under))

    def accent(self, node: Node) -> str:
        """Says a letter with a sign above it."""
        return self._words.accents[node.text].format(base=self.say_row(node.parts[0]))

    def numbers(self, node: Node) -> str:
        """Says the name of a set of numbers."""
        return node.text if node.high else self._words.sets.get(node.text, node.text)

    def chemical(self, node: Node) -> str:
        """Says a chemical formula."""
        return self.say_chemical(node.text)

    def fraction(self, node: Node) -> str:
        """Says a fraction."""
        if isinstance(self._locale, Western) and (text := shapes.digits_over_digits(node)) in self._locale.fractions:
            return self._locale.fractions[text]
        over, under = node.parts
        is_long = shapes.has_terms(over) or shapes.has_terms(under)
        template = self._words.long_fraction if is_long else self._words.fraction
        return template.format(over=self.say_row(over), under=self.say_row(under))

    def root(self, node: Node) -> str:
        """Says a root."""
        order, content = node.parts
        said, words = self.say_row(content), self._words
        text = order[0].text if len(order) == 1 else ""
        if not order or text == "2":
            return words.square_root.format(content=said) + "," * shapes.has_terms(content)
        if text == "3":
            return words.cube_root.format(content=said) + "," * shapes.has_terms(content)
        return words.other_root.format(index=self.say_row(order), content=said)

    def lines(self, node: Node) -> str:
        """Says a matrix, or the lines of several formulas."""
        rows = [[self.say_row(cell.parts[0]) for cell in line] for line in node.parts]
        if node.kind is Kind.LINES:
            between = ", " if node.text == "cases" else " "
            return "; ".join(between.join(filter(None, row)) for row in rows if any(row))
        return self._words.matrix.format(content="; ".join(", ".join(filter(None, row)) for row in rows if any(row)))

    def say_chemical(self, text: str) -> str:
        """Returns the words for chemical formulas, as the command for them has them."""
        return chemistry.say_all(text, self._words, self._number, self._signs)

    def _mixed(self, whole: str, text: str) -> str:
        """Says a whole number with a fraction."""
        over, _, under = text.partition("/")
        alone = self._words.fraction.format(over=self._number(over), under=self._number(under))
        if isinstance(self._locale, EastAsian):
            return f"{whole}{self._locale.and_fraction}{alone}"
        alone = self._locale.fractions.get(text, alone)
        return f"{whole} " + self._locale.and_fractions.get(text, f"{self._locale.signs['&']} {alone}")

    def _number(self, text: str) -> str:
        """Says a number, with a point or a comma before its decimals."""
        text = text if self._has_comma else text.replace(",", "")
        whole, point, rest = text.partition("," if "," in text else ".")
        locale = self._locale
        if isinstance(locale, EastAsian):
            return text
        if locale.language == "en":
            british = self._british
            return numerals.decimal(whole, rest, british=british) if rest else numerals.cardinal(whole, british=british)
        if not rest:
            return whole if len(whole) <= numerals.MAX_DIGITS else numerals.part_digits(whole)
        is_spaced = len(rest) > 2 or rest[0] == "0" or locale.language == "hi"
        return f"{whole} {locale.points[point]} {numerals.part_digits(rest) if is_spaced else rest}"


_SAY: Final[dict[Kind, Callable[[Terms, Node], str]]] = {
    Kind.NUMBER: Terms.number,
    Kind.LETTER: Terms.letter,
    Kind.ROW: Terms.row,
    Kind.FRACTION: Terms.fraction,
    Kind.CHOICE: Terms.choice,
    Kind.ROOT: Terms.root,
    Kind.ACCENT: Terms.accent,
    Kind.NUMBERS: Terms.numbers,
    Kind.MATRIX: Terms.lines,
    Kind.LINES: Terms.lines,
    Kind.CHEMICAL: Terms.chemical,
}
"""Kind of a term → the method that says it."""
