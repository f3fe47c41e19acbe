"""Reports every figure as a table on the screen and in a JSON file, both from the same rows.

Why the file is written after each sheet: a run that is ended early keeps its figures.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console, Group
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from tests.benchmarks.figures import Figure, Row
from tests.benchmarks.machine import describe_commit, describe_machine
from tests.benchmarks.plan import Plan


class Report:
    """The sheets of one run."""

    def __init__(self, console: Console, path: Path, plan: Plan, parts: Sequence[str], *, weights: str) -> None:
        """`weights` names the weights of Kokoro: `original`, `8-bit` or `random`."""
        self.console = console
        self._path = path
        self._results: dict[str, Any] = {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            **describe_commit(),
            "machine": describe_machine(),
            "weights": weights,
            "parts": list(parts),
            "settings": msgspec.to_builtins(plan),
            "sheets": {},
        }

    def greet(self) -> None:
        """Prints the machine and the weights."""
        machine = self._results["machine"]
        load = machine["load_average"][0]
        self.console.print(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB; load before: {load}")
        self.console.print(f"Kokoro's weights: {self._results['weights']}\n", highlight=False)

    def add(self, name: str, title: str, rows: Sequence[Row], *notes: str) -> None:
        """Prints a sheet and writes it to the file under `name`. A note is a sentence that explains the figures."""
        self._results["sheets"][name] = {"title": title, "rows": list(rows), "notes": list(notes)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        self.console.print(make_table(title, rows))
        for note in notes:
            self.console.print(f"  {note}", highlight=False, markup=False)
        self.console.print()

    @contextmanager
    def steps(self, description: str, n_steps: int) -> Iterator["Steps"]:
        """Yields a progress bar that advances with each `done`."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield Steps(progress, description, n_steps)

    @property
    def path(self) -> Path:
        """Path of the JSON file."""
        return self._path


class Steps:
    """A progress bar with the name of the current measurement."""

    def __init__(self, progress: Progress, description: str, n_steps: int) -> None:
        self._progress = progress
        self._description = description
        self._bar = progress.add_task(description, total=n_steps)

    def now(self, what: str) -> None:
        """Shows the name of the next measurement."""
        self._progress.update(self._bar, description=f"{self._description}: {what}")

    def done(self) -> None:
        """Advances the bar by one step."""
        self._progress.advance(self._bar)


def make_table(title: str, rows: Sequence[Row]) -> Group:
    """Returns the rows as a table under a title. Its columns are the figures of all rows, except lists."""
    names = list(dict.fromkeys(name for row in rows for name, figure in row.items() if not isinstance(figure, list)))
    table = Table(*names)
    for row in rows:
        table.add_row(*(show(row.get(name)) for name in names))
    return Group(Text(title, style="bold"), table)  # a table's own title would be wrapped to the table's width


def show(figure: Figure) -> str:
    """Formats a figure: a number has three digits, and a figure that was not measured is a dash."""
    if figure is None:
        return "–"
    if not isinstance(figure, float):
        return str(figure)
    if abs(figure) >= 100:
        return f"{figure:.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}" if abs(figure) >= 1 else f"{figure:.3f}"
