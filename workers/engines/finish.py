"""Post-processing of Kokoro's and espeak-ng's speech: stretches it to the requested speed and gives every voice the same
loudness.
"""

from pathlib import Path
from typing import Final

import imageio_ffmpeg

from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Samples, Waveform, Word
from workers.engines.loudness import Leveller
from workers.engines.time_stretch import time_stretch

_INAUDIBLE_ERROR: Final = 0.01
"""Relative length error below which nothing is stretched."""


class Finish:
    """Adjusts length and loudness of speech."""

    def __init__(self, *, ffmpeg_path: Path | None = None, loudness_lufs: float = 0.0) -> None:
        """`ffmpeg_path`: the binary for time stretching; None means imageio-ffmpeg's binary. `loudness_lufs`: the target, as in
        Leveller; 0 does not change the loudness.
        """
        self._ffmpeg_path = ffmpeg_path or Path(imageio_ffmpeg.get_ffmpeg_exe())
        self._level = Leveller(loudness_lufs)
        self.identity = f"finish 2 {self._level.identity}"
        """Part of an engine's identity, since it affects the sound of a segment."""

    def __call__(self, spoken: Waveform, *, seconds: float, loudness_lufs: float) -> Waveform:
        """Returns `spoken` with a length of `seconds` and the target loudness. Raises EngineFailed.

        `loudness_lufs`: the loudness of the voice's speech.
        """
        stretched = self._stretch(spoken.samples, round(seconds * SAMPLE_RATE_HZ))
        factor = len(stretched) / max(1, len(spoken.samples))
        words = tuple(Word(word.first, word.last, word.start * factor, word.end * factor) for word in spoken.words)
        return Waveform(self._level(stretched, loudness_lufs), words)

    def _stretch(self, samples: Samples, n_wanted: int) -> Samples:
        if abs(len(samples) - n_wanted) <= _INAUDIBLE_ERROR * n_wanted:
            return samples
        return time_stretch(samples, n_wanted, self._ffmpeg_path)
