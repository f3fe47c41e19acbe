"""Converts text to encoded chunks: prepares, queues, joins and encodes it. Does not use Redis.

Why a few segments are queued ahead: the compute threads then always find work of this utterance while its last waveform is
being encoded, and a long text is still prepared no faster than it is spoken.

Why finished segments are cached before they are encoded: a worker that continues after a crash must join and encode exactly the
samples that the listener already has. The rest is deterministic, so all bytes are the same.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import msgspec

from app.core.errors import EngineUnavailable
from app.core.host import remedies
from app.core.speech.formats import SAMPLE_RATE_HZ
from app.core.speech.utterance import Utterance
from app.core.speech.word_times import TimedWord
from workers.engines.base import Engine, Segment, Waveform
from workers.measures import Measures
from workers.synthesis.audio import Sound
from workers.synthesis.encoder import TimedEncoder, open_encoder
from workers.synthesis.fair_queue import QueuedSegment
from workers.synthesis.joining import NOTHING_TO_SAY_SECONDS, Joiner, leading_silence, pause_after, silence, silences, to_sound
from workers.synthesis.prepare import PreparedItem, prepare_segments, prepare_text
from workers.synthesis.progress import Progress, TasksNow
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.segment_span import SegmentSpan
from workers.synthesis.task import SynthesisTask
from workers.synthesis.word_timing import WordTimer
from workers.text.cancellation import cancellation_check
from workers.text.normalization.tags.speakers import hide_speakers
from workers.text.normalization.tags.ssml_places import hide_tags

_NO_SOUND: Final = Sound(b"")

_AHEAD: Final = 2
"""Most segments of one utterance that are queued after the awaited one."""

_LONG_SECONDS: Final = 0.1
"""A segment that was queued for longer than this may have been spoken for another utterance meanwhile."""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """Totals of a spoken utterance."""

    n_segments: int
    n_phonemes: int
    audio_seconds: float
    lead_seconds: float | None = None
    """Silence at the beginning; None when all of it is silence."""


class _PendingSegments:
    """The pending segments and pauses of one utterance, in order. The scheduler speaks the segments."""

    def __init__(
        self,
        task: SynthesisTask,
        items: Iterator[PreparedItem],
        engine: Engine,
        scheduler: Scheduler,
        measures: Measures,
    ) -> None:
        self._task = task
        self._measures = measures
        self._items = items
        self._engine = engine
        self._scheduler = scheduler
        self._pending: deque[tuple[PreparedItem, QueuedSegment | None, Future[Sound]]] = deque()
        """Pending segments and pauses. A cached segment is not queued, nor is a pause."""
        self._begun_at = self._due = self._audio_ends_at = time.monotonic()
        self._is_first = not task.listening_seconds
        self._exhausted = False

    def refill(self) -> None:
        """Submits segments until enough are pending."""
        while len(self._pending) <= _AHEAD and not self._exhausted:
            with cancellation_check(self._task.check_cancelled):
                item = next(self._items, None)
            if item is None:
                self._exhausted = True
                return
            found = self._find_cached(item.segment)
            queued, sound = (None, found) if found or item.segment is None else self._submit(item.segment)
            self._pending.append((item, queued, sound or _done(_NO_SOUND)))
            self._due += _expected_seconds(item)
            self._is_first &= item.segment is None

    def next(self) -> tuple[PreparedItem, Sound] | None:
        """Waits for the next segment and returns it with its sound, or returns the next pause; None after the last one."""
        if not self._pending:
            return None
        item, _, sound = self._pending[0]
        spoken = sound.result()
        self._pending.popleft()
        return item, spoken

    def set_audio_end(self, when: float) -> None:
        """Corrects the deadlines: the spoken audio lasts until `when`, and the pending segments follow it."""
        self._audio_ends_at = self._due = when
        for item, queued, _ in self._pending:
            if queued is not None:
                queued.deadline = self._due
            self._due += _expected_seconds(item)

    @property
    def lead_seconds(self) -> float:
        """Length of the audio that the listener has left."""
        return max(0.0, self._audio_ends_at - time.monotonic())

    @property
    def is_spoken(self) -> bool:
        """Whether no segment is left, pending or to come."""
        return self._exhausted and not self._pending

    def _find_cached(self, segment: Segment | None) -> Future[Sound] | None:
        if segment is None:
            return None
        began_at = time.time()
        cached = self._find(segment)
        if cached is None:
            return None
        self._span_of(segment).record_hit(began_at, cached)
        return _done(cached)

    def _find(self, segment: Segment) -> Sound | None:
        found = self._task.find(segment)
        if found is not None:
            self._measures.count_segment_hit()
        return found

    def _submit(self, segment: Segment) -> tuple[QueuedSegment, Future[Sound]]:
        submitted_at, span = time.monotonic(), self._span_of(segment)
        queued = QueuedSegment(
            segment,
            self._engine,
            task=self._task.name,
            owner=self._task.owner,
            queue_name=self._task.queue_name,
            deadline=self._due,
            arrived_at=self._begun_at,
            is_first=self._is_first,
            on_begin=lambda: self._begin(segment, submitted_at, span),
            on_done=lambda waveform: self._cache_sound(segment, waveform),
        )
        queued.sound.add_done_callback(span.end)
        return queued, self._scheduler.submit(queued)

    def _begin(self, segment: Segment, submitted_at: float, span: SegmentSpan) -> Sound | None:
        span.begin(time.monotonic() - submitted_at)
        found = self._find(segment) if time.monotonic() - submitted_at > _LONG_SECONDS else None
        if found is None:
            self._task.begin(segment)
        else:
            span.note_hit()
        return found

    def _span_of(self, segment: Segment) -> SegmentSpan:
        return SegmentSpan(self._task.span, segment, self._engine)

    def _cache_sound(self, segment: Segment, waveform: Waveform) -> Sound:
        sound = to_sound(waveform, segment)
        self._task.cache_segment(segment, sound)
        return sound


class Synthesizer:
    """Speaks utterances. Many slots may call it at the same time."""

    def __init__(
        self, *, engines: Mapping[str, Engine], scheduler: Scheduler, ffmpeg_path: Path, measures: Measures | None = None
    ) -> None:
        self._engines = engines
        self._measures = measures or Measures()
        self._scheduler = scheduler
        self._ffmpeg_path = ffmpeg_path
        self.tasks_now = TasksNow()

    def speak(self, task: SynthesisTask) -> Spoken:
        """Speaks the task's utterance and gives its bytes to the task.

        Raises the exceptions of the task, the engine and the encoder. Also then, no segment stays queued and no process stays
        alive.
        """
        with self.tasks_now.watch(task) as progress:
            return self._speak(task, progress)

    def _speak(self, task: SynthesisTask, progress: Progress) -> Spoken:
        utterance = task.utterance
        engine = self._engine_of(utterance)
        try:
            with task.span.child("prepare"):
                pending = self._prepare(task, engine)
            with (
                task.span.child("encode", format=utterance.format) as span,
                open_encoder(
                    self._ffmpeg_path,
                    utterance.format,
                    utterance.bitrate_bps,
                    task.write,
                    sample_rate_hz=utterance.sample_rate_hz,
                ) as plain_encoder,
            ):
                encoder = TimedEncoder(plain_encoder)
                spoken = self._encode(pending, encoder, task, progress)
                encoder.finish()
                span.note(audio_seconds=round(spoken.audio_seconds, 3))
            self._measures.record_encoding(utterance.format, encoder.seconds)
            return spoken
        finally:
            self._scheduler.drop(task.name)

    def _prepare(self, task: SynthesisTask, engine: Engine) -> _PendingSegments:
        """Prepares the beginning of the text, and queues its first segments."""
        with cancellation_check(task.check_cancelled):
            prepared = prepare_text(task.utterance, engine)
        segments = prepare_segments(prepared, task.utterance, engine, speed=task.utterance.speed)
        pending = _PendingSegments(task, segments, engine, self._scheduler, self._measures)
        pending.refill()
        return pending

    def cancel(self, name: str) -> None:
        """Drops the waiting segments of the task with that name. Threads that wait for them return at once."""
        self._scheduler.drop(name)

    def _encode(self, pending: _PendingSegments, encoder: TimedEncoder, task: SynthesisTask, progress: Progress) -> Spoken:
        joiner, word_timer = Joiner(task.utterance.speed), WordTimer(_visible(task.utterance))
        n_segments = n_phonemes = 0
        audio_seconds = 0.0
        started_at: float | None = None
        lead_seconds: float | None = None
        task.check(0.0)
        while (following := pending.next()) is not None:
            # Before the refill: a task that ends here must not queue another segment.
            task.check(pending.lead_seconds)
            pending.refill()
            if pending.is_spoken:
                task.on_spoken()
            item, sound = following
            if item.segment is None:
                joiner.pause(item.pause_seconds)
                continue
            segment = item.segment
            n_before = joiner.add(sound.pcm, pause_after(segment))
            audio_seconds += n_before / SAMPLE_RATE_HZ
            _write_words(task, word_timer.add(segment, item.tracked, sound, audio_seconds, item.speaker))
            _write_silence(n_before, encoder, task, pending)
            if sound.pcm:
                lead_seconds = audio_seconds + leading_silence(sound.pcm) if lead_seconds is None else lead_seconds
                encoder.write(sound.pcm)
            audio_seconds += sound.seconds
            progress.advance(item, audio_seconds)
            n_segments, n_phonemes = n_segments + 1, n_phonemes + segment.n_phonemes
            started_at = started_at or time.monotonic() - task.listening_seconds
            pending.set_audio_end(started_at + audio_seconds)
        _write_words(task, word_timer.rest())
        n_after = joiner.rest()
        _write_silence(n_after, encoder, task, pending)
        audio_seconds += n_after / SAMPLE_RATE_HZ
        if not audio_seconds:
            encoder.write(silence(NOTHING_TO_SAY_SECONDS))
            audio_seconds = NOTHING_TO_SAY_SECONDS
        return Spoken(n_segments=n_segments, n_phonemes=n_phonemes, audio_seconds=audio_seconds, lead_seconds=lead_seconds)

    def _engine_of(self, utterance: Utterance) -> Engine:
        try:
            return self._engines[utterance.engine]
        except KeyError:
            raise EngineUnavailable(
                f"The engine {utterance.engine} is not loaded on the worker that got this request. "
                f"{remedies.koe('doctor')} says what is missing."
            ) from None


def _expected_seconds(item: PreparedItem) -> float:
    return item.segment.expected_seconds if item.segment is not None else item.pause_seconds


def _visible(utterance: Utterance) -> str:
    """Returns the text with spaces in place of tags that are read and not spoken."""
    text = hide_speakers(utterance.text, utterance.speakers)
    return hide_tags(text) if utterance.normalize else text


def _done(sound: Sound) -> Future[Sound]:
    done: Future[Sound] = Future()
    done.set_result(sound)
    return done


def _write_silence(n_samples: int, encoder: TimedEncoder, task: SynthesisTask, pending: _PendingSegments) -> None:
    for number, pcm in enumerate(silences(n_samples)):
        if number:
            task.check(pending.lead_seconds)
        encoder.write(pcm)


def _write_words(task: SynthesisTask, words: Sequence[TimedWord]) -> None:
    if words:
        task.write_words(words)
