"""`make bench`: measures the engine and the server on this machine. Prints tables and writes a JSON file; asserts nothing.

It measures Kokoro's weights if `koe fetch` has stored them, and otherwise random weights of the same dimensions. The ONNX
export and the random weights are made once and kept in the user's cache folder.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import msgspec
import structlog
from rich.console import Console

from tests.benchmarks.cache import measure_cache
from tests.benchmarks.cached_files import cache_folder
from tests.benchmarks.engine import measure_engine
from tests.benchmarks.equality import measure_equality
from tests.benchmarks.fairness import measure_fairness
from tests.benchmarks.hostile import measure_hostile
from tests.benchmarks.hurried import measure_hurried
from tests.benchmarks.live import measure_live
from tests.benchmarks.load import measure_load
from tests.benchmarks.model import find_weights
from tests.benchmarks.newcomers import measure_newcomers
from tests.benchmarks.plan import FULL, QUICK, Plan
from tests.benchmarks.precision import measure_precision
from tests.benchmarks.report import Report
from tests.benchmarks.server import measure_server

PARTS: Final[dict[str, Callable[[Report, Plan], None]]] = {
    "engine": measure_engine,
    "equality": measure_equality,
    "precision": measure_precision,
    "server": measure_server,
    "newcomers": measure_newcomers,
    "hurried": measure_hurried,
    "live": measure_live,
    "cache": measure_cache,
    "fairness": lambda report, _: measure_fairness(report),
    "load": measure_load,
    "hostile": lambda report, _: measure_hostile(report),
}

QUICK_PARTS: Final = ("engine", "server", "cache")
"""The parts that `all` means with `--quick`. Of the others, `fairness` and `hostile` have no short form."""

_WIDTH: Final = 280
"""Width of the tables in columns if the output is not a terminal."""


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice([*PARTS, "all"]))
@click.option("--quick", "is_quick", is_flag=True, help="Fewer lengths, repeats and clients; only engine, server, cache.")
@click.option(
    "--json",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the figures; by default bench.json in the cache folder.",
)
@click.option(
    "--onnx8",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Kokoro's 8-bit ONNX file, to measure in addition to the other engines.",
)
def main(parts: tuple[str, ...], is_quick: bool, path: Path | None, onnx8: Path | None) -> None:
    """Measure Koe on this machine: its engine against the original and ONNX Runtime, its server, its cache.

    Without PARTS all parts are measured. The files made for this are kept in the user's cache folder.
    """
    if not parts or "all" in parts:
        parts = QUICK_PARTS if is_quick else tuple(PARTS)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    plan = msgspec.structs.replace(QUICK if is_quick else FULL, onnx8=str(onnx8) if onnx8 else None)
    report = Report(console, path or cache_folder() / "bench.json", plan, parts, weights=find_weights())
    report.greet()
    for part in parts:
        PARTS[part](report, plan)
    console.print(f"All figures: {report.path}", soft_wrap=True)


if __name__ == "__main__":
    main()
