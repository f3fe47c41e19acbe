"""Prints text for people as it is, with any content and on any terminal.

Why Rich's markup is not used: text such as `pip install 'koe[worker]'` contains what Rich takes for a style and removes. Styled
text is assembled from pieces instead.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, Final

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console

_GAP: Final = "  "
_MIN_CELLS: Final = 8
"""The last cell of a line is not cut to fewer columns than this; the terminal breaks the line instead."""


def replace_what_cannot_be_shown() -> None:
    """From now on standard output and error show `?` for characters that their encoding lacks, where Python would raise."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]


def plain_console(file: IO[str] | None = None, *, is_for_errors: bool = False) -> Console:
    """A Rich console that does not interpret markup or emoji codes, and does not highlight."""
    return Console(file=file, stderr=is_for_errors, markup=False, emoji=False, highlight=False)


def can_show(text: str, encoding: str | None) -> bool:
    """Whether a stream of that encoding has these characters."""
    try:
        text.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def echo_json(value: Any) -> None:
    """Prints the value as JSON, with escapes when standard output is not Unicode."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(text if can_show(text, sys.stdout.encoding) else json.dumps(value, indent=2))


def echo_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a line for each row. Only the last cell may be cut, and only on a terminal, because users copy ids."""
    shown = [[_printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[column]) for row in shown) for column in range(len(header) - 1)]
    for number, (*cells, last) in enumerate(shown):
        line = "".join(set_cell_size(cell, width) + _GAP for cell, width in zip(cells, widths, strict=True))
        line = (line + _cut(last, cell_len(line))).rstrip()
        click.echo(line if number else click.style(line, bold=True))


def _cut(text: str, n_before: int) -> str:
    left = shutil.get_terminal_size().columns - n_before
    if not sys.stdout.isatty() or left < _MIN_CELLS or cell_len(text) <= left:
        return text
    return set_cell_size(text, left - 1).rstrip() + "…"


def _printable(text: str) -> str:
    """The text in one line, without characters that move the cursor or colour the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
