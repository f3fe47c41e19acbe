r"""Finds formulas in LaTeX in a text: `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and environments, and tells them from money and code."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

_ENVIRONMENTS: Final = "equation|align|gather|multline|eqnarray|displaymath|math|alignat|flalign|split|aligned|gathered|cases"
_ENVIRONMENT: Final = rf"(?:(?:{_ENVIRONMENTS})\*?|[pbvBV]?matrix)"
_MARK: Final = re.compile(
    rf"\\\\|\\[()\[\]$]|\\begin\{{(?P<begin>{_ENVIRONMENT})\}}|\\end\{{(?P<end>{_ENVIRONMENT})\}}|\${{1,9}}+|`{{1,9}}+"
)
FORMULA: Final = (
    r"\$\$[^$]{1,4000}+\$\$|\$(?=\S)[^$\n]{1,500}+\$|\\\[(?:[^\\]|\\[^\]\[]){1,4000}+\\\]|\\\((?:[^\\]|\\[^()]){1,1000}+\\\)"
    r"|\\begin\{[a-z]{1,10}\*?\}(?:[^\\]|\\(?!end\{)){1,4000}+\\end\{"
)
"""What may be a formula: a text is not divided within it."""
_CLOSERS: Final = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_MAX_CHARS: Final = {"$": 1000, "\\(": 1000}
_MAX_DISPLAYED: Final = 4000
_MAX_STEPS: Final = 200
"""Marks after an opening one among which its closing one is looked for."""

_GROUPS: Final = re.compile(
    r"\\(?:text|textrm|textbf|textit|mathrm|operatorname|mbox|label|tag|ce|unit|si|begin|end)\*?+\s{0,2}+\{[^{}]{0,200}+\}"
)
_COMMANDS: Final = re.compile(r"\\[A-Za-z]{1,40}+")
_PROSE: Final = re.compile(r"[^\W\d_]{2,}+,?\s{1,2}+[^\W\d_]{2,}")
_LONE_WORD: Final = re.compile(r"(?<=\s)[a-z]{2,}+(?=\s)")
_NAMED: Final = re.compile(r"(?<![A-Za-z])(?:sin|cos|tan|log|ln|exp|max|min|lim|sup|inf|det|mod|gcd|if|and|for)(?![A-Za-z])")
_STRONG: Final = re.compile(r"[\\^_]|(?<![=!<>])=(?!=)")
_OPERATOR: Final = re.compile(r"[-−+*/=<>≤≥≠≈×÷±·∈|!]")
_AMOUNT: Final = re.compile(r"[.]?[0-9][0-9.,]*+(?: [A-Za-z]{2,}|[A-Za-z]{4,}|[ ,;:.—–-]{1,9}\Z)")
"""A number with a word or a mark: two dollar signs around it belong to amounts."""
_NAME: Final = re.compile(r"(?:[^\W\d_]{5,40}+|[^\W\dA-Z_][^\W\d_]{3,40}+)'?\Z")
_WORD: Final = re.compile(r"(?<![^\W\d_])[^\W\d_]++\Z")
_BLANK_LINE: Final = re.compile(r"\n[ \t]*+\n")
_SUFFIX: Final = re.compile(r"(?:th|st|nd|rd|s|e|ème|ième|º|ª|o|a)(?![A-Za-z0-9])")
_LETTER_OR_DIGIT: Final = re.compile("[A-Za-z0-9]")


def find_formulas(text: str) -> Iterator[tuple[int, int, str]]:
    """Yields start and end of each formula with its delimiters, and the formula without them."""
    marks = list(_MARK.finditer(text))
    same = _next_same(marks)
    i = 0
    while i < len(marks):
        found = _formula_at(text, marks, i, same)
        if found is None:
            i += 1
            continue
        last, formula = found
        if formula is not None:
            yield marks[i].start(), marks[last].end(), formula
        i = last + 1


def _next_same(marks: list[re.Match[str]]) -> dict[int, int]:
    """Returns, for each mark of code, the index of the next one of the same length."""
    following: dict[int, int] = {}
    last: dict[str, int] = {}
    for i in range(len(marks) - 1, -1, -1):
        if marks[i][0][0] == "`":
            if marks[i][0] in last:
                following[i] = last[marks[i][0]]
            last[marks[i][0]] = i
    return following


def _formula_at(text: str, marks: Sequence[re.Match[str]], i: int, same: dict[int, int]) -> tuple[int, str | None] | None:
    """Returns the index of the last mark of what begins with mark `i`, and the formula in it; no formula for code.

    Returns None if nothing begins there.
    """
    mark = marks[i]
    if mark[0][0] == "`":
        if i not in same:
            return None
        content = text[mark.end() : marks[same[i]].start()]
        return same[i], content.removeprefix("math\n") if len(mark[0]) > 2 and content.startswith("math\n") else None
    last = _closing(marks, i)
    if last is None:
        return None
    content = text[mark.end() : marks[last].start()]
    if _BLANK_LINE.search(content) or not (mark["begin"] or _is_formula(text, mark, marks[last], content)):
        return None
    return last, text[mark.start() : marks[last].end()] if mark["begin"] else content


def _closing(marks: Sequence[re.Match[str]], i: int) -> int | None:
    """Returns the index of the mark that closes a formula which mark `i` opens; None without one nearby."""
    mark = marks[i]
    closer = _CLOSERS.get(mark[0])
    if closer is None and not mark["begin"]:
        return None
    most = _MAX_CHARS.get(mark[0], _MAX_DISPLAYED)
    for j in range(i + 1, min(len(marks), i + _MAX_STEPS)):
        other = marks[j]
        if (mark["begin"] and other["end"] == mark["begin"]) or other[0] == closer:
            return j
        is_opened_again = other[0] == mark[0] or (mark[0][0] == "$" and other[0][0] == "$")
        if is_opened_again or other.start() - mark.end() > most:
            return None
    return None


def _is_formula(text: str, opener: re.Match[str], closer: re.Match[str], content: str) -> bool:
    if len(content) > 2 and content[0] == content[-1] == "`":
        return True
    if not content.strip():
        return False
    is_strong = _STRONG.search(content) is not None
    bare = _NAMED.sub("1", _COMMANDS.sub(" ", _GROUPS.sub(" ", content)))
    is_prose = _PROSE.search(bare) is not None or (not is_strong and _LONE_WORD.search(bare) is not None)
    if is_prose and "\\" not in content and "^" not in content:
        return False
    if opener[0] == "$":
        return _may_be_inline(text, opener, closer, content, is_strong=is_strong)
    stripped = content.strip()
    if opener[0] == "\\[":
        return is_strong or _OPERATOR.search(stripped) is not None
    return is_strong or not (_WORD.match(stripped) and len(stripped) > 3)


def _may_be_inline(text: str, opener: re.Match[str], closer: re.Match[str], content: str, *, is_strong: bool) -> bool:
    """Whether what stands between two dollar signs is a formula, and not a text between two amounts or names."""
    before, after = text[max(0, opener.start() - 1) : opener.start()], text[closer.end() : closer.end() + 1]
    if _LETTER_OR_DIGIT.match(before) or (_LETTER_OR_DIGIT.match(after) and not _SUFFIX.match(text, closer.end())):
        return False
    if content[0].isspace() or content[-1].isspace():
        return is_strong and content[0].isspace() and content[-1].isspace()
    return is_strong or not (_AMOUNT.match(content) or _NAME.match(content))
