"""Divides a formula in LaTeX into tokens, and finds the end of each bracket.

Why brackets are matched before anything is read: each token is then read once, so the time is linear in the formula.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from workers.text.normalization.formulas import names


def _pattern(number: str) -> re.Pattern[str]:
    return re.compile(
        r"\\(?:begin|end)[ \t]{0,4}+\{[A-Za-z]{1,20}\*?+\}(?:\{[A-Za-z0-9|@{}. ]{0,20}?\})?+"
        rf"|\\[A-Za-z]++\*?+|\\.|{number}|[A-Za-z]++|[^\W\d_]|\S",
        re.DOTALL,
    )


_POINTS: Final = _pattern(r"[0-9]++(?:(?:\{,\}|,)[0-9]{3}(?![0-9]))*+(?:\.[0-9]++)?+")
_COMMAS: Final = _pattern(r"[0-9]++(?:\.[0-9]++|\{,\}[0-9]++|,[0-9]++(?![,0-9)\]]))?+")
"""Tokens in a language that writes 1,000.5, and in one that writes 1000,5."""
_SIZE: Final = re.compile(r"\\(?:left|right|middle|[bB]igg?[lrm]?)(?![A-Za-z])(?:\s*+\.)?+")
_OPENERS: Final = {"(": ")", "[": "]", "\\{": "\\}", "⌊": "⌋", "⌈": "⌉", "⟨": "⟩"}
_CLOSERS: Final = {closer: opener for opener, closer in _OPENERS.items()}
_MIXED: Final = frozenset("[(")
_BARS: Final = frozenset("|‖")
_ENVIRONMENT: Final = re.compile(r"\\(begin|end)[ \t]{0,4}+\{([A-Za-z]{1,20}\*?+)\}")


class Token(msgspec.Struct, frozen=True):
    """A part of a formula that cannot be divided, and its place."""

    text: str
    start: int
    end: int


def tokenize(formula: str, *, has_comma: bool) -> list[Token]:
    """Returns the tokens of `formula`. Signs that LaTeX names are given as the sign, and marks of size are left out.

    `has_comma`: a comma stands before decimals.
    """
    sized = _SIZE.sub(lambda match: " " * len(match[0]), formula)
    return [_token(match) for match in (_COMMAS if has_comma else _POINTS).finditer(sized)]


def environment(token: Token) -> str:
    """Returns the name of the environment that `token` begins; empty if it begins none."""
    match = _ENVIRONMENT.match(token.text)
    return match[2].rstrip("*") if match and match[1] == "begin" else ""


def find_mates(tokens: Sequence[Token]) -> dict[int, int]:
    """Returns, for each opening bracket that is closed, its index and that of the bracket that closes it."""
    return _Matcher(tokens).match()


class _Matcher:
    """Finds the ends of brackets. `_open` has the indexes of those that are still open, `_n_braces` counts its braces."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._mates: dict[int, int] = {}
        self._open: list[int] = []
        self._n_braces = 0

    def match(self) -> dict[int, int]:
        for i, token in enumerate(self._tokens):
            text = token.text
            if text == "{" or text in _OPENERS or text.startswith("\\begin"):
                self._n_braces += text == "{"
                self._open.append(i)
            elif text == "}":
                self._close_brace(i)
            elif text.startswith("\\end"):
                self._close_environment(i)
            elif text in _CLOSERS and self._open and _closes(self._last(), text):
                self._mates[self._open.pop()] = i
        for sign in _BARS:
            self._match_bars(sign)
        return self._mates

    def _last(self) -> str:
        return self._tokens[self._open[-1]].text if self._open else ""

    def _close_brace(self, i: int) -> None:
        if not self._n_braces:
            return
        self._n_braces -= 1
        while self._last() != "{":
            self._open.pop()
        self._mates[self._open.pop()] = i

    def _close_environment(self, i: int) -> None:
        while self._open and not self._last().startswith(("\\begin", "{")):
            self._open.pop()
        if self._last().startswith("\\begin"):
            self._mates[self._open.pop()] = i

    def _match_bars(self, sign: str) -> None:
        """Finds the ends of the bars `sign`: a bar opens and closes a bracket with the same sign."""
        levels: list[list[int]] = [[]]
        ends: list[int] = []
        for i, token in enumerate(self._tokens):
            if ends and i == ends[-1]:
                ends.pop()
                self._pair(levels.pop())
            if i in self._mates and self._tokens[self._mates[i]].text != sign:
                ends.append(self._mates[i])
                levels.append([])
            if token.text == sign:
                levels[-1].append(i)
        for bars in levels:
            self._pair(bars)

    def _pair(self, bars: Sequence[int]) -> None:
        """Pairs bars of one level. Of an odd number, only those after a sign open a bracket: P(A|B) has one."""
        is_even = len(bars) % 2 == 0
        opened: int | None = None
        for i in bars:
            if opened is not None and opened + 1 < i:
                self._mates[opened] = i
                opened = None
            elif is_even or not i or _may_open(self._tokens[i - 1].text):
                opened = i


def _token(match: re.Match[str]) -> Token:
    text = match[0]
    if text.startswith("\\") and not text.startswith(("\\begin", "\\end")):
        text = names.SIGNS.get(text[1:].rstrip("*"), text)
    return Token(text, *match.span())


def _closes(opener: str, closer: str) -> bool:
    return _OPENERS.get(opener) == closer or (opener in _MIXED and _CLOSERS[closer] in _MIXED)


def _may_open(before: str) -> bool:
    """Whether a bar after the token `before` opens a bracket, and is no bar between two terms."""
    if before in names.RELATIONS | names.OPERATORS or before in _OPENERS or before in {"{", "&", "\\\\", ",", "^", "_", "="}:
        return True
    return len(before) > 1 and before[0] == "\\"
