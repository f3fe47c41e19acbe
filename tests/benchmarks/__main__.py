"""`make bench`: prints what the server costs here. It starts the real processes on free ports and asserts nothing."""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import Progress

from app.core.formats import FORMATS
from tests.benchmarks.fairness import fairness
from tests.benchmarks.figures import a_table, percentile, row
from tests.benchmarks.processes import Served, served
from tests.benchmarks.texts import text_of
from tests.checkpoints import make_checkpoint

console = Console()


async def ask(http: httpx.AsyncClient, text: str, format_name: str = "pcm", voice: str = "alloy") -> tuple[float, int]:
    """Seconds to the first byte, and bytes in all."""
    body = {"model": "tts-1", "voice": voice, "input": text, "response_format": format_name}
    started = time.monotonic()
    first, n_bytes = 0.0, 0
    async with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        async for chunk in answer.aiter_raw():
            first = first or time.monotonic() - started
            n_bytes += len(chunk)
    return first, n_bytes


async def overhead(n_requests: int) -> None:
    """Request to first byte on an idle server with the tone engine: new work, and cache hits."""
    table = a_table(f"Queue overhead: tone, pcm, one client, {n_requests} requests")
    with served(KOE_ENGINE="tone") as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
            for n in range(20):
                await ask(http, f"Warm {n}.")
            row(table, "new", [(await ask(http, f"Number {n}."))[0] for n in range(n_requests)])
            row(table, "cache hit", [(await ask(http, f"Number {n}."))[0] for n in range(n_requests)])
        memory = server.memory_mib()
    console.print(table)
    console.print(f"ready after {server.ready_seconds:.2f} s; resident memory, MiB: {_show(memory)}\n")


async def load(n_clients: int, seconds: float) -> None:
    """Many clients at once with espeak, mixed formats, lengths and voices; what /healthz does meanwhile."""
    first: list[float] = []
    failures: list[str] = []
    with served(KOE_ENGINE="espeak") as server:
        command = [sys.executable, "-m", "tests.benchmarks.watch", server.url, str(seconds)]
        watch = subprocess.Popen(command, stdout=subprocess.PIPE)  # noqa: ASYNC220 - it starts before the load does
        limits = httpx.Limits(max_connections=n_clients)
        async with httpx.AsyncClient(base_url=server.url, timeout=120, limits=limits) as http:
            end = time.monotonic() + seconds
            with Progress(console=console, transient=True) as progress:
                bar = progress.add_task(f"{n_clients} clients", total=None)
                clients = (_ask_until(end, http, number, first, failures) for number in range(n_clients))
                await asyncio.gather(*clients)
                progress.remove_task(bar)
        memory = server.memory_mib()
        health: list[float] = json.loads(watch.communicate()[0])
    table = a_table(f"{n_clients} clients for {seconds:g} s: espeak, six formats, 40 to 800 characters")
    row(table, "first audio", first)
    row(table, "/healthz", health)
    console.print(table)
    console.print(f"answers {len(first)}, failures {len(failures)} {failures[:3]}; resident memory, MiB: {_show(memory)}\n")


async def _ask_until(end: float, http: httpx.AsyncClient, number: int, first: list[float], failures: list[str]) -> None:
    chosen = random.Random(number)
    while time.monotonic() < end:
        text = text_of(chosen.choice((40, 200, 800)), chosen.randrange(10**9))
        voice, format_name = chosen.choice(("alloy", "onyx", "fable")), chosen.choice(list(FORMATS))
        try:
            first.append((await ask(http, text, format_name, voice))[0])
        except httpx.HTTPError as error:
            failures.append(repr(error))


async def scheduling(n_rounds: int) -> None:
    """Eight clients at once, each with two segments: first audio with deadlines and first-in-first-out, in turn.

    Kokoro speaks, with seeded weights of the real dimensions: what is measured is who waits for whom, not the voice.
    """
    first: dict[str, list[float]] = {"deadline": [], "fifo": []}
    with tempfile.TemporaryDirectory(prefix="koe-") as folder:
        make_checkpoint(Path(folder), tiny=False)
        settings = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": folder, "KOE_MAX_WAIT": "600"}
        for round_number in range(n_rounds):
            for policy in first:
                with served(KOE_SCHEDULER=policy, **settings) as server:
                    first[policy] += await _eight_clients(server, round_number)
    table = a_table(f"8 clients at once, two segments each: Kokoro's real dimensions, {n_rounds} rounds")
    for policy, seconds in first.items():
        row(table, f"first audio, {policy}", seconds)
    console.print(table)
    ratio = percentile(first["deadline"], 0.95) / percentile(first["fifo"], 0.95)
    console.print(f"p95 with deadlines against first-in-first-out: {ratio:.2f}\n")


async def _eight_clients(server: Served, round_number: int) -> list[float]:
    async with httpx.AsyncClient(base_url=server.url, timeout=600) as http:
        texts = [f"Number {round_number * 8 + n} says: {text_of(90, n)}" for n in range(8)]
        return [first for first, _ in await asyncio.gather(*(ask(http, text, voice="af_heart") for text in texts))]


def _show(memory: dict[str, Any]) -> str:
    return ", ".join(f"{role} {mib:.0f}" for role, mib in memory.items())


@click.command()
@click.option("--requests", "n_requests", default=200, show_default=True)
@click.option("--clients", "n_clients", default=32, show_default=True)
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--rounds", "n_rounds", default=2, show_default=True)
def main(n_requests: int, n_clients: int, seconds: float, n_rounds: int) -> None:
    """Measure the queue, the cache, the scheduler, its fairness and a crowd of clients on this machine."""
    asyncio.run(overhead(n_requests))
    asyncio.run(scheduling(n_rounds))
    console.print(fairness(), "")
    asyncio.run(load(n_clients, seconds))


if __name__ == "__main__":
    main()
