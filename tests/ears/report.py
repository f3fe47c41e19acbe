"""The figures go to tables on the screen, a JSON file and the comparison with the baseline, all from the same rows."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tests.benchmarks.machine import describe_commit, describe_machine

Figure = str | int | float | None
Row = dict[str, Figure]
"""Figures by name, each name ending with its unit."""
Rows = dict[str, Row]
"""Rows by name; the name is shown in the first column."""


class Report:
    """The figures of one run, by part."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.parts: dict[str, Rows] = {}
        self.seconds: dict[str, float] = {}
        self.notes: dict[str, list[str]] = {}

    @contextmanager
    def timing(self, part: str) -> Iterator[None]:
        """Measures the time of a part."""
        started = time.monotonic()
        yield
        self.seconds[part] = round(time.monotonic() - started, 1)

    def add(self, part: str, title: str, rows: Rows, notes: Sequence[str] = ()) -> None:
        """Prints a table and stores its rows."""
        self.parts[part], self.notes[part] = rows, list(notes)
        self.console.print(Text(title, style="bold"), make_table(rows))
        for note in notes:
            self.console.print(f"  {note}", highlight=False, markup=False, soft_wrap=True)
        self.console.print()

    @contextmanager
    def steps(self, what: str, n_steps: int) -> Iterator[Callable[[], None]]:
        """Shows a progress bar on a terminal, otherwise a line. Yields a function that is called after each step."""
        if not self.console.is_terminal:
            self.console.print(f"{what}: {n_steps}")
            yield lambda: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            bar = progress.add_task(what, total=n_steps)
            yield lambda: progress.advance(bar)

    def write(self, path: Path) -> None:
        """Writes all figures as JSON."""
        figures: dict[str, Any] = {
            **{"made_at": datetime.now(UTC).isoformat(timespec="seconds"), **describe_commit(), "machine": describe_machine()},
            **{"seconds": self.seconds, "parts": self.parts, "notes": self.notes},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def make_table(rows: Rows) -> Table:
    """Returns a table with one column for each figure of any row."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table("", *names)
    for title, row in rows.items():
        table.add_row(title, *(show(row.get(name)) for name in names))
    return table


def show(figure: Figure) -> str:
    """Formats a figure; one that was not measured is a dash."""
    if figure is None:
        return "–"
    return f"{figure:.2f}" if isinstance(figure, float) else str(figure)
