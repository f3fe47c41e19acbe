"""Part `equality`: compares Koe's model with `kokoro.KModel`, with the same noise, on real text in nine languages.

Why this is a benchmark and not a test: forty segments of all lengths take minutes; the tests compare three segments.
"""

import random
import warnings
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import Final

from app.core.speech.boundaries import Ending
from app.core.speech.languages import LANGUAGES
from app.core.speech.voices import Blend, BlendPart, load_catalogue, show_blend
from tests.benchmarks.figures import Row
from tests.benchmarks.machine import n_cores
from tests.benchmarks.model import Model, model_once
from tests.benchmarks.phonemes import phonemes_near
from tests.benchmarks.plan import Plan
from tests.benchmarks.report import Report
from tests.original import ALLOWED, Both, Comparison
from workers.engines.base import Segment

_LENGTHS: Final = (10, 510)
_SPEEDS: Final = (1.0, 1.0, 1.0, 0.9, 1.2)
"""Speeds far from 1 are left to time stretching, which comes after the model."""


def measure_equality(report: Report, plan: Plan) -> None:
    """Adds the largest difference between the two models, and whether any phoneme has a different duration."""
    model = model_once()
    segments = [a_segment(number, plan.n_equal_segments, model.files.voices) for number in range(plan.n_equal_segments)]
    found: list[Comparison] = []
    with (
        report.steps("equality", len(segments)) as steps,
        ProcessPoolExecutor(n_cores(), mp_context=get_context("spawn"), initializer=_load, initargs=(model,)) as processes,
    ):
        for one in processes.map(_compare, segments):
            found.append(one)
            steps.done()
    title = f"Koe against kokoro.KModel on the {model.weights} weights, with the same noise, one thread each"
    report.add("equality", title, [_summary(found)])
    report.add("equality.segments", "Segment by segment", [_row(one) for one in found])


def _summary(found: list[Comparison]) -> Row:
    differences = [one.difference for one in found]
    return {
        "segments": len(found),
        "languages": len({one.segment.language for one in found}),
        "audio s": sum(one.audio_seconds for one in found),
        "worst difference ÷ peak": _small(max(differences)),
        "median": _small(median(differences)),
        f"above {_small(ALLOWED)}": sum(difference > ALLOWED for difference in differences),
        "other durations": sum(not one.is_as_long for one in found),
    }


def _row(one: Comparison) -> Row:
    segment = one.segment
    row: Row = {"language": segment.language, "phonemes": segment.n_phonemes, "voice": show_blend(segment.voice)}
    return row | {
        "speed": segment.speed,
        "audio s": one.audio_seconds,
        "difference ÷ peak": _small(one.difference),
        "durations": "the same" if one.is_as_long else "others",
    }


def _small(share: float) -> str:
    return f"{share:.1e}"


def a_segment(number: int, n_segments: int, voice_ids: Collection[str]) -> Segment:
    """Returns segment `number` of `n_segments`, the same in every run. Languages take turns, lengths grow from the shortest to
    the longest, and voices, blends and speeds are random.

    `voice_ids` are the voices that may be used.
    """
    chosen = random.Random(number)
    language = LANGUAGES[number % len(LANGUAGES)].tag
    shortest, longest = _LENGTHS
    phonemes = phonemes_near(shortest + (longest - shortest) * number // max(1, n_segments - 1), language)
    return Segment(
        text=phonemes,
        phonemes=phonemes,
        voice=_a_blend(chosen, language, sorted(voice_ids)),
        language=language,
        speed=chosen.choice(_SPEEDS),
        ending=Ending.SENTENCE,
    )


def _a_blend(chosen: random.Random, language: str, voice_ids: list[str]) -> Blend:
    """Returns a voice of the language, if there is one, sometimes blended with one or two other voices."""
    catalogue = load_catalogue()
    own = [voice_id for voice_id in voice_ids if catalogue.voices[voice_id].language == language]
    parts = {chosen.choice(own or voice_ids), *chosen.sample(voice_ids, chosen.choice((0, 0, 1, 2)))}
    weights = {part: chosen.uniform(0.2, 1) for part in sorted(parts)}
    return tuple(BlendPart(part, weight / sum(weights.values())) for part, weight in weights.items())


_loaded: list[Both] = []


def _load(model: Model) -> None:
    warnings.simplefilter("ignore")
    _loaded.append(Both(model.files))


def _compare(segment: Segment) -> Comparison:
    return _loaded[0].compare(segment)
