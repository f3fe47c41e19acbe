"""`make chaos`: injects faults of every kind into a running Koe while many clients listen, and reports the results.

Every response is compared byte for byte with the response of an undisturbed server. The seed determines the order of the faults
and the requests of each listener; the timing depends on the machine.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from app.core.speech.formats import FORMATS
from tests.chaos.faults import FaultInjector, Fleet
from tests.chaos.listeners import Listener, Script, Tally, crowd

SETTINGS: Final = {
    "KOE_ENGINE": "espeak",
    "KOE_WORKER_TIMEOUT": "2",
    "KOE_CACHE_BYTES": "0",
    "KOE_SEGMENT_BYTES": "4MiB",
    "KOE_SLOTS": "16",
}
"""Without a cache, since otherwise most texts would be spoken only once. The segment cache holds a minute and a half, so that
some segments are found, evicted and spoken again. The engine is espeak, since a tone ends before it can be interrupted.
"""


class Account:
    """The results of a run."""

    def __init__(self, tally: Tally, injector: FaultInjector, said: str) -> None:
        self.tally = tally
        self.faults = dict(injector.done)
        finished = [json.loads(line) for line in said.splitlines() if '"utterance_finished"' in line]
        self.n_workers = said.count('"worker_started"')
        self.n_espeak_retries = said.count('"espeak_ended"')
        self.n_taken_over = sum(event["claim"] > 1 for event in finished)
        self.n_segments = sum(event["n_segments"] for event in finished)
        self.n_spoken_twice = sum(max(0, event["n_spoken"] - event["n_segments"]) for event in finished)

    def show(self) -> str:
        """Returns the results as text."""
        tally = self.tally
        gaps = sorted(tally.longest_gaps)
        return "\n".join(
            [
                f"faults: {', '.join(f'{n} {kind}' for kind, n in sorted(self.faults.items()))}",
                f"requests: {tally.n_requests}, failed: {len(tally.failures)}, left on purpose: {tally.n_left}",
                f"responses compared byte for byte: {tally.n_compared} ({tally.n_bytes / 1e6:.0f} MB)",
                f"repeated: {tally.n_asked_again} after a refusal, {tally.n_cut_by_api} after their API process was killed",
                f"utterances taken over by another worker: {self.n_taken_over}; workers started, of two: {self.n_workers}",
                f"calls to espeak-ng that were repeated after its process died: {self.n_espeak_retries}",
                f"segments: {self.n_segments}, spoken twice: {self.n_spoken_twice}",
                f"longest gap in a response: p50 {_at(gaps, 0.5):.2f} s, p99 {_at(gaps, 0.99):.2f} s, max {_at(gaps, 1):.2f} s",
                *tally.failures,
            ]
        )


def _at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def _after(seconds: float) -> Callable[[], bool]:
    """Returns a function that tells whether `seconds` have passed since this call."""
    over = time.monotonic() + seconds
    return lambda: time.monotonic() > over


def run_chaos(data: Path, seed: int, *, n_listeners: int, script: Script, harm: Callable[[FaultInjector], Any]) -> Account:
    """Runs `n_listeners` during `harm`, and returns the results."""
    fleet = Fleet(data, SETTINGS)
    injector, tally = FaultInjector(fleet, seed), Tally()
    is_over = False
    try:
        fleet.wait_whole()
        script.learn(fleet.served.url)

        def make(number: int) -> Listener:
            return Listener(fleet.served.url, script, seed * 1000 + number, tally, injector.api_deaths)

        threads = list(crowd(n_listeners, make, lambda: is_over))
        try:
            harm(injector)
        finally:
            is_over = True
            for thread in threads:
                thread.join()
        return Account(tally, injector, fleet.said())
    finally:
        fleet.end()


@click.command()
@click.option("--seconds", type=float, default=600, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--listeners", "n_listeners", type=int, default=6, show_default=True)
@click.option("--kind", "kinds", multiple=True, help="A kind of fault, as named in tests.chaos.faults; by default all.")
@click.option(
    "--pause", type=(float, float), default=(1.0, 4.0), show_default=True, help="Shortest and longest pause before a fault, s."
)
def main(seconds: float, seed: int, n_listeners: int, kinds: tuple[str, ...], pause: tuple[float, float]) -> None:
    """Inject faults for SECONDS and print the results."""
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        account = run_chaos(
            Path(folder) / "data",
            seed,
            n_listeners=n_listeners,
            script=Script(tuple(FORMATS), lengths=(1, 6, 40)),
            harm=lambda injector: injector.run(_after(seconds), pause, kinds),
        )
    click.echo(account.show())
    sys.exit(1 if account.tally.failures else 0)


if __name__ == "__main__":
    main()
