"""Koe's KokoroEngine, as in a worker."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from app.core.speech.boundaries import Ending
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.utterance import Utterance
from app.core.speech.voices import BlendPart, load_catalogue
from tests.benchmarks.cached_files import VOICE
from workers.engines.base import Segment, Turn
from workers.engines.kokoro.engine import KokoroEngine
from workers.engines.registry import AUTO_PRECISION
from workers.synthesis.prepare import prepare_segments, prepare_text


class KoeSpeaker:
    """See Speaker."""

    def __init__(self, model_dir: Path) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        self._catalogue = load_catalogue()
        self._engine = KokoroEngine(catalogue=self._catalogue, model_dir=model_dir, device="cpu", precision=AUTO_PRECISION)

    def speak(self, phonemes: str, n_threads: int) -> float:
        """See Speaker."""
        return self._synthesize(segment_of(phonemes), n_threads)

    def speak_all(self, segments: Sequence[str], n_threads: int) -> float:
        """See Speaker: `n_threads` compute threads, each of which speaks one segment at a time."""
        with ThreadPoolExecutor(n_threads) as compute_threads:
            return sum(compute_threads.map(lambda phonemes: self.speak(phonemes, 1), segments))

    def speak_beginning(self, text: str, n_threads: int) -> int:
        """Prepares a text again, as a worker does, and speaks its first segment. Returns the number of its phonemes."""
        voice, _ = self._catalogue.parse(VOICE)
        utterance = Utterance(text=text, engine="kokoro", voice=voice, language="en-US", format="pcm")
        placed = prepare_segments(prepare_text(utterance, self._engine), utterance, self._engine)
        first = next(one.segment for one in placed if one.segment is not None)
        self._synthesize(first, n_threads)
        return first.n_phonemes

    def _synthesize(self, segment: Segment, n_threads: int) -> float:
        (waveform,) = self._engine.synthesize([segment], Turn(n_threads=n_threads))
        return len(waveform.samples) / SAMPLE_RATE_HZ


def segment_of(phonemes: str) -> Segment:
    """Returns a segment of these phonemes by the voice that is measured."""
    voice = (BlendPart(VOICE, 1.0),)
    return Segment(text=phonemes, phonemes=phonemes, voice=voice, language="en-US", speed=1.0, ending=Ending.SENTENCE)


def load(model_dir: Path, _: Path | None) -> KoeSpeaker:
    """Loads the checkpoint."""
    return KoeSpeaker(model_dir)
