"""`python -m tests.benchmarks.scaling`: a day of listeners under each policy, as a table of waits and costs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
from rich.console import Console

from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.report import make_table
from tests.benchmarks.scaling.arrivals import Demand, Request, arrivals
from tests.benchmarks.scaling.fleet import Fleet
from tests.benchmarks.scaling.measured import Measured
from tests.benchmarks.scaling.policies import Fixed, Policy, Utilisation, WaitingAudio

_WIDTH = 200
LONG_WAIT_SECONDS = 2.0
_UTILISATION_TARGETS = (0.5, 0.75)


def row_of(fleet: Fleet, policy: Policy, measured: Measured) -> Row:
    """Returns the figures of one day."""
    waits = [speech.first_at - speech.request.at for speech in fleet.speeches if speech.first_at is not None]
    core_hours = fleet.worker_seconds / 3600 * measured.n_cores
    audio_hours = sum(speech.request.audio_seconds for speech in fleet.speeches) / 3600
    return {
        "policy": policy.name,
        **{f"p{share} s": percentile(waits, share / 100) for share in (50, 95, 99)},
        "over 2 s %": 100 * sum(wait > LONG_WAIT_SECONDS for wait in waits) / len(waits),
        "underruns %": 100 * sum(speech.is_late for speech in fleet.speeches) / len(fleet.speeches),
        "refused %": 100 * fleet.n_refused / len(fleet.speeches),
        "most workers": fleet.n_most_workers,
        "worker hours": fleet.worker_seconds / 3600,
        "busy %": 100 * audio_hours * measured.cpu_seconds_per_audio_second / core_hours,
        "USD": core_hours * measured.usd_per_core_hour,
    }


def smallest_fixed(requests: list[Request], measured: Measured, *, most_over: float, n_most: int) -> int:
    """Returns the smallest fixed fleet that lets at most this share of the listeners wait for long."""

    def is_enough(n_workers: int) -> bool:
        fleet = Fleet(measured, Fixed(n_workers)).run(requests)
        n_long = sum((speech.first_at or 0.0) - speech.request.at > LONG_WAIT_SECONDS for speech in fleet.speeches)
        return n_long <= most_over * len(fleet.speeches)

    return _first(1, n_most, is_enough)


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Returns the smallest number for which it holds, if it also holds for all larger ones."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def policies(requests: list[Request], measured: Measured, thresholds: tuple[float, ...], n_most: int) -> Iterator[Policy]:
    """Yields every policy of the table."""
    for most_over in (0.05, 0.01):
        yield Fixed(smallest_fixed(requests, measured, most_over=most_over, n_most=n_most))
    for target in _UTILISATION_TARGETS:
        yield Utilisation(target, n_least=1, n_most=n_most)
    for threshold in thresholds:
        yield WaitingAudio(threshold, n_least=1, n_most=n_most)
    for threshold in thresholds:
        yield WaitingAudio(threshold, n_least=0, n_most=n_most)


@click.command()
@click.option("--requests", "n_requests", default=Demand().n_requests, show_default=True, help="Requests of the day.")
@click.option("--seed", default=1, show_default=True)
@click.option("--start-seconds", default=Measured().start_seconds, show_default=True, help="Start of a worker, with its pod.")
@click.option("--cores", "n_cores", default=Measured().n_cores, show_default=True, help="Cores of a worker.")
@click.option("--most", "n_most", default=40, show_default=True, help="Most workers.")
@click.option("--threshold", "thresholds", type=float, multiple=True, default=(20.0, 30.0, 60.0), show_default=True)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="File for the figures.")
def main(
    n_requests: int,
    seed: int,
    start_seconds: float,
    n_cores: int,
    n_most: int,
    thresholds: tuple[float, ...],
    path: Path | None,
) -> None:
    """Simulate a day of listeners on a fleet that is fixed, follows CPU utilisation, or follows the audio that waits."""
    demand, measured = Demand(n_requests=n_requests), Measured(start_seconds=start_seconds, n_cores=n_cores)
    requests = arrivals(demand, measured, seed)
    audio_hours = sum(request.audio_seconds for request in requests) / 3600
    rows = [
        row_of(Fleet(measured, policy, seed=seed).run(requests), policy, measured)
        for policy in policies(requests, measured, thresholds, n_most)
    ]
    title = (
        f"{len(requests):,} requests ({audio_hours:,.0f} h of audio), seed {seed}; a worker has {n_cores} cores and starts in "
        f"{start_seconds:g} s; {measured.usd_per_core_hour:g} USD per core hour"
    )
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH)).print(make_table(title, rows))
    if path is not None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode({"title": title, "rows": rows}), indent=1) + b"\n")


if __name__ == "__main__":
    main()
