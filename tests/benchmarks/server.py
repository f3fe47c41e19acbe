"""Part `server`: listeners of a real `koe serve` that speaks with Kokoro, and the cost of serving them.

Each listener sends a request, plays the response to its end and sends the next one, for a limited time. After that, nobody
sends a request, but each open request is awaited until its first audio, so that no long wait is left out.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

import httpx

from tests.benchmarks.cached_files import VOICE
from tests.benchmarks.figures import Row, percentile, ratio, spread
from tests.benchmarks.listeners import Listener
from tests.benchmarks.model import model_once
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Served, Usage, served
from tests.benchmarks.queue_watch import QueueWatch
from tests.benchmarks.report import Report
from tests.benchmarks.texts import text_of

_POLICIES: Final = ("deadline", "fifo")
_TIMEOUT_SECONDS: Final = 120.0
_RETRY_SECONDS: Final = 0.5
"""Pause between a failure and the next request of the same client."""


@dataclass
class Crowd:
    """The results of all requests of one level."""

    listeners: list[Listener] = field(default_factory=list)
    """Listeners that received audio."""
    n_refused: int = 0
    """Number of 429 responses: the server had no capacity and refused at once."""
    failures: list[str] = field(default_factory=list)

    def count(self, error: httpx.HTTPError) -> float:
        """Counts the error. Returns the seconds until the client's next request: `Retry-After` of a 429, otherwise the time
        that a person needs to press the button again.
        """
        if isinstance(error, httpx.HTTPStatusError) and error.response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            self.n_refused += 1
            return float(error.response.headers.get("retry-after", 1))
        self.failures.append(repr(error))
        return _RETRY_SECONDS


def measure_server(report: Report, plan: Plan) -> None:
    """Adds all sheets of this part."""
    settings = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(model_once().folder)}
    _measure_levels(report, plan, settings)
    if plan.n_policy_rounds:
        _measure_policies(report, plan, settings)


def _measure_levels(report: Report, plan: Plan, settings: Mapping[str, str]) -> None:
    waits: list[Row] = []
    costs: list[Row] = []
    failures: Counter[str] = Counter()
    with report.steps("server", len(plan.client_levels)) as steps:
        for n_clients in plan.client_levels:
            steps.now(f"{n_clients} clients")
            with served(**settings) as server, QueueWatch(server.data) as queue:
                before, started = server.usage(), time.monotonic()
                crowd = asyncio.run(listen(server, n_clients, plan))
                seconds, after = time.monotonic() - started, server.usage()
            failures.update(crowd.failures)
            waits.append({"clients": n_clients} | waits_row(crowd, list(queue.wait_seconds.values())))
            costs.append({"clients": n_clients} | costs_row(crowd, before, after, seconds))
            steps.done()
    low, high = plan.text_characters
    title = f"Listeners for {plan.level_seconds:g} s each level: Kokoro, {low} to {high} characters, pcm"
    notes = (
        "first: from request to first audio. rtf: from request to last byte, for a second of audio; median of whole responses.",
        "underruns: a client has played all received audio and waits for more. 429: refused at once; not a failure.",
    )
    failure_notes = (f"failed {n} times: {failure}" for failure, n in failures.most_common(3))
    report.add("server.listeners", title, waits, *notes, *failure_notes)
    report.add("server.costs", "Costs: CPU seconds and peak memory", costs)


def waits_row(crowd: Crowd, queue_seconds: list[float]) -> Row:
    finished = [one.last_seconds / one.audio_seconds for one in crowd.listeners if one.is_whole]
    row = spread([one.first_seconds for one in crowd.listeners], name="first", unit="s", scale=1.0)
    return row | {
        "rtf": median(finished) if finished else None,
        "heard": len(crowd.listeners),
        "underruns": sum(one.n_underruns for one in crowd.listeners),
        "silent s": sum(one.dry_seconds for one in crowd.listeners),
        "429": crowd.n_refused,
        "failures": len(crowd.failures),
        "queue p50 s": percentile(queue_seconds, 0.5) if queue_seconds else None,
        "queue p95 s": percentile(queue_seconds, 0.95) if queue_seconds else None,
    }


def costs_row(crowd: Crowd, before: Mapping[str, Usage], after: Mapping[str, Usage], seconds: float) -> Row:
    audio_seconds = sum(one.audio_seconds for one in crowd.listeners)
    cpu_seconds = {role: usage.cpu_seconds - before[role].cpu_seconds for role, usage in after.items()}
    row: Row = {"audio s": audio_seconds, "audio s per s": audio_seconds / seconds}
    row |= {f"{role} CPU s": cpu for role, cpu in cpu_seconds.items()}
    row["CPU s per audio s"] = ratio(sum(cpu_seconds.values()), audio_seconds)
    return row | {f"{role} MiB": usage.peak_mib for role, usage in after.items()}


async def listen(server: Served, n_clients: int, plan: Plan) -> Crowd:
    crowd = Crowd()
    end = time.monotonic() + plan.level_seconds
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=_TIMEOUT_SECONDS, limits=limits) as http:
        clients = (_ask_again(crowd, http, random.Random(number), end, plan.text_characters) for number in range(n_clients))
        await asyncio.gather(*clients)
    return crowd


async def _ask_again(
    crowd: Crowd, http: httpx.AsyncClient, chosen: random.Random, end: float, n_characters: tuple[int, int]
) -> None:
    """Runs one client: it sends a request, plays the response to its end and sends the next one, until `end`."""
    while (left := end - time.monotonic()) > 0:
        text = text_of(chosen.randint(*n_characters), chosen.randrange(10**9))
        rest_seconds = await _ask_once(crowd, http, text, end)
        await asyncio.sleep(min(rest_seconds, max(0.0, left)))


async def _ask_once(crowd: Crowd, http: httpx.AsyncClient, text: str, end: float) -> float:
    """Sends one request. Returns the seconds until the client's next one: its audio left to play, or the wait from the
    error.
    """
    listener = Listener()
    playing = asyncio.create_task(listener.play(http, text, voice=VOICE))
    heard = asyncio.create_task(listener.has_begun.wait())
    await asyncio.wait({playing, heard}, return_when=asyncio.FIRST_COMPLETED)
    heard.cancel()
    if listener.has_begun.is_set():
        crowd.listeners.append(listener)
    try:
        async with asyncio.timeout(max(0.0, end - time.monotonic())):
            await playing
    except TimeoutError:
        return 0.0
    except httpx.HTTPError as error:
        return crowd.count(error)
    return max(0.0, listener.left_seconds)


def _measure_policies(report: Report, plan: Plan, settings: Mapping[str, str]) -> None:
    """Compares deadlines with first-in-first-out, in turns: several clients send a request at once, each with some segments."""
    first: dict[str, list[float]] = {policy: [] for policy in _POLICIES}
    with report.steps("policies", plan.n_policy_rounds * len(_POLICIES)) as steps:
        for round_number in range(plan.n_policy_rounds):
            for policy in _POLICIES:
                steps.now(policy)
                with served(KOE_SCHEDULER=policy, KOE_MAX_WAIT="600", **settings) as server:
                    first[policy] += asyncio.run(_first_of_all(server, plan, round_number))
                steps.done()
    p95 = {policy: percentile(seconds, 0.95) for policy, seconds in first.items()}
    rows: list[Row] = [
        {"scheduler": policy, **spread(seconds, name="first", unit="s", scale=1.0), "p95 ÷ fifo": p95[policy] / p95["fifo"]}
        for policy, seconds in first.items()
    ]
    title = f"First audio of {plan.n_policy_clients} clients that ask at once, {plan.n_policy_rounds} rounds, by KOE_SCHEDULER"
    report.add("server.policies", title, rows)


async def _first_of_all(server: Served, plan: Plan, round_number: int) -> list[float]:
    """Returns the seconds to the first audio of each client, and does not wait for the rest."""
    chosen = random.Random(round_number)
    async with httpx.AsyncClient(base_url=server.url, timeout=600, limits=httpx.Limits(max_connections=None)) as http:
        listeners = [Listener() for _ in range(plan.n_policy_clients)]
        texts = [text_of(chosen.randint(*plan.text_characters), chosen.randrange(10**9)) for _ in listeners]
        playing = [
            asyncio.create_task(listener.play(http, text, voice=VOICE)) for listener, text in zip(listeners, texts, strict=True)
        ]
        begun = asyncio.gather(*(listener.has_begun.wait() for listener in listeners))
        left: set[asyncio.Future[Any]] = {begun, *playing}
        while begun in left:
            done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        for task in playing:
            task.cancel()
        await asyncio.gather(*playing, return_exceptions=True)
    return [listener.first_seconds for listener in listeners]
