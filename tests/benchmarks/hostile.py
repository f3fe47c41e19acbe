"""Part `hostile`: the cost of the worst hostile texts for a slot, before an engine gets any part of them."""

import tracemalloc
from typing import Final

from app.core.speech.utterance import Utterance
from app.core.speech.voices import load_catalogue
from tests.benchmarks.figures import Row
from tests.benchmarks.report import Report
from tests.hostile import cpu_seconds, hostile, shapes
from workers.engines.tone import ToneEngine
from workers.synthesis.prepare import prepare_segments, prepare_text

SHORT_CHARS, LONG_CHARS = 10_000, 40_000
_N_WORST: Final = 15
_TOO_LONG_SECONDS: Final = 2.0
"""A text that takes this long is not tried with more characters."""


def measure_hostile(report: Report) -> None:
    """Adds the worst of about four hundred kinds of text. Each is a run within a text, read as English, emoji by name."""
    report.add(
        "hostile",
        "Hostile texts, worst first",
        worst(_N_WORST),
        "CPU time of one core to read and segment the text; it is linear if both columns are about equal.",
    )


def worst(n: int) -> list[Row]:
    """Returns the rows of the `n` slowest kinds of text."""
    seconds = {name: cpu_seconds(lambda unit=unit: _read(unit, SHORT_CHARS)) for name, unit in shapes().items()}  # type: ignore[misc]
    names = sorted(seconds, key=lambda name: -seconds[name])[:n]
    return [_row(name, shapes()[name], seconds[name]) for name in names]


def _row(name: str, unit: str, seconds: float) -> Row:
    is_long = seconds < _TOO_LONG_SECONDS
    return {
        "text": name,
        "ms/1,000 chars at 10,000": 1e6 * seconds / SHORT_CHARS,
        "at 40,000": 1e6 * cpu_seconds(lambda: _read(unit, LONG_CHARS)) / LONG_CHARS if is_long else None,
        "peak MiB at 10,000": _peak_mib(unit),
    }


def _peak_mib(unit: str) -> float:
    tracemalloc.start()
    try:
        _read(unit, SHORT_CHARS)
        return tracemalloc.get_traced_memory()[1] / 1024**2
    finally:
        tracemalloc.stop()


def _read(unit: str, n_chars: int) -> None:
    utterance = Utterance(
        text=hostile(unit, n_chars),
        engine="tone",
        voice=load_catalogue().parse("af_heart")[0],
        language="en-US",
        format="pcm",
        emoji="say",
    )
    engine = ToneEngine()
    for _ in prepare_segments(prepare_text(utterance, engine), utterance, engine):
        pass
