"""Part `hurried`: the short words of a screen reader or a game, while others have books read to them.

First each word is asked for alone, then again, when it is in the cache. Then words are asked for faster than anybody can hear
them, each as soon as the one before is given up, as when an arrow key is held down; only the last of a burst is heard.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from statistics import median
from typing import Final

import httpx

from tests.benchmarks.cached_files import VOICE
from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.model import model_once
from tests.benchmarks.newcomers import Audience
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import served
from tests.benchmarks.report import Report
from tests.ears.texts import read_texts

_PER_SECOND: Final = 15
"""How often a held key repeats itself."""
_SETTLE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.3


def measure_hurried(report: Report, plan: Plan) -> None:
    """Adds the only sheet of this part."""
    settings = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(model_once().folder)}
    rows: list[Row] = []
    levels = tuple(n for n in plan.newcomer_levels if n <= 8)
    with report.steps("hurried", len(levels)) as steps:
        for n_listeners in levels:
            steps.now(f"beside {n_listeners} listeners")
            with served(**settings) as server:
                rows += asyncio.run(_measure(server.url, n_listeners, plan))
            steps.done()
    title = f"First sound of one word while others have books read, and of the last of {_PER_SECOND} words a second"
    report.add("hurried", title, rows)


async def _measure(url: str, n_listeners: int, plan: Plan) -> list[Row]:
    texts = read_texts("short")
    words = [text.partition("|")[0] for language in ("en-US", "en-GB") for text in texts[language]][: 6 * plan.n_newcomers]
    async with AsyncExitStack() as stack:
        limits = httpx.Limits(max_connections=None)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=120, limits=limits))
        await _wait_for_sound(http, "Hello.")
        await stack.enter_async_context(Audience(n_listeners).listen(http))
        await asyncio.sleep(_SETTLE_SECONDS if n_listeners else 0)
        cold = [seconds async for seconds in _one_by_one(http, words)]
        warm = [seconds async for seconds in _one_by_one(http, words)]
        numbers = itertools.count(1)
        last = [await _burst(http, numbers) for _ in range(plan.n_newcomers)]
    return [
        _row(n_listeners, name, seconds) for name, seconds in (("a word", cold), ("again", warm), ("the last of a burst", last))
    ]


async def _one_by_one(http: httpx.AsyncClient, words: Sequence[str]) -> AsyncIterator[float]:
    for word in words:
        yield await _wait_for_sound(http, word)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _burst(http: httpx.AsyncClient, numbers: Iterator[int]) -> float:
    """Asks for the words of two seconds, gives each up when the next comes, and returns the wait for the last."""
    for _ in range(2 * _PER_SECOND - 1):
        given_up = asyncio.create_task(_wait_for_sound(http, f"Item {next(numbers)}"))
        await asyncio.sleep(1 / _PER_SECOND)
        given_up.cancel()
        with suppress(asyncio.CancelledError, httpx.HTTPStatusError):
            await given_up
    return await _wait_for_sound(http, f"Item {next(numbers)}")


async def _wait_for_sound(http: httpx.AsyncClient, text: str) -> float:
    """Returns the seconds until the first bytes. Reads the answer to its end, so that it is cached."""
    body = {"model": "tts-1", "voice": VOICE, "input": text, "response_format": "pcm"}
    asked_at = time.perf_counter()
    first_at: float | None = None
    async with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_raw():
            first_at = first_at or time.perf_counter()
    return (first_at or time.perf_counter()) - asked_at


def _row(n_listeners: int, name: str, seconds: Sequence[float]) -> Row:
    return {
        "listeners": n_listeners,
        "request": name,
        "requests": len(seconds),
        "first p50 s": median(seconds),
        "p95 s": percentile(seconds, 0.95),
        "runs s": list(seconds),
    }
