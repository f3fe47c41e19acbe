"""What is done to all speech once an engine has made it: the speed that was asked for, and one loudness for every voice."""

from pathlib import Path
from typing import Final

import imageio_ffmpeg

from app.core.speech.formats import SAMPLE_RATE_HZ
from workers.engines.base import Samples, Waveform, Word
from workers.engines.loudness import Leveller
from workers.engines.time_stretch import time_stretch

_NOT_HEARD: Final = 0.01
"""A length that is wrong by less than this share is left as it is."""


class Finish:
    """How speech is finished."""

    def __init__(self, *, ffmpeg_path: Path | None = None, loudness_lufs: float = 0.0) -> None:
        """`ffmpeg_path`: the binary that stretches; None is the one inside imageio-ffmpeg. `loudness_lufs`: as for Leveller; 0
        leaves speech as loud as it is.
        """
        self._ffmpeg_path = ffmpeg_path or Path(imageio_ffmpeg.get_ffmpeg_exe())
        self._level = Leveller(loudness_lufs)
        self.identity = f"finish 2 {self._level.identity}"
        """Part of an engine's identity, since it decides how a segment sounds."""

    def __call__(self, spoken: Waveform, *, seconds: float, loudness_lufs: float) -> Waveform:
        """`spoken`, by a voice whose speech has `loudness_lufs`, made to last `seconds`. Raises EngineFailed."""
        stretched = self._stretch(spoken.samples, round(seconds * SAMPLE_RATE_HZ))
        factor = len(stretched) / max(1, len(spoken.samples))
        words = tuple(Word(word.first, word.last, word.start * factor, word.end * factor) for word in spoken.words)
        return Waveform(self._level(stretched, loudness_lufs), words)

    def _stretch(self, samples: Samples, n_wanted: int) -> Samples:
        if abs(len(samples) - n_wanted) <= _NOT_HEARD * n_wanted:
            return samples
        return time_stretch(samples, n_wanted, self._ffmpeg_path)
