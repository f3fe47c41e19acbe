"""How many listeners one and more cores serve without an underrun, the CPU time of speech, and so its price.

Why the server gets its cores by affinity: the clients then do not take part of what is measured, as far as there are others.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from tests.benchmarks.figures import Figure, Row
from tests.benchmarks.listeners import Listener
from tests.benchmarks.model import model_once
from tests.benchmarks.plan import FULL, Plan
from tests.benchmarks.processes import served
from tests.benchmarks.report import Report
from tests.benchmarks.server import costs_row, listen, waits_row

_MILLION: Final = 1_000_000
OPENAI_USD: Final = {"tts-1": 15, "tts-1-hd": 30}
"""OpenAI's last prices of a million characters."""
_WAITS: Final = ("first p50 s", "first p95 s", "heard", "underruns", "silent s", "429")
_COSTS: Final = ("audio s per s", "CPU s per audio s", "worker MiB")


@contextmanager
def on_cores(n_cores: int) -> Iterator[None]:
    """Gives this process, and those that it starts, only that many cores: the last ones, as others often use the first."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[-n_cores:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure_listeners(
    report: Report, cores: Sequence[int], levels: Sequence[int], seconds: float, usd_per_core_hour: float
) -> None:
    """Adds a row for each number of cores and of listeners. `levels`: listeners for each core."""
    plan = msgspec.structs.replace(FULL, level_seconds=seconds)
    settings = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(model_once().folder)}
    rows: list[Row] = []
    with report.steps("listeners", len(cores) * len(levels)) as steps:
        for n_cores in cores:
            for level in levels:
                rows.append(_row_of(n_cores, level * n_cores, plan, settings, usd_per_core_hour))
                steps.done()
    low, high = plan.text_characters
    notes = (
        f"Each listener plays a text of {low} to {high} characters to its end, and then the next; pcm.",
        "ready: from the start of `koe serve` until it can speak. seconds per character: of audio.",
        f"USD: with all cores busy, at {usd_per_core_hour:g} USD for a core hour. OpenAI's last prices: {OPENAI_USD}.",
    )
    report.add("sizing.listeners", f"Listeners for {seconds:g} s each, by cores of the server", rows, *notes)


def _row_of(n_cores: int, n_listeners: int, plan: Plan, settings: Mapping[str, str], usd_per_core_hour: float) -> Row:
    with on_cores(n_cores):
        opened = served(**settings)
        server = opened.__enter__()
    try:
        before, started = server.usage(), time.monotonic()
        crowd = asyncio.run(listen(server, n_listeners, plan))
        costs = costs_row(crowd, before, server.usage(), time.monotonic() - started)
    finally:
        opened.__exit__(None, None, None)
    waits, per_character = waits_row(crowd, []), seconds_per_character(crowd.listeners)
    row: Row = {"cores": n_cores, "listeners": n_listeners, "ready s": server.ready_seconds}
    row |= {name: waits[name] for name in _WAITS} | {name: costs[name] for name in _COSTS}
    row["seconds per character"] = per_character
    return row | price_of(costs["CPU s per audio s"], per_character, usd_per_core_hour)


def seconds_per_character(listeners: Sequence[Listener]) -> float | None:
    """Returns the audio of a character in texts that were heard to their end."""
    whole = [one for one in listeners if one.is_whole]
    n_characters = sum(one.n_characters for one in whole)
    return sum(one.audio_seconds for one in whole) / n_characters if n_characters else None


def price_of(cpu_seconds: Figure, seconds_each: float | None, usd_per_core_hour: float) -> Row:
    """Returns CPU hours and price of a million characters. `cpu_seconds`: of a second of audio. `seconds_each`: audio of a
    character.
    """
    if not isinstance(cpu_seconds, float) or seconds_each is None:
        return {"CPU h per M characters": None, "USD per M characters": None}
    hours = _MILLION * seconds_each * cpu_seconds / 3600
    return {"CPU h per M characters": hours, "USD per M characters": hours * usd_per_core_hour}
