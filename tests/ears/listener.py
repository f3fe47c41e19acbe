"""The listener: Whisper base transcribes speech.

Why without fallback to higher temperatures: the same audio must give the same transcript in every run. Why a margin of silence
is added: Whisper was trained on windows of 30 seconds and loses a word that begins with the first sample.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Samples = npt.NDArray[np.float32]

WHISPER_HZ: Final = 16_000
_MARGIN_SECONDS: Final = 0.3
OTHER_MARGIN_SECONDS: Final = 0.75
"""Margin for a second transcript. With another window start Whisper rarely repeats a mistake. Wrong speech stays wrong."""
_LOOP_RATIO: Final = 5.0
"""Compression ratio from which Whisper repeats itself in silence; a sentence that is spoken twice is below 3."""
_MIN_FRAMES: Final = 1500
"""Smallest number of encoded frames, of 10 ms each. With fewer, Whisper adds words to short utterances, and writes Hindi as
English.
"""
_SPARE_FRAMES: Final = 100
"""Silence that is encoded after the last sound, in frames of 10 ms."""


class HeardWord(msgspec.Struct, frozen=True):
    """A word of the transcript and its time, in seconds of the given audio."""

    word: str
    start: float
    end: float


class Heard(msgspec.Struct, frozen=True):
    """A transcript."""

    text: str
    words: tuple[HeardWord, ...] = ()
    """Empty unless requested."""


class Listener:
    """Whisper. Thread-safe; each call runs on one core."""

    def __init__(self, folder: Path, n_calls: int = 2) -> None:
        """At most `n_calls` run at the same time; others wait."""
        self._whisper = _brief_whisper(folder, n_calls)

    def hear(
        self,
        samples: Samples,
        rate_hz: int,
        language: str,
        *,
        with_times: bool = False,
        margin_seconds: float = _MARGIN_SECONDS,
    ) -> Heard:
        """Transcribes `samples`, (n,) float32 in [-1, 1], between two margins of silence. `language` is a BCP 47 tag."""
        segments, _ = self._whisper.transcribe(
            to_whisper(samples, rate_hz, margin_seconds),
            language=language.partition("-")[0],
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=with_times,
        )
        found = [segment for segment in segments if segment.compression_ratio < _LOOP_RATIO]
        words = tuple(
            HeardWord(word.word, word.start - margin_seconds, word.end - margin_seconds)
            for segment in found
            for word in segment.words or ()
        )
        return Heard(" ".join(segment.text.strip() for segment in found), words)


def _brief_whisper(folder: Path, n_calls: int) -> Any:
    """Returns a Whisper that does not encode zeros at the end: it encodes at least 15 s, and up to 30 s only if there is sound.
    This takes half the time and gives the same text.
    """
    from faster_whisper import WhisperModel

    class BriefWhisper(WhisperModel):  # type: ignore[misc]
        def encode(self, features: Array) -> Any:
            used = np.flatnonzero(np.abs(features).max(axis=tuple(range(features.ndim - 1))))
            n_used = int(used[-1]) + _SPARE_FRAMES if used.size else 0
            n_frames = min(features.shape[-1], max(_MIN_FRAMES, -(-n_used // 100) * 100))
            return super().encode(np.ascontiguousarray(features[..., :n_frames]))

    return BriefWhisper(str(folder), device="cpu", compute_type="int8", cpu_threads=1, num_workers=n_calls)


def to_whisper(samples: Samples, rate_hz: int, margin_seconds: float) -> Samples:
    """Returns the samples at Whisper's rate, with silence around them."""
    import soxr

    padded = np.pad(samples.astype(np.float32), round(margin_seconds * rate_hz))
    resampled: Samples = soxr.resample(padded, rate_hz, WHISPER_HZ)
    return resampled
