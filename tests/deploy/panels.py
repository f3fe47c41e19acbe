"""`python -m tests.deploy.panels`: checks against a live server that every query of the dashboard returns data, and draws it.

It starts Koe with a real Valkey and two workers, has Prometheus scrape it every second under load, and asks Prometheus the
query of every panel. It needs Debian's package prometheus, and matplotlib for the pictures.
"""

import math
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from tests.deploy import traffic
from tests.deploy.prometheus_server import JOB, WINDOW, Prometheus, Series, prometheus
from tests.deploy.queries import Query, dashboard, panels, queries_of

NEEDS_GPU: Final = "koe_device_memory_bytes"
SETTLING_SECONDS: Final = 8.0
"""Time after the load in which workers hand over their last counts and webhooks are sent."""

Drawn = dict[str, list[tuple[str, Series]]]


@click.command()
@click.option("--engine", type=click.Choice(["tone", "espeak", "kokoro"]), default="tone", show_default=True)
@click.option("--seconds", default=60.0, show_default=True, help="Duration of the load.")
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path), help="Folder for the pictures.")
def main(engine: str, seconds: float, pictures: Path | None) -> None:
    """Check every panel of the dashboard against a live server under load."""
    if shutil.which("prometheus") is None:
        raise click.ClickException("prometheus is not installed; Debian has it in the package prometheus")
    drawn = measure(engine, seconds)
    if pictures is not None:
        from tests.deploy.plots import draw  # matplotlib need not be installed.

        pictures.mkdir(parents=True, exist_ok=True)
        click.echo("\n".join(map(str, draw(dashboard(), drawn, pictures))))
    empty = [f"{panel}: {name}" for panel, found in drawn.items() for name, one in found if not one.points]
    if empty:
        raise click.ClickException("queries without data:\n  " + "\n  ".join(empty))
    click.echo(f"{len(drawn)} panels, {sum(len(found) for found in drawn.values())} series: every query has data")


def measure(engine: str, seconds: float) -> Drawn:
    """Returns the series of every panel after a time of load."""
    with ExitStack() as stack:
        folder = stack.enter_context(traffic.short_folder())
        server = stack.enter_context(traffic.two_workers(engine, folder))
        scraper = stack.enter_context(prometheus(folder, server.url.removeprefix("http://")))
        start = time.time()
        traffic.run(server, seconds)
        time.sleep(SETTLING_SECONDS)
        click.echo(f"alerts: {', '.join(scraper.firing()) or 'none'}")
        return ask_all(scraper, start)


def ask_all(scraper: Prometheus, start: float) -> Drawn:
    """Returns the series of every panel. A query without data has one series without points."""
    return {
        panel["title"]: [found for query in queries_of(panel) for found in ask(scraper, query, start)] for panel in panels()
    }


def ask(scraper: Prometheus, query: Query, start: float) -> list[tuple[str, Series]]:
    """Returns the series of one query with their names. Values that are no numbers are left out."""
    expr = query.at(JOB, WINDOW)
    found = scraper.now(expr) if query.is_instant else scraper.over(expr, start, time.time())
    cleaned = [Series(one.labels, [point for point in one.points if math.isfinite(point[1])]) for one in found]
    whole = [(named(query.legend, one.labels), one) for one in cleaned if one.points]
    if not whole and NEEDS_GPU not in query.expr:
        return [(query.legend, Series({}, []))]
    return whole


def named(legend: str, labels: dict[str, str]) -> str:
    """Returns the name of a series, as Grafana makes it from the legend."""
    for label, value in labels.items():
        legend = legend.replace(f"{{{{{label}}}}}", value)
    return legend


if __name__ == "__main__":
    main()
