"""Part `load`: many clients at once with espeak and mixed formats, lengths and voices, and /healthz meanwhile."""

import asyncio
import json
import random
import subprocess
import sys
import time

import httpx

from app.core.speech.formats import FORMATS
from tests.benchmarks.figures import Row, spread
from tests.benchmarks.listeners import Listener
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import served
from tests.benchmarks.report import Report
from tests.benchmarks.texts import text_of


def measure_load(report: Report, plan: Plan) -> None:
    """Adds the time to first audio, and the response times of /healthz."""
    first: list[float] = []
    failures: list[str] = []
    with report.steps(f"{plan.n_load_clients} clients", 1) as steps, served(KOE_ENGINE="espeak") as server:
        command = [sys.executable, "-m", "tests.benchmarks.watch", server.url, str(plan.load_seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as watch:
            asyncio.run(_crowd(server.url, plan, first, failures))
            memory = server.memory_mib()
            health: list[float] = json.loads(watch.communicate()[0])
        steps.done()
    rows: list[Row] = [{"": "first audio", **spread(first)}, {"": "/healthz", **spread(health)}]
    title = f"{plan.n_load_clients} clients for {plan.load_seconds:g} s: espeak, six formats, 40 to 800 characters"
    described = ", ".join(f"{role} {mib:.0f}" for role, mib in memory.items())
    note = f"answers {len(first)}, failures {len(failures)} {failures[:3]}; resident memory, MiB: {described}"
    report.add("load", title, rows, note)


async def _crowd(url: str, plan: Plan, first: list[float], failures: list[str]) -> None:
    limits = httpx.Limits(max_connections=plan.n_load_clients)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as http:
        end = time.monotonic() + plan.load_seconds
        await asyncio.gather(*(_ask_until(end, http, number, first, failures) for number in range(plan.n_load_clients)))


async def _ask_until(end: float, http: httpx.AsyncClient, number: int, first: list[float], failures: list[str]) -> None:
    chosen = random.Random(number)
    while time.monotonic() < end:
        text = text_of(chosen.choice((40, 200, 800)), chosen.randrange(10**9))
        voice, format_name = chosen.choice(("alloy", "onyx", "fable")), chosen.choice(list(FORMATS))
        listener = Listener()
        try:
            await listener.play(http, text, voice=voice, response_format=format_name)
            first.append(listener.first_seconds)
        except httpx.HTTPError as error:
            failures.append(repr(error))
