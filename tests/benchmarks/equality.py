"""Part `equality`: Koe's inference against `kokoro.KModel`, with the same noise, for random segments of the real dimensions.

Why a part of the benchmarks and no test: forty segments of any length take minutes; the tests compare small models.
"""

import random
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from statistics import median
from typing import Any, Final

import msgspec
import torch

from app.core.formats import SAMPLE_RATE_HZ
from app.core.voices import Blend, BlendPart, show_blend
from tests.benchmarks.figures import Row
from tests.benchmarks.machine import n_cores
from tests.benchmarks.model import model_once
from tests.benchmarks.phonemes import phonemes_of
from tests.benchmarks.plan import Plan
from tests.benchmarks.report import Report
from tests.benchmarks.speakers.as_shipped import load_model as load_original
from tests.checkpoints import DEFAULT_VOICES
from tests.noise import drawing
from workers.engines.base import Segment
from workers.engines.kokoro.checkpoint import find_checkpoint, load_model
from workers.engines.kokoro.decoder import Decoder
from workers.engines.kokoro.prosody import Prosody
from workers.text.segment import Ending

ALLOWED: Final = 1e-4
"""Of the original's peak."""


def measure_equality(report: Report, plan: Plan) -> None:
    """How far the two are apart at most, and whether a phoneme ever lasts longer in one of them."""
    model_once()
    found: list[Comparison] = []
    with (
        report.steps("equality", plan.n_equal_segments) as steps,
        ProcessPoolExecutor(n_cores(), mp_context=get_context("spawn"), initializer=_load) as processes,
    ):
        for one in processes.map(_compare, range(plan.n_equal_segments)):
            found.append(one)
            steps.done()
    differences = [one.difference for one in found]
    summary: Row = {
        "segments": len(found),
        "audio s": sum(one.audio_seconds for one in found),
        "worst difference ÷ peak": _small(max(differences)),
        "median": _small(median(differences)),
        f"above {_small(ALLOWED)}": sum(difference > ALLOWED for difference in differences),
        "other durations": sum(not one.is_as_long for one in found),
    }
    title = "Koe against kokoro.KModel with the same noise, one thread each"
    report.add("equality", title, [summary])
    report.add("equality.segments", "Segment by segment", [_row(one) for one in found])


class Comparison(msgspec.Struct, frozen=True):
    """What became of one segment."""

    segment: Segment
    audio_seconds: float
    difference: float
    """The largest of any sample, as a share of the original's peak."""
    is_as_long: bool
    """Every token in as many frames."""


def _row(one: Comparison) -> Row:
    segment = one.segment
    row: Row = {"phonemes": segment.n_phonemes, "voice": show_blend(segment.voice), "speed": segment.speed}
    return row | {
        "audio s": one.audio_seconds,
        "difference ÷ peak": _small(one.difference),
        "durations": "the same" if one.is_as_long else "others",
    }


def _small(share: float) -> str:
    return f"{share:.1e}"


def a_segment(number: int) -> Segment:
    """One of any length, voice, blend and speed, the same in every run."""
    chosen = random.Random(number)
    parts = sorted(chosen.sample(DEFAULT_VOICES, chosen.choice((1, 1, 2, 3))))
    weights = [chosen.uniform(0.2, 1) for _ in parts]
    voice: Blend = tuple(BlendPart(part, weight / sum(weights)) for part, weight in zip(parts, weights, strict=True))
    phonemes = phonemes_of(chosen.randint(10, 510), seed=number)
    speed = round(chosen.uniform(0.5, 2), 2)
    return Segment(text=phonemes, phonemes=phonemes, voice=voice, language="en-US", speed=speed, ending=Ending.SENTENCE)


class _Both:
    """The model as the package has it, and in Koe's halves, in one thread."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        model_dir = model_once()
        self.original: Any = load_original(model_dir)
        files = find_checkpoint(model_dir, DEFAULT_VOICES)
        model = load_model(files)
        self._packs = {voice: torch.load(path, weights_only=True) for voice, path in files.voices.items()}
        self.vocabulary: dict[str, int] = model.vocab
        self.prosody, self.decoder = Prosody(model), Decoder(model.decoder)

    def style(self, voice: Blend, n_phonemes: int) -> torch.Tensor:
        """(1, 256), of a blend: the mean of its voices' rows."""
        parts = [part.weight * self._packs[part.voice_id][n_phonemes - 1] for part in voice]
        return torch.stack(parts).sum(0)


_loaded: list[_Both] = []


def _load() -> None:
    warnings.simplefilter("ignore")
    _loaded.append(_Both())


def _compare(number: int) -> Comparison:
    one, both = a_segment(number), _loaded[0]
    torch.randn_like = drawing(one.digest)
    ids = torch.tensor([[0, *(both.vocabulary[phoneme] for phoneme in one.phonemes), 0]])
    style = both.style(one.voice, one.n_phonemes)
    expected, expected_frames = both.original.forward_with_tokens(ids, style, one.speed)
    score = both.prosody(ids, style, one.speed, one.digest)
    (spoken,) = both.decoder([score])
    return Comparison(
        segment=one,
        audio_seconds=len(spoken) / SAMPLE_RATE_HZ,
        difference=float((spoken - expected).abs().max() / expected.abs().max()),
        is_as_long=torch.equal(score.n_frames, expected_frames),
    )
