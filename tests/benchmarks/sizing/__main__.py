"""`python -m tests.benchmarks.sizing [listeners|redis]`: prints tables and writes a JSON file; asserts nothing."""

from pathlib import Path
from typing import Final

import click
from rich.console import Console

from tests.benchmarks.cached_files import cache_folder
from tests.benchmarks.machine import n_cores
from tests.benchmarks.model import find_weights
from tests.benchmarks.plan import FULL
from tests.benchmarks.report import Report
from tests.benchmarks.sizing.listeners import measure_listeners
from tests.benchmarks.sizing.redis import measure_redis

PARTS: Final = ("listeners", "redis")
_WIDTH: Final = 220


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--cores", type=click.IntRange(1), multiple=True, help="Cores of the server; by default one, and all of them.")
@click.option("--each", "levels", type=click.IntRange(1), multiple=True, default=(2, 3, 4), show_default=True)
@click.option("--seconds", default=20.0, show_default=True, help="Seconds for each number of listeners.")
@click.option("--usd", default=0.05, show_default=True, help="Price of a core hour.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="File for the figures.")
def main(
    parts: tuple[str, ...], cores: tuple[int, ...], levels: tuple[int, ...], seconds: float, usd: float, path: Path | None
) -> None:
    """Measure what a fleet needs. `--each` is a number of listeners for each core; it can be repeated, as can `--cores`."""
    console = Console()
    console = console if console.is_terminal else Console(width=_WIDTH)
    chosen = parts or PARTS
    report = Report(console, path or cache_folder() / "sizing.json", FULL, chosen, weights=find_weights())
    report.greet()
    if "listeners" in chosen:
        measure_listeners(report, cores or sorted({1, n_cores()}), levels, seconds, usd)
    if "redis" in chosen:
        measure_redis(report)


if __name__ == "__main__":
    main()
