r"""Commands of LaTeX that stand in a text without delimiters: `2 \times 3`, `\textbf{word}`."""

import re
from functools import cache
from typing import Final

from workers.text.normalization.formulas import names
from workers.text.normalization.rules import Rule, any_of

_STRUCTURES: Final = "frac dfrac tfrac cfrac sqrt binom vec hat bar overline mathbb mathrm mathbf mathcal ce text left right"
_BRACES: Final = r"\{[^{}]{0,80}(?:\{[^{}]{0,40}\}[^{}]{0,40}){0,4}\}"


@cache
def bare() -> re.Pattern[str]:
    """The pattern of a command without delimiters around it, with its arguments."""
    signs = {name for name in names.SIGNS if name.isalpha() and len(name) > 1} - {
        "in",
        "to",
        "top",
        "bot",
        "star",
        "mod",
        "ast",
    }
    greek = {name for one in names.GREEK_NAMES for name in (one, one.capitalize(), f"var{one}")}
    large = {name for name in names.LARGE if name.isascii()}
    known = any_of({*signs, *greek, *large, *_STRUCTURES.split()})
    scripts = rf"(?:[_^](?:{_BRACES}|[A-Za-z0-9])){{0,2}}+"
    return re.compile(rf"(?<![\w\\:/.-])\\{known}(?![A-Za-z])(?:\[[^\[\]]{{0,20}}\])?+(?:{_BRACES}){{0,2}}+{scripts}")


def _unwrap(match: re.Match[str]) -> str:
    return str(match["content"]) + ("\n\n" if match["heading"] else "")


TEXT_COMMANDS: Final = (
    Rule(re.compile(r"(?<![\w\\:])\\(?:label|cite[pt]?|ref|eqref|footnote)\{[^{}]{0,200}+\}"), "", needs_digit=False),
    Rule(
        re.compile(
            r"(?<![\w\\:])\\(?:textbf|textit|emph|underline|texttt|textsc|(?P<heading>(?:sub){0,2}section|chapter|paragraph)\*?)"
            r"\{(?P<content>[^{}]{0,300}+)\}"
        ),
        _unwrap,
        needs_digit=False,
    ),
    Rule(
        re.compile(r"(?<![\w\\:])\\(?:begin|end)\{(?:itemize|enumerate|document|center|figure|table|theorem|proof|quote)\}"),
        "",
        needs_digit=False,
    ),
    Rule(
        re.compile(
            rf"(?<![\w\\:/.])\\(?!{any_of(_STRUCTURES.split())}\{{)[A-Za-z]{{2,20}}\*?+\{{(?P<content>[^{{}}]{{0,200}}+)\}}"
        ),
        lambda match: match["content"],
        needs_digit=False,
    ),
    Rule(re.compile(r"(?m)^[ \t]{0,8}+\\item(?![A-Za-z])"), "-", needs_digit=False),
)
UNKNOWN: Final = Rule(re.compile(r"(?<![\w\\:/.])\\[A-Za-z]{3,20}+(?![A-Za-z\\/.:{])"), "", needs_digit=False)
"""A command that is not known and has no arguments. A path has more names after it."""
