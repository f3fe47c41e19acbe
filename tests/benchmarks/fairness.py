"""Part `fairness`: eight long texts are played while short requests come: first audio of these, underruns of the long texts.

The setup imitates two cores with two compute threads. Instead of computing, the engine sleeps for a tenth of the duration of
its audio, so a segment takes as long as with a model of real-time factor 0.1 on each core. The real cores are free for the real
parts: Valkey, slots, API and clients. A listener reads pcm at the speed at which it plays. It counts an underrun whenever it
has played all received audio and more is to come.
"""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from app.core.speech.formats import SAMPLE_RATE_HZ
from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.listeners import Listener
from tests.benchmarks.report import Report
from tests.benchmarks.texts import text_of
from tests.harness import open_harness
from workers.engines.base import ALONE, Segment, Turn, Waveform
from workers.engines.tone import ToneEngine

COMPUTE_PER_AUDIO: Final = 0.1
N_LONG: Final = 8
N_SHORT: Final = 50
LONG_CHARACTERS: Final = 4000
"""Nearly OpenAI's limit of 4096 characters; about four minutes of audio."""
BEFORE_SECONDS: Final = 1.0
"""Seconds for which the long texts play before the short requests start. By then their listeners have buffered little more than
the first segment.
"""
AFTER_SECONDS: Final = 5.0
"""Seconds for which the long texts play after the short requests, since an underrun comes later than the delay that causes it.
"""
BUFFER_SECONDS: Final = 0.5
"""A listener reads more when it has at most this many seconds left to play."""


class PacedEngine(ToneEngine):
    """A tone engine that takes a tenth of the duration of its audio."""

    def __init__(self) -> None:
        super().__init__()
        self.turn_seconds: list[float] = []

    def synthesize(self, segments: Sequence[Segment], turn: Turn = ALONE) -> list[Waveform]:
        begun_at = time.monotonic()
        waveforms = super().synthesize(segments, turn)
        seconds = COMPUTE_PER_AUDIO * sum(len(waveform.samples) for waveform in waveforms) / SAMPLE_RATE_HZ
        time.sleep(max(0.0, begun_at + seconds - time.monotonic()))
        self.turn_seconds.append(seconds)
        return waveforms


@dataclass
class Scene:
    """A number of short requests, and the results of all requests."""

    counts: dict[str, int]
    """Number of short requests by key. Only the requests of the last key are measured; the long texts use the first key."""
    first_seconds: list[float] = field(default_factory=list)
    n_underruns: int = 0
    dry_seconds: float = 0.0
    segment_seconds: float = 0.0
    """Compute time of one segment of a long text."""

    @property
    def name(self) -> str:
        """Description of the short requests."""
        *others, n_last = self.counts.values()
        return f"{n_last}" + "".join(f" after {n} of another key" for n in others)


def measure_fairness(report: Report) -> None:
    """Adds the time to first audio of the short requests, in seconds and in segments of the long texts, and the underruns of
    the long texts.
    """
    rows: list[Row] = []
    scenes = ({"a": 1}, {"a": N_SHORT}, {"a": N_SHORT, "b": 1})
    with report.steps("fairness", len(scenes)) as steps:
        for counts in scenes:
            scene = _stage(counts)
            waits = {f"p{share}": percentile(scene.first_seconds, share / 100) for share in (50, 95)}
            row: Row = {"short requests": scene.name}
            row |= {f"first audio {share} s": wait for share, wait in waits.items()}
            row |= {f"{share} in segments": wait / scene.segment_seconds for share, wait in waits.items()}
            rows.append(row | {"underruns": scene.n_underruns, "silent s": scene.dry_seconds})
            steps.done()
    title = f"Short requests while {N_LONG} long texts are read, two cores at real-time factor {COMPUTE_PER_AUDIO}"
    report.add("fairness", title, rows)


def _stage(counts: dict[str, int]) -> Scene:
    """Runs a scene in its own harness."""
    scene, engine = Scene(counts), PacedEngine()
    with tempfile.TemporaryDirectory(prefix="koe-") as data:
        settings = {"KOE_THREADS": "2", "KOE_API_KEYS": ",".join(counts), "KOE_MAX_WAIT": "120"}
        with open_harness(Path(data), {"tone": engine}, **settings) as harness:
            asyncio.run(_play(scene, harness.url))
    scene.segment_seconds = max(engine.turn_seconds)
    return scene


async def _play(scene: Scene, url: str) -> None:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as http, asyncio.TaskGroup() as group:
        long = [Listener(BUFFER_SECONDS) for _ in range(N_LONG)]
        first_key = next(iter(scene.counts))
        reading = [
            group.create_task(listener.play(http, text_of(LONG_CHARACTERS, number), key=first_key))
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
    listener = Listener(BUFFER_SECONDS)
    await listener.play(http, f"Somebody with the key {key} asks for number {number}.", key=key)
    return listener.first_seconds
