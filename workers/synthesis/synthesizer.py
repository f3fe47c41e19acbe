"""Converts text to encoded chunks: prepares, queues, joins and encodes it. Does not use Redis.

Why a few segments are queued ahead: the compute threads then always find work of this utterance while its last waveform is
being encoded, and a long text is still prepared no faster than it is spoken.

Why finished segments are cached before they are encoded: a worker that continues after a crash must join and encode exactly the
samples that the listener already has. The rest is deterministic, so all bytes are the same.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import msgspec

from app.core.errors import EngineUnavailable
from app.core.host import remedies
from app.core.speech.utterance import Utterance
from workers.engines.base import Engine, Segment, Waveform
from workers.measures import Measures
from workers.synthesis.audio import Sound
from workers.synthesis.encoder import TimedEncoder, open_encoder
from workers.synthesis.fair_queue import QueuedSegment
from workers.synthesis.joining import begin_sound, to_sound
from workers.synthesis.output import Output, Spoken
from workers.synthesis.prepare import PreparedItem, prepare_segments, prepare_text
from workers.synthesis.progress import Progress, TasksNow
from workers.synthesis.scheduler import Scheduler
from workers.synthesis.segment_span import SegmentSpan
from workers.synthesis.task import SynthesisTask
from workers.text.cancellation import cancellation_check

_NO_SOUND: Final = Sound(b"")

_AHEAD: Final = 2
"""Most segments of one utterance that are queued after the awaited one."""

_LONG_SECONDS: Final = 0.1
"""A segment that was queued for longer than this may have been spoken for another utterance meanwhile."""


class _Speech:
    """A segment that is being spoken: the beginnings that its listener gets before the whole sound."""

    def __init__(self, segment: Segment, cache: Callable[[Segment, Sound], None]) -> None:
        """`cache` stores the whole sound."""
        self.segment, self._cache = segment, cache
        self._begun = _NO_SOUND
        self._parts: SimpleQueue[Sound | None] = SimpleQueue()

    def begin(self, waveform: Waveform) -> None:
        """Takes the beginning of the waveform, from a compute thread."""
        begun = begin_sound(waveform, self.segment).beginning_with(self._begun)
        self._parts.put(begun.after(self._begun))
        self._begun = begun

    def finish(self, waveform: Waveform) -> Sound:
        """Takes the whole waveform, from a compute thread, and returns the whole sound."""
        sound = to_sound(waveform, self.segment).beginning_with(self._begun)
        self._cache(self.segment, sound)
        return sound

    def end(self, _: object = None) -> None:
        """Says that no part follows."""
        self._parts.put(None)

    def parts(self) -> Iterator[Sound]:
        """Waits for each part of the sound before the last one, and yields it."""
        while (part := self._parts.get()) is not None:
            if part.pcm:
                yield part


class _Pending(msgspec.Struct, frozen=True):
    """A segment or a pause whose turn comes. A segment from the cache is not queued and has no parts, nor has a pause."""

    item: PreparedItem
    sound: Future[Sound]
    queued: QueuedSegment | None = None
    speech: _Speech | None = None


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
        self._pending: deque[_Pending] = deque()
        self._begun_at = time.monotonic()
        self._due = self._begun_at + task.heard_seconds
        self._is_first = not task.listening_seconds and not task.heard_seconds
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
            if found or item.segment is None:
                self._pending.append(_Pending(item, found or _done(_NO_SOUND)))
            else:
                self._pending.append(self._submit(item, item.segment))
            self._due += _expected_seconds(item)
            self._is_first &= item.segment is None

    def parts(self) -> Iterator[tuple[PreparedItem, Segment, Sound]]:
        """Waits for the parts of the next segment before its last one, and yields them with the segment."""
        if self._pending and (speech := self._pending[0].speech) is not None:
            for part in speech.parts():
                yield self._pending[0].item, speech.segment, part

    def next(self) -> tuple[PreparedItem, Sound] | None:
        """Waits for the next segment and returns it with its whole sound, or returns the next pause; None at the end."""
        if not self._pending:
            return None
        spoken = self._pending[0].sound.result()
        return self._pending.popleft().item, spoken

    def set_audio_end(self, when: float) -> None:
        """Corrects the deadlines: the spoken audio lasts until `when`, and the pending segments follow it."""
        self._due = when
        for pending in self._pending:
            if pending.queued is not None:
                pending.queued.deadline = self._due
            self._due += _expected_seconds(pending.item)

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

    def _submit(self, item: PreparedItem, segment: Segment) -> _Pending:
        submitted_at, span = time.monotonic(), self._span_of(segment)
        speech = _Speech(segment, self._task.cache_segment)
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
            on_beginning=speech.begin,
            on_done=speech.finish,
        )
        queued.sound.add_done_callback(span.end)
        queued.sound.add_done_callback(speech.end)
        return _Pending(item, self._scheduler.submit(queued), queued, speech)

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
        segments = prepare_segments(prepared, task.utterance, engine, speed=task.utterance.speed, plays=task.plays)
        pending = _PendingSegments(task, segments, engine, self._scheduler, self._measures)
        pending.refill()
        return pending

    def cancel(self, name: str) -> None:
        """Drops the segments of the task with that name. Threads that wait for them return at once, or at the engine's next
        step.
        """
        self._scheduler.drop(name, breaks_off=True)

    def _encode(self, pending: _PendingSegments, encoder: TimedEncoder, task: SynthesisTask, progress: Progress) -> Spoken:
        output = Output(encoder, task)
        task.check(0.0)
        while True:
            for item, segment, part in pending.parts():
                output.add_part(item, segment, part)
            if (following := pending.next()) is None:
                return output.finish()
            # Before the refill: a task that ends here must not queue another segment.
            task.check(output.seconds_left)
            pending.refill()
            if pending.is_spoken:
                task.on_spoken()
            item, sound = following
            output.add(item, sound)
            if item.segment is not None:
                progress.advance(item, output.audio_seconds)
                pending.set_audio_end(output.ends_at)

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


def _done(sound: Sound) -> Future[Sound]:
    done: Future[Sound] = Future()
    done.set_result(sound)
    return done
