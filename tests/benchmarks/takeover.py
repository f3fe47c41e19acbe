"""`python -m tests.benchmarks.takeover`: how long a listener gets no new audio when the speaking worker is killed.

Two workers speak with espeak. The speaking one is killed with SIGKILL as soon as the first audio has come. The listener reads
what was written until then; the time is measured from the kill to the next byte.
"""

import os
import signal
import tempfile
import time
from pathlib import Path

import click
import httpx
from redis import Redis
from rich.console import Console

from app.core.storage.connections import connect
from app.core.storage.embedded_server import embedded_url
from tests import replies
from tests.benchmarks.figures import Row, spread
from tests.benchmarks.report import make_table
from tests.chaos.faults import Fleet
from tests.end_to_end.listeners import SPEECH, asked
from tests.engines import text_of

console = Console()


def silence_seconds(fleet: Fleet, redis: Redis, number: int) -> float:
    """Returns the seconds from the kill to the next byte."""
    body = asked(text_of(40, f"listener number {number}"), "wav", model="espeak")
    with httpx.stream("POST", f"{fleet.served.url}{SPEECH}", json=body, timeout=60) as answer:
        chunks = answer.iter_raw()
        n_heard = len(next(chunks))
        record = _record(redis)
        killed_at = time.monotonic()
        os.kill(int(record["worker"].split("-")[-2]), signal.SIGKILL)
        n_written = int(_record(redis)["bytes"])
        while n_heard < n_written:
            n_heard += len(next(chunks))
        next(chunks)
        seconds = time.monotonic() - killed_at
        for _ in chunks:
            pass
    return seconds


def _record(redis: Redis) -> dict[str, str]:
    records = (replies.fields(redis, key) for key in replies.key_names(redis, "koe:utterance:*"))
    return next(record for record in records if record["state"] == "speaking")


@click.command()
@click.option("--kills", "n_kills", default=20, show_default=True)
@click.option("--timeout", "timeouts", multiple=True, default=("5", "2"), show_default=True, help="KOE_WORKER_TIMEOUT")
def main(n_kills: int, timeouts: tuple[str, ...]) -> None:
    """Kill the speaking worker again and again with each timeout, and print the gaps."""
    rows: list[Row] = []
    for timeout in timeouts:
        with tempfile.TemporaryDirectory(prefix="koe-") as folder:
            data = Path(folder) / "data"
            uncached = {"KOE_CACHE_BYTES": "0", "KOE_SEGMENT_BYTES": "0"}
            fleet = Fleet(data, {"KOE_ENGINE": "espeak", "KOE_WORKER_TIMEOUT": timeout, **uncached})
            try:
                seconds = []
                with connect(embedded_url(data)) as redis:
                    for number in range(n_kills):
                        fleet.wait_whole()
                        seconds.append(silence_seconds(fleet, redis, number))
                rows.append({"": f"KOE_WORKER_TIMEOUT={timeout}", **spread(seconds)})
            finally:
                fleet.end()
    console.print(make_table(f"From kill -9 of the speaking worker to the next byte, {n_kills} kills each", rows))


if __name__ == "__main__":
    main()
