"""Reads a formula in LaTeX as a tree of terms: fractions, roots, brackets, and terms with powers and indices."""

import re
from collections.abc import Callable
from typing import Final

from workers.text.normalization.formulas import names
from workers.text.normalization.formulas.nodes import (
    FUNCTIONS,
    Kind,
    Node,
    Row,
    greek_letter,
    join_fractions,
    plain_terms,
    split_letters,
)
from workers.text.normalization.formulas.tokens import Token, environment, find_mates, tokenize

MAX_DEPTH: Final = 40
"""Brackets that are deeper in a formula than this are not read."""


_FRACTIONS: Final = "frac dfrac tfrac cfrac nicefrac sfrac"
_CHOICES: Final = "binom dbinom tbinom"
_TEXTS: Final = "text textrm textbf textit textsf texttt textnormal mbox operatorname unit si"
_ACCENTS: Final = {"overrightarrow": "vec", "widehat": "hat", "widetilde": "tilde"} | {
    name: name for name in ("vec", "hat", "bar", "overline", "tilde", "dot", "ddot")
}
_DROPPED: Final = "label tag vspace hspace color phantom vphantom hphantom"
_SECOND: Final = "overset underset stackrel textcolor colorbox"
"""Commands of which only the second argument is read."""
_QUANTITIES: Final = "SI qty"
_PAUSES: Final = "quad qquad \\"
_CHEMICALS: Final = "ce pu"
_MATRICES: Final = frozenset({"matrix", "pmatrix", "bmatrix", "vmatrix", "Bmatrix", "Vmatrix", "smallmatrix", "array"})
_LABEL: Final = re.compile(r"(?<=\S):(?=\s)")
"""The colon after a name, as in f: A → B; a ratio has spaces on both sides or on none."""
_ARGUMENT_OF: Final = re.compile(r"\\arg\s{0,4}+\\(max|min)(?![A-Za-z])")
_UNIT: Final = re.compile(r"[A-Za-z]{1,4}(?:\^\{?[23]\}?)?(?:/[A-Za-z]{1,3}(?:\^\{?[23]\}?)?)?\Z")
_UNIT_POWER: Final = re.compile(r"\^\{?([23])\}?")


def read(formula: str, *, has_comma: bool) -> Row:
    """Returns the terms of `formula`, which has no delimiters around it. `has_comma`: a comma stands before decimals."""
    if "\\{" not in formula:
        formula = _LABEL.sub(",", formula)
    return _Reader(_ARGUMENT_OF.sub(r"\\arg\1", formula), has_comma=has_comma).row()


