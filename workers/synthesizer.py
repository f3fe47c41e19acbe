"""Text in, encoded chunks out: normalize, prepare, line up, join, encode. Knows no Redis.

Why segments are handed over a few ahead: the compute threads then always find work of this utterance while its last waveform
is being encoded, and a long text is still prepared no faster than it is spoken.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import msgspec

from app.core.broker import Lane
from app.core.errors import Cancelled, EngineUnavailable
from app.core.utterance import Utterance
from workers.encoder import Encoder, Sink, open_encoder
from workers.engines.base import Engine, Segment, Waveform
from workers.joining import NOTHING_TO_SAY_SECONDS, Joiner, seconds_of, silence
from workers.scheduler import Scheduler, Turn
from workers.text.normalize import clean, normalize

_AHEAD: Final = 2
"""Segments of one utterance in line beyond the one that is awaited."""


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """What an utterance amounted to."""

    n_segments: int
    n_phonemes: int
    audio_seconds: float


class _Line:
    """The segments of one utterance on their way through the scheduler, in order."""

    def __init__(
        self, utterance: Utterance, segments: Iterator[Segment], engine: Engine, scheduler: Scheduler, lane: Lane
    ) -> None:
        self._utterance_id = utterance.id
        self._segments = segments
        self._engine = engine
        self._scheduler = scheduler
        self._lane = lane
        self._pending: deque[tuple[Segment, Future[Waveform]]] = deque()
        self._begun_at = self._due = time.monotonic()
        self._exhausted = False

    def refill(self) -> None:
        """Hands over segments until enough of them are in line."""
        while len(self._pending) <= _AHEAD and not self._exhausted:
            segment = next(self._segments, None)
            if segment is None:
                self._exhausted = True
                return
            turn = Turn(
                segment,
                self._engine,
                owner=self._utterance_id,
                lane=self._lane,
                deadline=self._due,
                arrived_at=self._begun_at,
            )
            self._pending.append((segment, self._scheduler.submit(turn)))
            self._due += segment.expected_seconds

    def next(self) -> tuple[Segment, Waveform] | None:
        """The next segment and its waveform, waited for; None after the last."""
        if not self._pending:
            return None
        segment, waveform = self._pending[0]
        spoken = waveform.result()
        self._pending.popleft()
        return segment, spoken

    def heard_until(self, when: float) -> None:
        """Corrects the deadlines to come: what has been spoken lasts until `when`; what is in line comes on top of it."""
        self._due = when + sum(segment.expected_seconds for segment, _ in self._pending)

    @property
    def is_spoken(self) -> bool:
        """True when no segment is left, in line or to come."""
        return self._exhausted and not self._pending


class Synthesizer:
    """Speaks utterances; called from many slots at once."""

    def __init__(self, *, engines: Mapping[str, Engine], scheduler: Scheduler, ffmpeg_path: Path) -> None:
        self._engines = engines
        self._scheduler = scheduler
        self._ffmpeg_path = ffmpeg_path

    def speak(
        self,
        utterance: Utterance,
        sink: Sink,
        *,
        lane: Lane,
        cancelled: threading.Event,
        on_spoken: Callable[[], None] = lambda: None,
    ) -> Spoken:
        """Speaks the utterance and gives its bytes to `sink`; `on_spoken` is called when nothing but encoding is left.

        Raises Cancelled once `cancelled` is set, what the sink raises, and what the engine or the encoder raises. Whatever
        happens, no segment is left in line and no process is left behind.
        """
        engine = self._engine_of(utterance)
        prepared = engine.prepare(
            self._text_of(utterance), voice=utterance.voice, language=utterance.language, speed=utterance.speed
        )
        line = _Line(utterance, prepared, engine, self._scheduler, lane)
        try:
            line.refill()
            with open_encoder(self._ffmpeg_path, utterance.format, utterance.bitrate_bps, sink) as encoder:
                spoken = self._encode(line, encoder, utterance.speed, cancelled, on_spoken)
                encoder.finish()
            return spoken
        finally:
            self._scheduler.drop(utterance.id)

    def cancel(self, utterance_id: str) -> None:
        """Drops the utterance's segments, so that whoever waits for them is let go at once."""
        self._scheduler.drop(utterance_id)

    def _encode(
        self, line: _Line, encoder: Encoder, speed: float, cancelled: threading.Event, on_spoken: Callable[[], None]
    ) -> Spoken:
        joiner = Joiner(speed)
        n_segments = n_phonemes = 0
        audio_seconds = 0.0
        started_at: float | None = None
        _stop_if(cancelled)
        while (item := line.next()) is not None:
            # Before the refill, which would have one more segment spoken for nobody.
            _stop_if(cancelled)
            line.refill()
            if line.is_spoken:
                on_spoken()
            segment, waveform = item
            for pcm in joiner.add(waveform.samples, segment.ending):
                encoder.write(pcm)
                audio_seconds += seconds_of(pcm)
            n_segments, n_phonemes = n_segments + 1, n_phonemes + segment.n_phonemes
            started_at = started_at or time.monotonic()
            line.heard_until(started_at + audio_seconds)
        if not audio_seconds:
            encoder.write(silence(NOTHING_TO_SAY_SECONDS))
            audio_seconds = NOTHING_TO_SAY_SECONDS
        return Spoken(n_segments=n_segments, n_phonemes=n_phonemes, audio_seconds=audio_seconds)

    def _engine_of(self, utterance: Utterance) -> Engine:
        try:
            return self._engines[utterance.engine]
        except KeyError:
            raise EngineUnavailable(
                f"The engine {utterance.engine} is not loaded on the worker that took this. `koe doctor` says what it lacks."
            ) from None

    def _text_of(self, utterance: Utterance) -> str:
        return normalize(utterance.text, utterance.language) if utterance.normalize else clean(utterance.text)


def _stop_if(cancelled: threading.Event) -> None:
    if cancelled.is_set():
        raise Cancelled("The utterance is not wanted any more.")
