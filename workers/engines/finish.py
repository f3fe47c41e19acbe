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

_LIMITER_REACH: Final = SAMPLE_RATE_HZ * 60 // 1000
"""Samples before its end in which a beginning's gain may still depend on what follows: twice the limiter's radius, and the
length of the filter that finds the peaks.
"""


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
        stretched = self._stretch(spoken.samples, seconds)
        factor = len(stretched) / max(1, len(spoken.samples))
        words = tuple(Word(word.first, word.last, word.start * factor, word.end * factor) for word in spoken.words)
        return Waveform(self._level(stretched, loudness_lufs), words)

    def beginning(self, spoken: Waveform, *, loudness_lufs: float) -> Waveform:
        """Returns the beginning of what a longer waveform that begins with `spoken` becomes, if it is not stretched."""
        samples = self._level(spoken.samples, loudness_lufs)[:-_LIMITER_REACH]
        end = len(samples) / SAMPLE_RATE_HZ
        return Waveform(samples, tuple(word for word in spoken.words if word.end <= end))

    @staticmethod
    def keeps_length(n_samples: int, seconds: float) -> bool:
        """Whether so many samples are not stretched to `seconds`."""
        n_wanted = round(seconds * SAMPLE_RATE_HZ)
        return abs(n_samples - n_wanted) <= _INAUDIBLE_ERROR * n_wanted

    def _stretch(self, samples: Samples, seconds: float) -> Samples:
        if self.keeps_length(len(samples), seconds):
            return samples
        return time_stretch(samples, round(seconds * SAMPLE_RATE_HZ), self._ffmpeg_path)