class _Reader:
    """Reads tokens one by one. `_at` is the index of the next token, `_end` that of the token after the last."""

    def __init__(self, formula: str, *, has_comma: bool) -> None:
        raised = names.RAISED_RUN.sub(lambda match: "^{" + names.plain_of(match[0]) + "}", formula)
        self._formula = names.LOWERED_RUN.sub(lambda match: "_{" + names.plain_of(match[0]) + "}", raised)
        self._tokens = tokenize(self._formula, has_comma=has_comma)
        self._mates = find_mates(self._tokens)
        self._at, self._end, self._depth = 0, len(self._tokens), 0

    def row(self) -> Row:
        """Reads up to the end."""
        found: Row = []
        while self._at < self._end:
            text = self._tokens[self._at].text
            if text in {"^", "_"}:
                self._script(found or [Node(Kind.WORD)])
            elif text in {"'", "’", "′"} and found:
                self._at += 1
                found[-1].n_primes += 1
            else:
                found.extend(self._next())
        return join_fractions(found)

    def _script(self, found: Row) -> None:
        """Reads a power or an index of the last term of `found`."""
        is_high = self._tokens[self._at].text == "^"
        self._at += 1
        script = self._argument()
        if is_high and script and all(node.kind is Kind.SIGN and node.text == "′" for node in script):
            found[-1].n_primes += len(script)
        elif is_high:
            found[-1].high = script
        else:
            found[-1].low = script

    def _next(self) -> Row:
        """Reads the next term, or the terms that the next token stands for."""
        at = self._at
        text = self._tokens[at].text
        self._at += 1
        if at in self._mates:
            return self._bracket(at)
        if text[0] == "\\":
            return self._command(text[1:].rstrip("*"))
        if text == "√":
            return [Node(Kind.ROOT, parts=[[], self._under_root()])]
        is_word = text.isalpha() and not text.isascii() and text not in names.GREEK and text not in {"ℓ", "ℏ"}
        return [self._word(at)] if is_word else plain_terms(text)

    def _under_root(self) -> Row:
        """Reads what a root sign without a line above applies to: a bracket or the next term."""
        if self._at < self._end and self._tokens[self._at].text == "(" and self._at in self._mates:
            self._at += 1
            return self._within(self._mates[self._at - 1])
        self._depth += 1
        found = self._next() if self._at < self._end and self._depth < MAX_DEPTH else []
        self._depth -= 1
        return found

    def _word(self, at: int) -> Node:
        """Reads a word in another script than that of the variables."""
        while self._at < self._end and self._tokens[self._at].start == self._tokens[self._at - 1].end:
            if not self._tokens[self._at].text.isalpha():
                break
            self._at += 1
        return Node(Kind.WORD, self._formula[self._tokens[at].start : self._tokens[self._at - 1].end])

    def _bracket(self, at: int) -> Row:
        opener, mate = self._tokens[at], self._mates[at]
        if opener.text.startswith("\\begin"):
            return [self._environment(environment(opener), mate)]
        content = self._within(mate)
        if opener.text == "{":
            return content if len(content) == 1 else [Node(Kind.ROW, parts=[content])]
        brackets = opener.text.strip("\\") + self._tokens[mate].text.strip("\\")
        return [Node(Kind.BRACKET, brackets, [content])]

    def _within(self, mate: int) -> Row:
        """Reads up to the bracket at `mate`, and goes past it."""
        if self._depth >= MAX_DEPTH:
            self._at = mate + 1
            return []
        end, self._end = self._end, mate
        self._depth += 1
        content = self.row()
        self._depth -= 1
        self._at, self._end = mate + 1, end
        return content

    def _environment(self, name: str, mate: int) -> Node:
        """Reads an environment: each line is a row of cells."""
        lines: list[Row] = []
        cells: Row = []
        start = self._at
        depth_0 = self._places(mate)
        for place in [*depth_0, mate]:
            self._at = start
            cells.append(Node(Kind.ROW, parts=[self._within_line(place)]))
            start = place + 1
            if place == mate or self._tokens[place].text == "\\\\":
                lines.append(cells)
                cells = []
        self._at = mate + 1
        return Node(Kind.MATRIX if name in _MATRICES else Kind.LINES, name, lines)

    def _within_line(self, end: int) -> Row:
        return self._within(end) if self._at < end else []

    def _places(self, end: int) -> list[int]:
        """Returns the indexes of the marks between lines and cells that stand in no inner bracket."""
        found, at = [], self._at
        while at < end:
            if self._tokens[at].text in {"\\\\", "&"}:
                found.append(at)
            at = self._mates.get(at, at) + 1
        return found

    def _argument(self) -> Row:
        """Reads the argument of a command: what stands in braces, else one token."""
        if self._at >= self._end:
            return []
        at = self._at
        text = self._tokens[at].text
        if self._has_braces():
            self._at += 1
            return self._within(self._mates[at])
        if text in {"^", "_"} or self._depth >= MAX_DEPTH:
            self._at += self._depth >= MAX_DEPTH
            return []
        if text.isascii() and text.isalnum() and text not in names.LARGE:
            return self._one_character(at)
        self._depth += 1
        found = self._next()
        self._depth -= 1
        return found

    def _one_character(self, at: int) -> Row:
        """Reads the first character of a token: in x^23, the power is 2. The rest stays."""
        token = self._tokens[at]
        first = token.text[0]
        if len(token.text) > 1:
            self._tokens[at] = Token(token.text[1:], token.start + 1, token.end)
        else:
            self._at += 1
        return [Node(Kind.NUMBER if first.isdigit() else Kind.LETTER, first)]

    def _raw(self) -> str:
        """Returns the argument of a command as it is written."""
        at = self._at
        if not self._has_braces():
            return "".join(node.text for node in self._argument())
        mate = self._mates[at]
        self._at = mate + 1
        return self._formula[self._tokens[at].end : self._tokens[mate].start]

    def _has_braces(self) -> bool:
        return self._at < self._end and self._at in self._mates and self._tokens[self._at].text == "{"

    def _command(self, name: str) -> Row:
        """Reads what a command stands for, and its arguments. Nothing is read of an unknown command but its arguments."""
        greek = greek_letter(name)
        if greek is not None:
            return [Node(Kind.LETTER, greek)]
        if name in names.LARGE or name in FUNCTIONS:
            return list(split_letters(name))
        if name in _ACCENTS:
            return [Node(Kind.ACCENT, _ACCENTS[name], [self._argument()])]
        handler = _HANDLERS.get(name)
        return handler(self) if handler else []

    def fraction(self) -> Row:
        return [Node(Kind.FRACTION, parts=[self._argument(), self._argument()])]

    def choice(self) -> Row:
        return [Node(Kind.CHOICE, parts=[self._argument(), self._argument()])]

    def root(self) -> Row:
        return [Node(Kind.ROOT, parts=[self._option(), self._argument()])]

    def words(self) -> Row:
        return [Node(Kind.WORD, self._raw().strip())]

    def chemical(self) -> Row:
        return [Node(Kind.CHEMICAL, self._raw())]

    def numbers(self) -> Row:
        return [Node(Kind.NUMBERS, self._raw().strip())]

    def quantity(self) -> Row:
        return [*self._argument(), *self.words()]

    def modulus(self) -> Row:
        return [Node(Kind.SIGN, "mod"), *self._argument()]

    def pause(self) -> Row:
        return [Node(Kind.SIGN, ",")]

    def dropped(self) -> Row:
        self._raw()
        return []

    def second(self) -> Row:
        self._raw()
        return self._argument()

    def upright(self) -> Row:
        """Reads upright letters: a word or a unit, or what any other row may have."""
        if not self._has_braces():
            return self._argument()
        at = self._at
        raw = self._raw().strip()
        if len(raw) == 2 and raw.istitle() and self._at < self._end and self._tokens[self._at].text == "^":
            return [Node(Kind.CHEMICAL, raw)]
        if raw.isalpha() and len(raw) > 1 and raw not in names.LARGE | FUNCTIONS:
            return [Node(Kind.WORD, raw)]
        if _UNIT.match(raw) and not raw.isalpha():
            return [Node(Kind.WORD, _UNIT_POWER.sub(lambda match: "²" if match[1] == "2" else "³", raw))]
        self._at = at
        return self._argument()

    def _option(self) -> Row:
        """Reads an argument in square brackets, if there is one."""
        at = self._at
        if at < self._end and self._tokens[at].text == "[" and at in self._mates:
            self._at += 1
            return self._within(self._mates[at])
        return []


_HANDLERS: Final[dict[str, Callable[[_Reader], Row]]] = {
    **dict.fromkeys(_FRACTIONS.split(), _Reader.fraction),
    **dict.fromkeys(_CHOICES.split(), _Reader.choice),
    **dict.fromkeys(_TEXTS.split(), _Reader.words),
    **dict.fromkeys(_CHEMICALS.split(), _Reader.chemical),
    **dict.fromkeys(_QUANTITIES.split(), _Reader.quantity),
    **dict.fromkeys(_PAUSES.split(), _Reader.pause),
    **dict.fromkeys(_DROPPED.split(), _Reader.dropped),
    **dict.fromkeys(_SECOND.split(), _Reader.second),
    **{"sqrt": _Reader.root, "mathbb": _Reader.numbers, "mathrm": _Reader.upright, "pmod": _Reader.modulus},
}
"""Name of a command → the method that reads its arguments."""
