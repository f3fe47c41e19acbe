"""Writes the segments of one utterance to its encoder in order: pauses, samples, words. Counts what it has written."""

import time
from collections.abc import Sequence

import msgspec

from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.utterance import Utterance
from app.core.speech.word_times import TimedWord
from workers.engines.base import Segment
from workers.synthesis.audio import Sound
from workers.synthesis.encoder import TimedEncoder
from workers.synthesis.joining import NOTHING_TO_SAY_SECONDS, Joiner, leading_silence, pause_after, silence, silences
from workers.synthesis.prepare import PreparedItem
from workers.synthesis.task import SynthesisTask
from workers.synthesis.word_timing import WordTimer
from workers.text.normalization.tags.speakers import hide_speakers
from workers.text.normalization.tags.ssml_places import hide_tags


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of a spoken utterance."""

    n_segments: int
    n_phonemes: int
    audio_seconds: float
    lead_seconds: float | None = None
    """Silence at the beginning; None when all of it is silence."""


class Output:
    """What the listener of one task has so far."""

    def __init__(self, encoder: TimedEncoder, task: SynthesisTask) -> None:
        self._encoder, self._task = encoder, task
        self._joiner, self._word_timer = Joiner(task.utterance.speed), WordTimer(_visible(task.utterance))
        self._begun: Sound | None = None
        """What was written of a segment that is not whole yet."""
        self._segment_at = 0.0
        self._n_segments = self._n_phonemes = 0
        self._lead_seconds: float | None = None
        self._started_at: float | None = None
        self.audio_seconds = 0.0
        """Length of the audio."""

    @property
    def ends_at(self) -> float:
        """Time at which the listener will have heard the audio, by `time.monotonic`."""
        return (self._started_at or time.monotonic()) + self.audio_seconds

    @property
    def seconds_left(self) -> float:
        """Length of the audio that the listener has not heard."""
        return max(0.0, self.ends_at - time.monotonic())

    def add_part(self, item: PreparedItem, segment: Segment, part: Sound, *, is_last: bool = False) -> None:
        """Writes the next part of a segment. The words have times from the segment's first sample."""
        if self._begun is None:
            n_before = self._joiner.add(part.pcm, pause_after(segment))
            self.audio_seconds += n_before / SAMPLE_RATE_HZ
            self._segment_at = self.audio_seconds
            self._begun = Sound(b"")
        else:
            n_before = 0
        words = self._word_timer.add(segment, item.tracked, part, self._segment_at, item.speaker, is_whole=is_last)
        self._write_words(words)
        self._write_silence(n_before)
        self._write(part)
        self._begun = Sound(self._begun.pcm + part.pcm, self._begun.words + part.words)

    def add(self, item: PreparedItem, sound: Sound) -> None:
        """Writes a whole segment, or what is left of it, or remembers a pause."""
        if item.segment is None:
            self._joiner.pause(item.pause_seconds)
            return
        begun = self._begun or Sound(b"")
        self.add_part(item, item.segment, sound.after(begun), is_last=True)
        self._begun = None
        self._n_segments, self._n_phonemes = self._n_segments + 1, self._n_phonemes + item.segment.n_phonemes

    def finish(self) -> Spoken:
        """Writes the last word and the pause after it. Returns the totals."""
        self._write_words(self._word_timer.rest())
        n_after = self._joiner.rest()
        self._write_silence(n_after)
        self.audio_seconds += n_after / SAMPLE_RATE_HZ
        if not self.audio_seconds:
            self._encoder.write(silence(NOTHING_TO_SAY_SECONDS))
            self.audio_seconds = NOTHING_TO_SAY_SECONDS
        return Spoken(
            n_segments=self._n_segments,
            n_phonemes=self._n_phonemes,
            audio_seconds=self.audio_seconds,
            lead_seconds=self._lead_seconds,
        )

    def _write(self, part: Sound) -> None:
        if part.pcm:
            if self._lead_seconds is None:
                self._lead_seconds = self.audio_seconds + leading_silence(part.pcm)
            self._encoder.write(part.pcm)
        self.audio_seconds += part.seconds
        self._started_at = self._started_at or time.monotonic() - self._task.listening_seconds

    def _write_silence(self, n_samples: int) -> None:
        for number, pcm in enumerate(silences(n_samples)):
            if number:
                self._task.check(self.seconds_left)
            self._encoder.write(pcm)

    def _write_words(self, words: Sequence[TimedWord]) -> None:
        if words:
            self._task.write_words(words)


def _visible(utterance: Utterance) -> str:
    """Returns the text with spaces in place of tags that are read and not spoken."""
    text = hide_speakers(utterance.text, utterance.speakers)
    return hide_tags(text) if utterance.normalize else text
