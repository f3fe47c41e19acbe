"""Says the terms of a formula in a language, as a reader would.

Why brackets are said only around several terms: "f of x" and "two times x" need none, and in "the quantity x plus one, squared"
they decide what is squared.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from typing_extensions import override

from workers.text.locales.structs import EastAsian, Western
from workers.text.normalization import numerals
from workers.text.normalization.formulas import chemistry, names, shapes
from workers.text.normalization.formulas.nodes import Kind, Node, Row
from workers.text.normalization.formulas.terms import Terms
from workers.text.normalization.formulas.tree import read
from workers.text.normalization.rules import Rule, any_of

_APPLIED: Final = frozenset("fghFGHLPOTEΓΦΨζ")
"""Letters that usually name a function."""
_INVERTED: Final = frozenset("fghABMPQ")
"""Letters that usually name a function or a matrix: their power -1 is the inverse."""
_OF_MATRIX: Final = frozenset("abcghmABCGMSTσγρ")
"""Letters that usually name a matrix and its terms."""
_ORDINALS: Final = frozenset({"st", "nd", "rd", "th", "º", "ª", "er", "ème"})
_INTERVALS: Final = frozenset({"[]", "[)", "(]", "]["})
_LOOSE_COMMA: Final = re.compile(r" ?+,(?: ?+,)++")
_SPACE_BEFORE: Final = re.compile(r" (?=[,;、，])")
_COMMA_BEFORE_MARK: Final = re.compile(r"[,、，](?=[;；])")
_UNSPACED: Final = re.compile("(?<=[\u3001-\u30ff\u3400-\u9fff，；]) | (?=[\u3001-\u30ff\u3400-\u9fff，；])")
_LAST_STOP: Final = re.compile(r"(?<![.])\.(?:\s|\\end\{[a-z]{1,12}\*?\}|\\label\{[^{}]{0,60}\}){0,4}\Z")
"""The full stop of the sentence that ends with a formula."""
_COMPOUND: Final = re.compile(
    r"(?<![A-Za-z\\_^])(?:[A-Z][a-z]?(?:_(?:[0-9]|\{[0-9]{1,3}\}))?+){2,12}+(?:\^(?:[-+]|\{[0-9]?[-+]\}))?+(?![A-Za-z(_^'])"
)
"""What may be a chemical formula among other terms: H_2O."""
_SPACES: Final = re.compile(r"\s++")


class Speaker(Terms):
    """Says formulas in one language."""

    def say(self, formula: str) -> str:
        """Returns the words for a formula in LaTeX, without the delimiters around it; empty if there is nothing to say."""
        marked = _COMPOUND.sub(_mark_compound, formula) if "_" in formula else formula
        words = self._tidy(self.say_row(read(marked, has_comma=self._has_comma)))
        return words + self._locale.full_stop if words and _LAST_STOP.search(formula) else words

    def say_scientific(self, n: str, power: str) -> str:
        """Returns the words for a number as programs write it: 1.5e-6."""
        sign = f"{self._words.minus} " if power[0] in "-−" else ""
        return self._tidy(f"{self._number(n)} e {sign}{self._number(power.lstrip('-−+'))}")

    def chemical_rules(self, stand_for: Callable[[str], str | None]) -> Iterator[Rule]:
        """Rules that replace chemical formulas by the result of `stand_for` for their words."""
        return chemistry.rules(lambda formula: stand_for(self._tidy(self.say_chemical(formula))))

    def sign_rules(self) -> Iterator[Rule]:
        """Rules for signs next to a character that stands for a formula."""
        minus = f" {self._words.minus} " if self.is_spaced else self._words.minus
        yield Rule(re.compile("(?<=[\U00100000-\U0010fffd]) - (?=[0-9\U00100000-\U0010fffd])"), minus, needs_digit=False)
        if self._words.after_let:
            yield Rule(
                re.compile(rf"(?P<let>\b(?i:{any_of(self._words.after_let)}) [\U00100000-\U0010fffd]) ?(?P<sign>[<>]) ?"),
                lambda match: f"{match['let']} {self._signs[match['sign']].removeprefix(self._words.verb)} ",
                needs_digit=False,
            )
        for sign, word in (("+", self._signs["+"]), ("<", self._signs["<"]), (">", self._signs[">"]), ("−", self._words.minus)):
            yield Rule(
                re.compile(rf"(?<=[\U00100000-\U0010fffd]) ?\{sign} ?|(?<![\{sign}-]) ?\{sign} ?(?=[\U00100000-\U0010fffd])"),
                f" {word} " if self.is_spaced else word,
                needs_digit=False,
            )

    def without_verb(self, words: str, before: str) -> str:
        """Returns the words for a formula without their first verb if a word such as *let* or *any* stands before them."""
        word = before.rsplit(maxsplit=1)[-1:] if before.endswith(" ") else []
        is_after_let = bool(word) and word[0].lower() in self._words.after_let
        return words.replace(f" {self._words.verb}", " ", 1) if is_after_let and self._words.verb else words

    def say_greek(self, letter: str, after: str | None) -> str:
        """Returns the words for a Greek letter, and for a letter that may follow it: Δt."""
        name = self._words.greek[names.GREEK[letter]]
        return self._tidy(f"{name} {self._words.letters.get(after, after)}" if after else name)

    def say_accent(self, accent: str, letter: str) -> str:
        """Returns the words for a letter with a sign above it."""
        return self._tidy(self._words.accents[accent].format(base=letter))

    def sign_word(self, sign: str) -> str:
        """Returns the word for a sign outside formulas."""
        words = self._words
        other = {one: templates[0] for one, templates in words.large.items()} | dict(
            zip("ℕℤℚℝℂ", words.sets.values(), strict=True)
        )
        other["∛"] = words.cube_root.format(content="").strip()
        return other.get(sign) or self._signs[sign]

    def _tidy(self, words: str) -> str:
        words = _LOOSE_COMMA.sub(",", _SPACES.sub(" ", words))
        words = _COMMA_BEFORE_MARK.sub("", _SPACE_BEFORE.sub("", words)).strip(" ,;、，；")
        for apart, together in self._words.contractions.items():
            words = words.replace(f" {apart}", f" {together}")
        if not isinstance(self._locale, EastAsian):
            return words
        return _UNSPACED.sub("", words.replace(", ", self._locale.comma).replace("; ", self._locale.comma))

    @override
    def say_row(self, row: Sequence[Node], *, is_limit: bool = False) -> str:
        said: list[str] = []
        before: Node | None = None
        for i, node in enumerate(row):
            following = row[i + 1] if i + 1 < len(row) else None
            if (joined := self._joined(said, before, node)) is not None:
                said[-1:] = [joined]
            else:
                if before is not None and self._needs_times(before, node):
                    said.append(self._words.times)
                said.append(self._node(node, before, following, is_limit=is_limit))
            before = node
        return " ".join(filter(None, said))

    def _joined(self, said: list[str], before: Node | None, node: Node) -> str | None:
        """Says `node` together with the term before it, if the two are one term: f(x), n!, 2½, 5 m."""
        if before is None or not said:
            return None
        if node.kind is Kind.BRACKET:
            return self._application(said[-1], before, node) if self._applies(before, node) else None
        if node.kind is Kind.SIGN:
            is_factorial = node.text == "!" and before.kind in shapes.OPERANDS
            return self._words.factorial.format(base=said[-1]) if is_factorial else None
        if before.kind is not Kind.NUMBER:
            return None
        if node.kind is Kind.FRACTION:
            return self._mixed(said[-1], text) if (text := shapes.digits_over_digits(node)) else None
        unit = self.quantities.name(node.text, before.text) if node.kind is Kind.WORD else ""
        return f"{said[-1]} {unit}" if unit else None

    def _application(self, function: str, before: Node, bracket: Node) -> str:
        """Says a function, whose words are `function`, with its arguments in brackets."""
        argument = self._given(bracket) if before.text in {"P", "Pr"} else self.say_row(bracket.parts[0])
        if before.kind is Kind.FUNCTION:
            if before.low or function.endswith(" of"):
                return f"{function} {argument},"
            function = function.removesuffix(f" {self._words.of_function}")
        return self._scripts(self._words.of.format(function=function, argument=argument), bracket)

    def _applies(self, before: Node, bracket: Node) -> bool:
        """Whether `before` is a function, and the bracket after it holds its arguments."""
        if before.kind is Kind.FUNCTION or (before.kind is Kind.WORD and bracket.text == "()"):
            return True
        if before.kind is Kind.FRACTION:
            return before.parts[0][:1] != [] and before.parts[0][0].text in {"d", "∂"} and len(before.parts[1]) > 1
        if before.kind is not Kind.LETTER or bracket.text != "()":
            return False
        return before.text in _APPLIED or shapes.is_list(bracket.parts[0])

    def _needs_times(self, before: Node, node: Node) -> bool:
        if node.kind not in shapes.OPERANDS or before.kind not in shapes.OPERANDS:
            return False
        if before.text in {"||", "‖‖"} or node.text in {"||", "‖‖"}:
            return before.kind is Kind.BRACKET is node.kind
        is_long = any(one.kind is Kind.BRACKET and (one is node or shapes.has_terms(one.parts[0])) for one in (before, node))
        return is_long or (before.kind is node.kind is Kind.NUMBER)

    def _node(self, node: Node, before: Node | None, following: Node | None, *, is_limit: bool) -> str:
        if node.kind is Kind.SIGN:
            return self._sign(node, before, following, is_limit=is_limit)
        if node.kind is Kind.LARGE:
            return self._large(node)
        if node.kind is Kind.FUNCTION:
            return self._function(node)
        if node.kind is Kind.BRACKET:
            is_alone = not (node.high or node.low or shapes.is_factor(before) or shapes.is_factor(following))
            return self._scripts(self._bracket(node, before, is_alone=is_alone), node)
        return self._scripts(self._term(node), node)

    def _sign(self, node: Node, before: Node | None, following: Node | None, *, is_limit: bool) -> str:
        text, words = node.text, self._words
        if text in {",", ";", "."}:
            return text if text != "." else ","
        is_between = before is not None and (
            before.kind in shapes.OPERANDS or before.text in {"!", "°", "%", "…", "∞", "∅", "∇", "ℏ"}
        )
        if text in {"·", "⋅", "*"}:
            return words.times if is_between and following is not None else ""
        special = {
            "-": words.minus if is_between else words.negative,
            "→": words.symbols["→ lim"] if is_limit else words.symbols["→ value"] if shapes.is_value(following) else None,
            "…": words.and_so_on,
            "|": words.given,
            "%": self._locale.percent if isinstance(self._locale, Western) else None,
        }
        word = special.get(text) or self._signs.get(text, "")
        return self._scripts(word, node) if word else ""

    def _large(self, node: Node) -> str:
        name = {"liminf": "inf", "limsup": "sup", "argmax": "max", "argmin": "min"}.get(node.text, node.text)
        plain, below, both = self._words.large[name]
        if node.text.startswith("arg"):
            plain, below, both = f"arg {plain}", f"arg {below}", f"arg {both}"
        if not node.low:
            return plain
        low = self.say_row(node.low, is_limit=True)
        return both.format(low=low, high=self.say_row(node.high)) if node.high else below.format(low=low)

    def _function(self, node: Node) -> str:
        name = self._words.functions.get(node.text, node.text)
        if node.low and node.text in {"log", "lg"}:
            return self._words.log_base.format(base=self.say_row(node.low))
        if node.high and shapes.is_minus_one(node.high):
            return self._words.inverse.format(base=name) + f" {self._words.of_function}"
        return f"{self._scripts(name, node)} {self._words.of_function}".rstrip()

    def _scripts(self, said: str, node: Node) -> str:
        """Adds the index, the marks and the power of `node` to its words."""
        if node.low:
            if node.kind is Kind.BRACKET or all(one.kind is Kind.WORD for one in node.low):
                said = f"{said} {self.say_row(node.low)}"
            else:
                said = self._words.index.format(base=said, index=self._index(node.text, node.low))
        if node.n_primes:
            said = (self._words.prime if node.n_primes == 1 else self._words.double_prime).format(base=said)
        if not node.high:
            return said
        ending = "".join(one.text for one in node.high)
        if ending in _ORDINALS and node.kind in {Kind.NUMBER, Kind.LETTER}:
            return self._ordinal(node, said, ending)
        if node.text in _INVERTED and shapes.is_minus_one(node.high):
            return self._words.inverse.format(base=said)
        return self._with_power(said, node.high)

    def _index(self, letter: str, low: Row) -> str:
        """Says an index. The row and the column of a term of a matrix are two numbers: a₁₂."""
        text = low[0].text if len(low) == 1 else ""
        if letter in _OF_MATRIX and len(text) == 2 and set(text) <= set("1234"):
            return " ".join(map(self._number, text))
        return self.say_row(low).replace(" , ", " ")

    def _ordinal(self, node: Node, said: str, ending: str) -> str:
        is_english = isinstance(self._locale, Western) and self._locale.language == "en"
        if is_english and node.kind is Kind.NUMBER and node.text.isdigit():
            return numerals.ordinal(node.text, british=self._british)
        return f"{said}{ending}"

    def _with_power(self, said: str, power: Row) -> str:
        words, text = self._words, "".join(node.text for node in power)
        templates = {"2": words.squared, "3": words.cubed} | dict.fromkeys("T⊤", words.transpose)
        if template := (templates | dict.fromkeys("*∗⋆", words.star)).get(text):
            return template.format(base=said)
        if text in {"∘", "°"}:
            return f"{said} {self._degrees()}"
        if text[-1:] in {"+", "-"}:
            number = "".join(f" {self._number(node.text)}" for node in power[:-1] if node.kind is Kind.NUMBER)
            return f"{said}{number} {self._signs['+'] if text[-1] == '+' else words.minus}"
        return words.power.format(base=said, power=self.say_row(power))

    def _degrees(self) -> str:
        return self._locale.degrees.many if isinstance(self._locale, Western) else self._locale.units["°"]

    def _bracket(self, node: Node, before: Node | None, *, is_alone: bool) -> str:
        """Says a bracket that holds no arguments of a function."""
        content, words = node.parts[0], self._words
        for brackets, template in (("||", words.absolute), ("‖‖", words.norm), ("⌊⌋", words.floor), ("⌈⌉", words.ceiling)):
            if node.text == brackets:
                return template.format(content=self.say_row(content))
        if node.text == "{}":
            return self._set(content)
        ends = shapes.split(content)
        is_member = before is not None and before.text in {"∈", "∉"}
        if len(ends) == 2 and (node.text in _INTERVALS or is_member):
            return words.interval.format(low=self.say_row(ends[0]), high=self.say_row(ends[1]))
        said = self.say_row(content)
        return words.group.format(content=said) if shapes.has_terms(content) and not is_alone else said

    def _set(self, content: Row) -> str:
        bar = next((i for i, node in enumerate(content) if node.text in {"|", "∣", ":"}), None)
        if bar is None:
            return self._words.set_of.format(content=self.say_row(content))
        terms = f"{self.say_row(content[:bar])} {self._words.such_that} {self.say_row(content[bar + 1 :])}"
        return self._words.set_of.format(content=terms)

    def _given(self, bracket: Node) -> str:
        """Says the content of a bracket in which a bar means a condition."""
        content = bracket.parts[0]
        said = (self._words.given if node.text == "∣" else self._node(node, None, None, is_limit=False) for node in content)
        has_bar = any(node.text == "∣" for node in content)
        return " ".join(said) if has_bar else self.say_row(content)


def _mark_compound(match: re.Match[str]) -> str:
    """Returns a chemical formula with the command for it around it."""
    symbols, numbers = re.findall("[A-Z][a-z]?", match[0]), re.findall("[0-9]+", match[0].partition("^")[0])
    return f"\\ce{{{match[0]}}}" if numbers and chemistry.is_compound(symbols, numbers) else match[0]
