"""Part `newcomers`: how long a new listener waits for the first sound of 1 to 100 words, alone and while others listen.

The others play long texts at playback speed, one after the other. The newcomer asks, takes the first bytes and leaves, so that
each request meets only the others.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from statistics import median
from typing import Any, Final

import httpx

from tests.benchmarks.cached_files import VOICE
from tests.benchmarks.figures import Row, percentile, ratio
from tests.benchmarks.listeners import Listener
from tests.benchmarks.model import model_once
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Served, served
from tests.benchmarks.report import Report
from tests.benchmarks.texts import sentences, text_of

_BOOK_CHARACTERS: Final = 1200
_WARM_UP_SECONDS: Final = 5.0
"""Time in which the others begin."""
_PAUSE_SECONDS: Final = 0.5


class Audience:
    """Listeners who play long texts, and their underruns."""

    def __init__(self, n_listeners: int) -> None:
        self._n_listeners = n_listeners
        self._seeds = itertools.count()
        self.listeners: list[Listener] = []
        self.n_refused = 0

    @asynccontextmanager
    async def listen(self, http: httpx.AsyncClient) -> Any:
        """Has all of them listen during the block."""
        tasks = [asyncio.create_task(self._read_on(http)) for _ in range(self._n_listeners)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_on(self, http: httpx.AsyncClient) -> None:
        while True:
            listener = Listener()
            self.listeners.append(listener)
            try:
                await listener.play(http, text_of(_BOOK_CHARACTERS, next(self._seeds)), voice=VOICE)
                await asyncio.sleep(max(0.0, listener.left_seconds))
            except httpx.HTTPStatusError:
                self.n_refused += 1
                await asyncio.sleep(1)


def words_of(n_words: int, seed: int) -> str:
    """Returns a text of so many words of prose, which differs for each seed."""
    chosen = random.Random(seed)
    words = " ".join(chosen.sample(sentences("en-US"), len(sentences("en-US")))).split()
    while len(words) < n_words:
        words += words
    first = chosen.randrange(len(words) - n_words + 1)
    return " ".join(words[first : first + n_words]).strip(",;:—.").capitalize() + "."


def measure_newcomers(report: Report, plan: Plan) -> None:
    """Adds all sheets of this part."""
    settings = {"KOE_ENGINE": "kokoro", "KOE_MODEL_DIR": str(model_once().folder)}
    rows: list[Row] = []
    audiences: list[Row] = []
    alone: dict[int, float] = {}
    with report.steps("newcomers", len(plan.newcomer_levels)) as steps:
        for n_listeners in plan.newcomer_levels:
            steps.now(f"beside {n_listeners} listeners")
            with served(**settings) as server:
                audience, waits = asyncio.run(_measure(server, n_listeners, plan))
            for n_words, seconds in waits.items():
                alone.setdefault(n_words, median(seconds))
                rows.append(_row(n_listeners, n_words, seconds, alone[n_words]))
            if n_listeners:
                audiences.append(_audience_row(n_listeners, audience))
            steps.done()
    title = f"First sound of a new listener, {plan.n_newcomers} requests of each length, pcm"
    report.add("newcomers.first", title, rows, "÷ alone: p50 divided by the p50 without other listeners.")
    report.add("newcomers.others", f"Those who listen meanwhile to texts of {_BOOK_CHARACTERS} characters", audiences)


async def _measure(server: Served, n_listeners: int, plan: Plan) -> tuple[Audience, dict[int, list[float]]]:
    audience = Audience(n_listeners)
    waits: dict[int, list[float]] = {n_words: [] for n_words in plan.newcomer_words}
    async with httpx.AsyncClient(base_url=server.url, timeout=120, limits=httpx.Limits(max_connections=None)) as http:
        await _first_bytes(http, "Hello there.")
        async with audience.listen(http):
            await asyncio.sleep(_WARM_UP_SECONDS if n_listeners else 0)
            for n_words, text in _requests(plan):
                with suppress(httpx.HTTPStatusError):
                    waits[n_words].append(await _first_bytes(http, text))
                await asyncio.sleep(_PAUSE_SECONDS)
    return audience, waits


def _requests(plan: Plan) -> Iterator[tuple[int, str]]:
    seeds = itertools.count(1)
    for _ in range(plan.n_newcomers):
        for n_words in plan.newcomer_words:
            yield n_words, words_of(n_words, next(seeds))


async def _first_bytes(http: httpx.AsyncClient, text: str) -> float:
    """Returns the seconds until the first bytes, and leaves."""
    body = {"model": "tts-1", "voice": VOICE, "input": text, "response_format": "pcm"}
    asked_at = time.perf_counter()
    async with http.stream("POST", "/v1/audio/speech", json=body) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_raw():
            return time.perf_counter() - asked_at
    return time.perf_counter() - asked_at


def _row(n_listeners: int, n_words: int, seconds: Sequence[float], alone: float) -> Row:
    p50 = median(seconds) if seconds else None
    return {
        "listeners": n_listeners,
        "words": n_words,
        "first p50 s": p50,
        "p95 s": percentile(seconds, 0.95) if seconds else None,
        "÷ alone": ratio(p50, alone),
        "heard": len(seconds),
        "runs s": list(seconds),
    }


def _audience_row(n_listeners: int, audience: Audience) -> Row:
    heard = [one for one in audience.listeners if one.audio_seconds]
    return {
        "listeners": n_listeners,
        "texts": len(heard),
        "first p50 s": median(one.first_seconds for one in heard) if heard else None,
        "texts with an underrun": sum(one.n_underruns > 0 for one in heard),
        "underruns": sum(one.n_underruns for one in heard),
        "silent s": sum(one.dry_seconds for one in heard),
        "audio s": sum(one.audio_seconds for one in heard),
        "429": audience.n_refused,
    }
