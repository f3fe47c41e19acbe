"""Who waits for whom when eight long texts are being read and short requests come: first audio of these, underruns of those.

What stands for what: two compute threads are the two cores. The engine sleeps for a tenth of its audio instead of multiplying
matrices, so a segment takes as long as with a model of real-time factor 0.1 on each core, and the real cores are left to what
is real: Valkey, slots, API and clients. A listener takes pcm at the speed at which it is played; whenever all that has come is
played and more is to come, it counts an underrun.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import structlog
from rich.table import Table

from app.core.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from tests.benchmarks.figures import a_table, percentile
from tests.engines import text_of
from tests.house import open_house
from workers.engines.base import Segment, Waveform
from workers.engines.tone import ToneEngine

COMPUTE_PER_AUDIO: Final = 0.1
N_LONG: Final = 8
N_SHORT: Final = 50
LONG_SEGMENTS: Final = 36
"""As many sentences of 6.4 seconds as OpenAI's limit of 4096 characters allows: nearly four minutes."""
BEFORE_SECONDS: Final = 1.0
"""The long texts are heard for so long before the short requests come: their listeners have little more than the first segment
in hand."""
AFTER_SECONDS: Final = 5.0
"""And so long afterwards, since a stream runs dry later than it was passed over."""
IN_HAND_SECONDS: Final = 0.5
"""A listener reads on when no more than this is left to play."""


class PacedEngine(ToneEngine):
    """Takes a tenth of the audio that it makes."""

    def __init__(self) -> None:
        super().__init__()
        self.turn_seconds: list[float] = []

    def synthesize(self, segments: Sequence[Segment], *, n_threads: int = 1) -> list[Waveform]:
        begun_at = time.monotonic()
        waveforms = super().synthesize(segments, n_threads=n_threads)
        seconds = COMPUTE_PER_AUDIO * sum(len(waveform.samples) for waveform in waveforms) / SAMPLE_RATE_HZ
        time.sleep(max(0.0, begun_at + seconds - time.monotonic()))
        self.turn_seconds.append(seconds)
        return waveforms


@dataclass
class Listener:
    """Plays what comes."""

    first_seconds: float = 0.0
    """From the request to the first audio."""
    n_underruns: int = 0
    dry_seconds: float = 0.0
    """How long the underruns lasted, together."""
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    _dry_at: float = 0.0

    async def play(self, http: httpx.AsyncClient, key: str, text: str) -> None:
        """To the end, at the speed of playing."""
        asked_at, headers = time.monotonic(), {"authorization": f"Bearer {key}"}
        body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm"}
        async with http.stream("POST", "/v1/audio/speech", json=body, headers=headers) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_raw():
                self._hear(len(chunk), asked_at)
                await asyncio.sleep(self._dry_at - IN_HAND_SECONDS - time.monotonic())

    def _hear(self, n_bytes: int, asked_at: float) -> None:
        now = time.monotonic()
        if not self.has_begun.is_set():
            self.first_seconds, self._dry_at = now - asked_at, now
            self.has_begun.set()
        elif now > self._dry_at:
            self.n_underruns += 1
            self.dry_seconds += now - self._dry_at
            self._dry_at = now
        self._dry_at += n_bytes / (SAMPLE_BYTES * SAMPLE_RATE_HZ)


@dataclass
class Scene:
    """Short requests, and what became of all."""

    counts: dict[str, int]
    """Short requests of each key: those of the last are measured. The long texts are the first's."""
    first_seconds: list[float] = field(default_factory=list)
    n_underruns: int = 0
    dry_seconds: float = 0.0
    segment_seconds: float = 0.0
    """The compute of one segment of a long text."""

    @property
    def name(self) -> str:
        """Its short requests."""
        *others, n_last = self.counts.values()
        return f"{n_last}" + "".join(f" after {n} of another key" for n in others)


def fairness() -> Table:
    """First audio of the short requests, in seconds and in segments of the long texts, and the underruns of these."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    columns = ("first audio p50 s", "p95 s", "p50 segments", "p95 segments", "underruns", "silent s")
    table = a_table(
        f"Short requests while {N_LONG} long texts are read, two cores at real-time factor {COMPUTE_PER_AUDIO}", *columns
    )
    for counts in ({"a": 1}, {"a": N_SHORT}, {"a": N_SHORT, "b": 1}):
        scene = _stage(counts)
        waits = [percentile(scene.first_seconds, share) for share in (0.5, 0.95)]
        figures = [f"{figure:.2f}" for figure in (*waits, *(wait / scene.segment_seconds for wait in waits))]
        table.add_row(scene.name, *figures, str(scene.n_underruns), f"{scene.dry_seconds:.2f}")
    return table


def _stage(counts: dict[str, int]) -> Scene:
    """Plays a scene in a house of its own."""
    scene, engine = Scene(counts), PacedEngine()
    with tempfile.TemporaryDirectory(prefix="koe-") as data:
        settings = {"KOE_THREADS": "2", "KOE_API_KEYS": ",".join(counts), "KOE_MAX_WAIT": "120"}
        with open_house(Path(data), {"tone": engine}, **settings) as house:
            asyncio.run(_play(scene, house.url))
    scene.segment_seconds = max(engine.turn_seconds)
    return scene


async def _play(scene: Scene, url: str) -> None:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as http, asyncio.TaskGroup() as group:
        long = [Listener() for _ in range(N_LONG)]
        first_key = next(iter(scene.counts))
        reading = [
            group.create_task(listener.play(http, first_key, text_of(LONG_SEGMENTS, f"canoe no {number}")))
            for number, listener in enumerate(long)
        ]
        await asyncio.gather(*(listener.has_begun.wait() for listener in long))
        await asyncio.sleep(BEFORE_SECONDS)
        asked = {key: [_ask(http, key, number) for number in range(n_short)] for key, n_short in scene.counts.items()}
        answers = await asyncio.gather(*(asyncio.gather(*of_one) for of_one in asked.values()))
        await asyncio.sleep(AFTER_SECONDS)
        for task in reading:
            task.cancel()
    scene.first_seconds = answers[-1]
    scene.n_underruns = sum(listener.n_underruns for listener in long)
    scene.dry_seconds = sum(listener.dry_seconds for listener in long)


async def _ask(http: httpx.AsyncClient, key: str, number: int) -> float:
    listener = Listener()
    await listener.play(http, key, f"Somebody with the key {key} asks for number {number}.")
    return listener.first_seconds
