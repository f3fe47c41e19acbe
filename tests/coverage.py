"""`python -m tests.coverage`: runs the tests, and shows the files of `app` and `workers` with too little coverage.

Each API and each worker that a test starts is measured too, in its own process. Two processes have no figures: one that is
killed, and one that holds espeak-ng's library, which starts without site-packages.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

_COVERAGE = [sys.executable, "-m", "coverage"]


@click.command()
@click.option("--below", default=90.0, show_default=True, help="Shows the files whose coverage is below this per cent.")
@click.option("--jobs", default=3, show_default=True, help="Number of test files that run at the same time.")
@click.argument("tests", nargs=-1)
def main(below: float, jobs: int, tests: tuple[str, ...]) -> None:
    """Runs TESTS, by default all, and measures their coverage."""
    spread = ["-n", str(jobs), "--dist", "loadfile", "--no-loadscope-reorder"]
    subprocess.run([*_COVERAGE, "erase"], check=True)
    status = subprocess.run([*_COVERAGE, "run", "-m", "pytest", *spread, *tests], check=False).returncode
    subprocess.run([*_COVERAGE, "combine", "--quiet"], check=True)
    report = _read_report()
    Console().print(_table(report["files"], below))
    click.echo(f"All files: {report['totals']['percent_covered']:.1f} % of {report['totals']['num_statements']} statements.")
    sys.exit(status)


def _read_report() -> dict[str, Any]:
    """The report that `coverage json` writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        subprocess.run([*_COVERAGE, "json", "--quiet", "-o", path], check=True)
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])


def _table(files: dict[str, Any], below: float) -> Table:
    table = Table("file", "statements", "not run", "%", title=f"Files below {below:g} %")
    summaries = {name: file["summary"] for name, file in files.items() if file["summary"]["percent_covered"] < below}
    for name, summary in sorted(summaries.items(), key=lambda item: item[1]["percent_covered"]):
        figures = (summary["num_statements"], summary["missing_lines"], f"{summary['percent_covered']:.0f}")
        table.add_row(name, *map(str, figures))
    return table


if __name__ == "__main__":
    main()
