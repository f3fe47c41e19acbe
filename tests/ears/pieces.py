"""`python -m tests.ears.pieces`: hears whether a sentence spoken in pieces, and in each precision, is as good as decoded whole.

Each sentence of `texts/sentences.toml` is decoded whole in float32, without its silence, and in pieces in each precision.
Whisper counts the errors and DNSMOS rates. At each joint, level and spectrum on both sides are compared with those at the same
places, and at random places, of the whole decode. Prints tables; asserts nothing.

Why it is not a part of `make listen`: the server has no way to decode a sentence whole, since nobody needs it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from itertools import accumulate
from statistics import fmean, median
from typing import Final

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.voices import BlendPart, load_catalogue
from tests.benchmarks.figures import Row, percentile
from tests.benchmarks.model import model_once
from tests.benchmarks.precision import PRECISIONS
from tests.benchmarks.report import make_table
from tests.ears.files import find_listener
from tests.ears.listener import Listener, Samples
from tests.ears.quality import Judge, Quality
from tests.ears.score import Errors, count_errors
from tests.ears.speaker import Request
from tests.ears.texts import requests_for
from tests.ears.usual import score_of
from workers.engines.kokoro.engine import PIECE_ENDS, KokoroEngine
from workers.engines.kokoro.model.cpu_decoder import Decoder
from workers.engines.kokoro.model.prosody import Score

WAYS: Final = ("whole", "without silence", *(f"in pieces, {precision}" for precision in PRECISIONS))
_SIDE: Final = SAMPLE_RATE_HZ // 50
"""Samples on each side of a joint: 20 ms."""
_N_RANDOM: Final = 8
"""Random places in each whole decode."""
_FLOOR: Final = 1e-4


class Joint(msgspec.Struct, frozen=True):
    """How far the two sides of a place in a signal are apart."""

    level_db: float
    spectrum_db: float
    step: float
    """The step from one sample to the next there, divided by the largest one within 20 ms."""


class Take(msgspec.Struct, frozen=True):
    """One sentence in one way."""

    errors: Errors
    quality: Quality
    joints: list[Joint]
    level_db: float


def joint_at(samples: Samples, place: int) -> Joint:
    """Compares the 20 ms before and after `place`."""
    before, after = samples[place - _SIDE : place], samples[place : place + _SIDE]
    spectra = [20 * np.log10(np.abs(np.fft.rfft(side * np.hanning(_SIDE))) + _FLOOR) for side in (before, after)]
    steps = np.abs(np.diff(samples[place - _SIDE : place + _SIDE]))
    return Joint(
        level_db=abs(_level(before) - _level(after)),
        spectrum_db=float(np.sqrt(np.mean((spectra[0] - spectra[1]) ** 2))),
        step=float(steps[_SIDE - 1] / max(_FLOOR, steps.max())),
    )


def _level(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(samples**2) + _FLOOR**2))


class Studio:
    """Kokoro in each precision, decoding the same scores in each way."""

    def __init__(self) -> None:
        folder, catalogue = model_once().folder, load_catalogue()
        self.engines = {
            precision: KokoroEngine(catalogue=catalogue, model_dir=folder, precision=precision) for precision in PRECISIONS
        }
        for engine in self.engines.values():
            engine.warm_up()
        self.engine = self.engines["float32"]

    def ways(self, request: Request) -> Iterator[tuple[str, Samples, list[int]]]:
        """Yields the name of each way, the samples, and the places of the joints in pieces."""
        score = score_of(self.engine, request.text, request.voice, request.language)
        decoder = decoder_of(self.engine)
        yield "without silence", decoder([score])[0].numpy(), []
        joints: list[int] = []
        for precision, engine in self.engines.items():
            pieces = list(_in_pieces(engine, score, request.voice))
            joints = list(accumulate(map(len, pieces)))[:-1]
            yield f"in pieces, {precision}", np.concatenate(pieces), joints
        yield "whole", _whole(decoder, score), joints


def decoder_of(engine: KokoroEngine) -> Decoder:
    """Returns its decoder."""
    assert isinstance(engine._decoder, Decoder)
    return engine._decoder


def _in_pieces(engine: KokoroEngine, score: Score, voice: str) -> Iterator[Samples]:
    assert engine._voices is not None
    usual = engine._voices.usual((BlendPart(voice, 1.0),), 1)
    for piece in decoder_of(engine).in_pieces(score, PIECE_ENDS, usual):
        yield piece.numpy()


def _whole(decoder: Decoder, score: Score) -> Samples:
    newborn = copy(decoder)
    newborn._habits = None
    return newborn([score])[0].numpy()


class Bench:
    """Decodes, hears and rates sentences."""

    def __init__(self) -> None:
        self.studio, self.listener, self.judge = Studio(), Listener(find_listener()), Judge()
        self.random_places: list[Joint] = []

    def take(self, request: Request) -> dict[str, Take]:
        """Returns the sentence in each way."""
        takes = {}
        for way, samples, joints in self.studio.ways(request):
            heard = self.listener.hear(samples, SAMPLE_RATE_HZ, request.language)
            found = [joint_at(samples, place) for place in joints]
            errors = count_errors(request.text, heard.text, request.language)
            takes[way] = Take(errors, self.judge.rate(samples, SAMPLE_RATE_HZ), found, _level(samples))
            if way == "whole":
                self.random_places += [joint_at(samples, place) for place in _random_places(samples, request.text)]
        return takes


def _random_places(samples: Samples, seed: str) -> Iterator[int]:
    """Yields places where the voice is heard."""
    loud = np.flatnonzero(np.abs(samples) > _FLOOR * 30)
    chosen = random.Random(seed)
    for _ in range(_N_RANDOM):
        yield chosen.randint(int(loud[0]) + _SIDE, int(loud[-1]) - _SIDE)


def _row(way: str, takes: Sequence[Take], wholes: Sequence[Take]) -> Row:
    errors = sum((take.errors for take in takes), Errors())
    return {
        "way": way,
        "sentences": len(takes),
        "word errors %": 100 * errors.word_rate,
        "character errors %": 100 * errors.character_rate,
        "DNSMOS": fmean(take.quality.overall for take in takes),
        "signal": fmean(take.quality.signal for take in takes),
        "background": fmean(take.quality.background for take in takes),
        "level dB": fmean(take.level_db - whole.level_db for take, whole in zip(takes, wholes, strict=True)),
    }


def _joint_row(name: str, joints: Sequence[Joint]) -> Row:
    def spread(measure: Callable[[Joint], float]) -> tuple[float, float]:
        values = [measure(joint) for joint in joints]
        return median(values), percentile(values, 0.95)

    level, spectrum, step = spread(lambda j: j.level_db), spread(lambda j: j.spectrum_db), spread(lambda j: j.step)
    return {
        "place": name,
        "places": len(joints),
        "level dB, p50": level[0],
        "p95": level[1],
        "spectrum dB, p50": spectrum[0],
        "spectrum p95": spectrum[1],
        "step ÷ largest, p50": step[0],
        "step p95": step[1],
    }


@click.command()
@click.option("--texts", "n_texts", default=12, show_default=True, help="Sentences of each language, by each of two voices.")
@click.option("--at-once", default=1, show_default=True, help="Sentences at a time.")
def main(n_texts: int, at_once: int) -> None:
    """Compare decoding in pieces and in each precision with decoding whole, by ear."""
    bench, requests = Bench(), requests_for("sentences", n_texts=n_texts)
    with ThreadPoolExecutor(at_once) as pool:
        takes = list(track(pool.map(bench.take, requests), total=len(requests), description="sentences"))
    console = Console(width=160)
    rows = [_row(way, [one[way] for one in takes], [one["whole"] for one in takes]) for way in WAYS]
    console.print(make_table("Words and predicted quality", rows))
    joints = {way: [joint for one in takes for joint in one[way].joints] for way in (WAYS[2], "whole")}
    rows_of_places = [
        _joint_row("joints of the pieces", joints[WAYS[2]]),
        _joint_row("the same places of the whole decode", joints["whole"]),
        _joint_row("random places of the whole decode", bench.random_places),
    ]
    console.print(make_table("20 ms before against 20 ms after", rows_of_places))


if __name__ == "__main__":
    main()
