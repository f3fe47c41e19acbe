"""Prints JSON and tables for people and programs, with any content and on any terminal."""

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

import click
from rich.cells import cell_len, set_cell_size

from app.core.host.streams import can_show

_GAP: Final = "  "
_MIN_CELLS: Final = 8
"""The last cell of a line is not cut to fewer columns than this; the terminal breaks the line instead."""


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
