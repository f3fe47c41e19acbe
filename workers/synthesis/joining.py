"""Joins segments: trims the silence at their edges and sets pauses by the text, without clicks and double silence.

Why edges are trimmed: engines leave silence at each edge, and its length varies with the text. Two of these and a pause would
give a different gap at every joint. If the edges are cut to a known margin, the pause alone decides.
"""

import warnings
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from app.core.speech.boundaries import Ending
from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from app.core.speech.pauses import PAUSE_SECONDS
from workers.engines.base import Samples, Segment, Waveform, Word
from workers.synthesis.audio import Sound, to_pcm

with warnings.catch_warnings():
    # At its import, pydub searches the PATH for ffmpeg and warns if there is none. Nothing here needs ffmpeg.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.silence import detect_leading_silence

SILENCE_DBFS: Final = -50.0
"""An edge that is softer than this is silence."""

_SILENCE: Final = 32_768 * 10 ** (SILENCE_DBFS / 20)
"""The same as a sample of s16le."""

_MARGIN_MS: Final = 20
"""Silence that is left at an edge, at speed 1: consonants begin softly."""

_FADE_MS: Final = 3
"""Length of the fade at an edge that was cut."""

_RAMP: Final[Samples] = np.linspace(0.0, 1.0, _FADE_MS * SAMPLE_RATE_HZ // 1000, dtype=np.float32)

NOTHING_TO_SAY_SECONDS: Final = 0.25
"""Length of the silence that is spoken for a text with nothing to say."""


def n_samples(seconds: float) -> int:
    """Returns the number of samples in that time."""
    return round(seconds * SAMPLE_RATE_HZ)


def silence(seconds: float) -> bytes:
    """Returns silence as s16le."""
    return bytes(SAMPLE_BYTES * n_samples(seconds))


def silences(n: int) -> Iterator[bytes]:
    """Yields `n` samples of silence as s16le, at most one second at a time."""
    while n > 0:
        yield bytes(SAMPLE_BYTES * min(n, SAMPLE_RATE_HZ))
        n -= SAMPLE_RATE_HZ


def seconds_of(pcm: bytes) -> float:
    """Returns the length of s16le in seconds."""
    return len(pcm) / (SAMPLE_BYTES * SAMPLE_RATE_HZ)


def leading_silence(pcm: bytes) -> float:
    """Returns the length of the silence at the beginning of s16le in seconds."""
    is_loud = _is_loud(pcm)
    return int(is_loud.argmax()) / SAMPLE_RATE_HZ if is_loud.any() else seconds_of(pcm)


def to_sound(waveform: Waveform, segment: Segment) -> Sound:
    """Converts a waveform to a sound: s16le, trimmed, with the times of its words moved accordingly. An edge within a sentence
    is not trimmed: the silence there belongs to the sentence.
    """
    pcm, lead_seconds = _trimmed(waveform, segment, at_end=not segment.after)
    length_seconds = seconds_of(pcm)

    def moved(seconds: float) -> float:
        return min(max(0.0, seconds - lead_seconds), length_seconds)

    words = (Word(word.first, word.last, moved(word.start), moved(word.end)) for word in waveform.words)
    return Sound(pcm, tuple(words))


def begin_sound(waveform: Waveform, segment: Segment) -> Sound:
    """Converts the beginning of a waveform to the beginning of its sound. Silence at its end is left out: it may be the end of
    the sound.
    """
    pcm, lead_seconds = _trimmed(waveform, segment, at_end=False)
    loud = np.flatnonzero(_is_loud(pcm))
    pcm = pcm[: SAMPLE_BYTES * (int(loud[-1]) + 1)] if len(loud) else b""
    ends = seconds_of(pcm) + lead_seconds
    words = (word for word in waveform.words if lead_seconds <= word.end <= ends)
    moved = (Word(word.first, word.last, max(0.0, word.start - lead_seconds), word.end - lead_seconds) for word in words)
    return Sound(pcm, tuple(moved))


def _trimmed(waveform: Waveform, segment: Segment, *, at_end: bool) -> tuple[bytes, float]:
    return trim(to_pcm(waveform.samples), segment.speed, at_start=not segment.before, at_end=at_end)


def _is_loud(pcm: bytes) -> npt.NDArray[np.bool_]:
    is_loud: npt.NDArray[np.bool_] = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > _SILENCE
    return is_loud


def trim(pcm: bytes, speed: float = 1.0, *, at_start: bool = True, at_end: bool = True) -> tuple[bytes, float]:
    """Returns s16le with only a margin of the silence at its edges, and the seconds cut from its beginning. The margin, like
    every pause, is divided by the speed.

    An edge that was cut is faded. If everything is silence, the result is empty.
    """
    audio = AudioSegment(pcm, sample_width=SAMPLE_BYTES, frame_rate=SAMPLE_RATE_HZ, channels=1)
    lead_ms = detect_leading_silence(audio, silence_threshold=SILENCE_DBFS, chunk_size=1)
    if lead_ms >= len(audio):
        return b"", 0.0
    trail_ms = detect_leading_silence(audio.reverse(), silence_threshold=SILENCE_DBFS, chunk_size=1)
    lead_ms, trail_ms = lead_ms if at_start else 0, trail_ms if at_end else 0
    n_lead, n_trail = (max(0, edge_ms - round(_MARGIN_MS / speed)) * SAMPLE_RATE_HZ // 1000 for edge_ms in (lead_ms, trail_ms))
    if not n_lead and not n_trail:
        return pcm, 0.0
    # Not with pydub's slices and fades: they work in whole milliseconds, and drop or pad a rest shorter than one.
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)[n_lead:]
    if n_lead:
        samples[: len(_RAMP)] *= _RAMP
    if n_trail:
        samples = samples[:-n_trail]
        samples[-len(_RAMP) :] *= _RAMP[::-1]
    return samples.round().astype("<i2").tobytes(), n_lead / SAMPLE_RATE_HZ


def pause_after(segment: Segment) -> Ending:
    """Returns the ending that decides the pause after the segment. It is CUT, without a pause, if the engine read the segment
    together with the rest of its sentence.
    """
    return Ending.CUT if segment.after else segment.ending


class Joiner:
    """Computes the pauses between the segments of one utterance. The segments are added in order.

    Why numbers and not the silence itself: a text of one page can ask for hours of silence.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._pause = 0
        self._asked = 0

    def add(self, pcm: bytes, ending: Ending) -> int:
        """Returns the silence before the segment, in samples. `pcm` is trimmed s16le. If it is empty, the result is 0, and the
        longer pause is kept for the next segment.
        """
        pause = n_samples(PAUSE_SECONDS[ending] / self._speed)
        if not pcm:
            self._pause = max(self._pause, pause)
            return 0
        before = self._asked or self._pause
        self._pause, self._asked = pause, 0
        return before

    def pause(self, seconds: float) -> None:
        """Adds a pause that the user asks for. It replaces the pause of the text."""
        self._asked += n_samples(seconds)

    def rest(self) -> int:
        """Returns the silence that the user asks for after the last segment, in samples."""
        asked, self._asked = self._asked, 0
        return asked
