"""Segments made one: silence at their edges trimmed, pauses set by what stands in the text, no click and no double silence.

Why trimming before pausing: engines leave a silence at each edge that changes with the text, so two of them and a pause would
add up to a different gap at every joint. With the edges cut to a known margin the pause alone decides.
"""

import warnings
from collections.abc import Iterator
from typing import Final

import numpy as np

from app.core.speech.formats import SAMPLE_BYTES, SAMPLE_RATE_HZ
from workers.engines.base import Samples, Segment, Waveform, Word
from workers.synthesis.audio import Sound, to_pcm
from workers.text.boundaries import Ending

with warnings.catch_warnings():
    # At import pydub looks for an ffmpeg on the PATH and warns when there is none; nothing here needs it.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.silence import detect_leading_silence

SILENCE_DBFS: Final = -50.0
"""Below this an edge is silence."""

_MARGIN_MS: Final = 20
"""Left of an edge's silence, at speed 1: consonants begin softly."""

_FADE_MS: Final = 3
"""Over this a cut edge rises from zero and falls to it."""

_RAMP: Final[Samples] = np.linspace(0.0, 1.0, _FADE_MS * SAMPLE_RATE_HZ // 1000, dtype=np.float32)

PAUSE_SECONDS: Final[dict[Ending, float]] = {
    Ending.PARAGRAPH: 0.7,
    Ending.SENTENCE: 0.35,
    Ending.CLAUSE: 0.15,
    Ending.CUT: 0.0,
}
"""Between a segment and the next, at speed 1."""

NOTHING_TO_SAY_SECONDS: Final = 0.25
"""Length of the silence that answers a text without anything to say."""


def n_samples(seconds: float) -> int:
    """How many samples last as long."""
    return round(seconds * SAMPLE_RATE_HZ)


def silence(seconds: float) -> bytes:
    """Zeros, as s16le."""
    return bytes(SAMPLE_BYTES * n_samples(seconds))


def silences(n: int) -> Iterator[bytes]:
    """So many zeros as s16le, a second at a time."""
    while n > 0:
        yield bytes(SAMPLE_BYTES * min(n, SAMPLE_RATE_HZ))
        n -= SAMPLE_RATE_HZ


def seconds_of(pcm: bytes) -> float:
    """How long s16le lasts."""
    return len(pcm) / (SAMPLE_BYTES * SAMPLE_RATE_HZ)


def to_sound(waveform: Waveform, segment: Segment) -> Sound:
    """The waveform as it is joined: s16le, trimmed, and its words where they are then. An edge within a sentence stays as it
    is: the silence there is the sentence's own.
    """
    pcm, lead_seconds = trim(to_pcm(waveform.samples), segment.speed, at_start=not segment.before, at_end=not segment.after)
    most = seconds_of(pcm)

    def moved(seconds: float) -> float:
        return min(max(0.0, seconds - lead_seconds), most)

    words = (Word(word.first, word.last, moved(word.start), moved(word.end)) for word in waveform.words)
    return Sound(pcm, tuple(words))


def trim(pcm: bytes, speed: float = 1.0, *, at_start: bool = True, at_end: bool = True) -> tuple[bytes, float]:
    """s16le without the silence at its edges beyond a margin, and the seconds that were taken from its beginning. The margin is
    shorter in fast speech, as every pause is.

    An edge that was cut is faded. All silence gives nothing.
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
    # Not with pydub's slices and fades: they give whole milliseconds and drop or pad what is left of the last one.
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)[n_lead:]
    if n_lead:
        samples[: len(_RAMP)] *= _RAMP
    if n_trail:
        samples = samples[:-n_trail]
        samples[-len(_RAMP) :] *= _RAMP[::-1]
    return samples.round().astype("<i2").tobytes(), n_lead / SAMPLE_RATE_HZ


def pause_after(segment: Segment) -> Ending:
    """What decides the pause after it: nothing, where the rest of its sentence was read with it and follows as it would in one
    piece.
    """
    return Ending.CUT if segment.after else segment.ending


class Joiner:
    """Tells the pauses between the segments of one utterance, in order, as they come.

    Why numbers and not the silence itself: a text of a page can ask for hours of it.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._pause = 0
        self._asked = 0

    def add(self, pcm: bytes, ending: Ending) -> int:
        """The silence that is owed before the segment, in samples. `pcm` is trimmed, s16le; when nothing is left of it, nothing
        is owed yet and the longer pause is kept.
        """
        pause = n_samples(PAUSE_SECONDS[ending] / self._speed)
        if not pcm:
            self._pause = max(self._pause, pause)
            return 0
        before = self._asked or self._pause
        self._pause, self._asked = pause, 0
        return before

    def pause(self, seconds: float) -> None:
        """A pause that the user asks for: it takes the place of the one that the text would have."""
        self._asked += n_samples(seconds)

    def rest(self) -> int:
        """What was asked for behind the last segment, in samples."""
        asked, self._asked = self._asked, 0
        return asked
