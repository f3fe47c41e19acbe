"""`python -m tests.benchmarks.endurance`: the memory of each process at the start, middle and end of thousands of requests.

Each request has its own text, and the formats take turns, so that the cache fills to its budget and evicts old audio. One
listener in ten leaves early.
"""

import asyncio
import random

import click
import httpx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from app.core.speech.formats import FORMATS
from tests.benchmarks.processes import Served, served
from tests.benchmarks.texts import text_of

console = Console()


async def ask(http: httpx.AsyncClient, number: int) -> None:
    """Sends request `number`, whose text no other request has."""
    chosen = random.Random(number)
    text = f"Number {number}. {text_of(chosen.choice((10, 40, 160)), number)}"
    body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": list(FORMATS)[number % len(FORMATS)]}
    async with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_raw():
            if number % 10 == 0:
                return


async def run(server: Served, n_requests: int, n_clients: int) -> list[dict[str, float]]:
    """Returns the memory of each process in MiB at the start (after a hundred requests), in the middle and at the end."""
    numbers = iter(range(n_requests))
    found = []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("requests", total=n_requests)

        async def client(http: httpx.AsyncClient) -> None:
            for number in numbers:
                await ask(http, number)
                progress.advance(bar)
                if number in (100, n_requests // 2):
                    found.append(server.memory_mib())

        async with httpx.AsyncClient(base_url=server.url, timeout=120) as http:
            await asyncio.gather(*(client(http) for _ in range(n_clients)))
    return [*found, server.memory_mib()]


@click.command()
@click.option("--requests", "n_requests", default=10_000, show_default=True)
@click.option("--clients", "n_clients", default=8, show_default=True)
@click.option("--engine", default="espeak", show_default=True)
def main(n_requests: int, n_clients: int, engine: str) -> None:
    """Send the requests and print the memory of each process."""
    with served(KOE_ENGINE=engine, KOE_CACHE_BYTES="32MiB") as server:
        found = asyncio.run(run(server, n_requests, n_clients))
    title = f"Resident memory, MiB: {engine}, {n_requests} requests, {n_clients} clients, a cache of 32 MiB"
    table = Table("", "after 100", "middle", "end", title=title, title_justify="left")
    for role in found[0]:
        table.add_row(role, *(f"{memory[role]:.0f}" for memory in found))
    console.print(table)


if __name__ == "__main__":
    main()
