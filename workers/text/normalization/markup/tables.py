"""Reads tables by their rows: the cells of a row are separated by commas, and each row is a sentence.

Why before emoji are dropped: a cell that has only ✅ is said as "yes".
"""

import re
from functools import cache
from typing import Final

from app.core.speech.characters import CLAUSE_ENDS, SENTENCE_ENDS
from workers.text.locales import loader
from workers.text.locales.structs import Locale
from workers.text.normalization.markup.line_ends import ENDED, end_item, is_short
from workers.text.normalization.rules import any_of
from workers.text.tracked_text import TrackedText

_PIPE: Final = r"(?<!\\)[|│┃║]"
_RULE_LINE: Final = re.compile(
    r"(?m)^[ \t>]{0,12}+[|+:│├└┌╞╔╠╚=┼┬┴┤╪╬╦╩╡┐┘─━═╗╝╣-][-+|:= \t│├└┌╞╔╠╚┼┬┴┤╪╬╦╩╡┐┘─━═╗╝╣]{2,2000}+$"
)
"""A line of dashes in a table. It has a corner or a pipe, else it is a line across the page."""
_CORNER: Final = re.compile(r"[|+│├└┌╞╔╠╚┼┬┴┤╪╬╦╩╡┐┘╗╝╣─━═]")
_ROW: Final = re.compile(
    r"(?m)^(?P<indent>[ \t]{0,12}+(?:>[ \t]?+){0,4}+)(?P<row>[|│┃║](?!\||[^|《\n]{1,40}《)[^\n]{1,4000}+)$"
)
_LOOSE_ROW: Final = re.compile(r"[^\n|]{0,500}+(?<![\\|])\|(?!\|)[^\n]{0,3500}+")
"""A row without a pipe at its start."""
_SPLIT: Final = re.compile(_PIPE)
_TAB: Final = re.compile(r"(?<=[\w%)])\t++(?=[\w$€£¥\"'(-])")
"""The border of two cells in a table that was copied from a page or a sheet."""
_NOTHING: Final = re.compile(r"[-–—―.…:\s]*+")
_HTML_CELL: Final = re.compile(
    r"(?P<open><t[dh]\b[^<>]{0,500}+>(?:<(?:p|span|b|strong|center)\b[^<>]{0,200}+>)?+\s*+)(?P<cell>[^<>\s\w](?:[^<>\n\w]{0,6}+))(?=\s*+<)",
    re.IGNORECASE,
)
_NEAR: Final = 80
_MODIFIERS: Final = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")


def read_tables(tracked: TrackedText, language: str) -> TrackedText:
    """Writes each row of a table as a sentence, and signs for yes and no in its cells as words of `language` (BCP 47)."""
    text = tracked.text
    locale = loader.find(language)
    if "<t" in text or "<T" in text:
        tracked = tracked.sub(_HTML_CELL, lambda match: _say_html(match, locale))
        text = tracked.text
    tracked = tracked.sub(_after_colon(language.partition("-")[0].lower()), lambda match: _say_sign(match[0], locale))
    if "\t" in text:
        tracked = tracked.sub(_TAB, locale.comma + " " * locale.has_spaces)
    if not re.search("[|│┃║]|^[ \t]*+[+├└┌╞╔╠╚]", text, re.MULTILINE):
        return tracked
    tracked = _read_loose(tracked, locale)
    tracked = tracked.sub(_RULE_LINE, lambda match: "" if _CORNER.search(match[0]) else None)
    return tracked.sub(_ROW, lambda match: match["indent"] + _read_row(match["row"], locale, _below(match)))


def _below(match: re.Match[str]) -> str:
    """The text after a row."""
    return match.string[match.end() : match.end() + _NEAR]


@cache
def _after_colon(language: str) -> re.Pattern[str]:
    """The pattern of a sign after a colon at the end of a line: Sync: ✅."""
    signs = [sign for sign in loader.find(language).marks.cells if not sign.isascii() and len(sign) == 1 and sign > "\u2600"]
    return re.compile(rf"(?m)(?<=[:：] ){any_of(signs)}\ufe0f?(?=[ \t]*+$)" if signs else "(?!)")


def _say_html(match: re.Match[str], locale: Locale) -> str | None:
    said = _find_sign(match["cell"].strip(), locale)
    return match["open"] + said if said else None


def _say_sign(cell: str, locale: Locale) -> str | None:
    return _find_sign(cell, locale) or None


def _read_loose(tracked: TrackedText, locale: Locale) -> TrackedText:
    """Reads the rows of tables whose lines do not begin with a pipe: they stand next to a line of dashes such as ---|---."""
    text = tracked.text
    if not re.search(r"(?m)^[ \t]*+:?-{1,200}+:?[ \t]*+\|", text):
        return tracked
    changes: list[tuple[int, int, str]] = []
    lines = list(re.finditer(r"[^\n]*+\n?", text))
    is_table = False
    for number, line in enumerate(lines):
        body = line[0].rstrip("\n")
        if re.fullmatch(r"[ \t]*+:?-{1,200}+:?[ \t]*+\|[-:| \t]*+", body):
            changes.append((line.start(), line.start() + len(body), ""))
            is_table = True
            continue
        following = lines[number + 1][0].strip() if number + 1 < len(lines) else ""
        is_head = re.fullmatch(r":?-{1,200}+:?[ \t]*+\|[-:| \t]*+", following) is not None
        if not (is_table or is_head):
            continue
        if _LOOSE_ROW.fullmatch(body):
            changes.append((line.start(), line.start() + len(body), _read_row(body.strip(), locale, following)))
        else:
            is_table = False
    return tracked.replace(changes)


def _read_row(row: str, locale: Locale, following: str) -> str:
    cells = [_say_cell(cell, locale) for cell in _SPLIT.split(row)]
    cells = [cell for cell in cells if cell]
    if not cells:
        return ""
    comma = locale.comma + " " * locale.has_spaces
    joined = cells[0]
    for cell in cells[1:]:
        joined += (comma if joined[-1] not in ENDED or is_short(joined) else " ") + cell
    joined = joined if joined[-1] in SENTENCE_ENDS else joined.rstrip(CLAUSE_ENDS)
    return end_item(joined, following, locale) or joined


def _say_cell(cell: str, locale: Locale) -> str:
    cell = cell.strip().replace("\\|", "|")
    if _NOTHING.fullmatch(cell):
        return ""
    return _find_sign(cell, locale) or cell


def _find_sign(cell: str, locale: Locale) -> str:
    """Returns the words for a cell that has only a sign, or a sign and a remark in brackets; empty for any other cell."""
    plain = _MODIFIERS.sub("", cell)
    sign, _, rest = plain.partition(" ")
    if sign in locale.marks.cells and (not rest or rest[0] in "(（*["):
        return f"{locale.marks.cells[sign]} {rest}".strip()
    if plain in locale.marks.cells:
        return locale.marks.cells[plain]
    return ""
