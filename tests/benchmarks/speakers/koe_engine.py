"""Koe's KokoroEngine, as a worker has it."""

import inspect
import logging
from pathlib import Path
from typing import Any

import structlog
import torch

from app.core.formats import SAMPLE_RATE_HZ
from app.core.voices import BlendPart, load_catalogue
from tests.benchmarks.kept import VOICE
from workers.engines.base import Segment
from workers.engines.kokoro.engine import KokoroEngine
from workers.text.segment import Ending


def make_segment(phonemes: str) -> Segment:
    """A segment of those phonemes."""
    return Segment(
        text=phonemes,
        phonemes=phonemes,
        voice=(BlendPart(VOICE, 1.0),),
        language="en-US",
        speed=1.0,
        ending=Ending.SENTENCE,
    )


class KoeSpeaker:
    """See Speaker."""

    def __init__(self, model_dir: Path) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        self.engine = KokoroEngine(catalogue=load_catalogue(), model_dir=model_dir, device="cpu")
        self._takes_threads = "n_threads" in inspect.signature(self.engine.synthesize).parameters

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        return self.synthesize(make_segment(phonemes), n_threads)

    def synthesize(self, segment: Segment, n_threads: int) -> float:
        """The same for a segment that is there already. An engine that knows threads of its own is told how many."""
        torch.set_num_threads(n_threads)
        told: dict[str, Any] = {"n_threads": n_threads} if self._takes_threads else {}
        (waveform,) = self.engine.synthesize([segment], **told)
        return len(waveform.samples) / SAMPLE_RATE_HZ


def load(model_dir: Path, _: Path | None) -> KoeSpeaker:
    """Loads the checkpoint."""
    return KoeSpeaker(model_dir)
