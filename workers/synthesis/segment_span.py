"""The span of one segment: from the moment at which a compute thread takes it until its sound is there.

Why not from the moment at which it is queued: the fact `wait_seconds` says how long that was, and a span that is mostly waiting
does not show how long the engine took.
"""

from concurrent.futures import Future

from app.core.tracing.spans import NO_SPAN, Facts, Span
from workers.engines.base import Engine, Segment
from workers.synthesis.audio import Sound


class SegmentSpan:
    """A child of the span of a task. It records nothing if it never begins."""

    def __init__(self, parent: Span, segment: Segment, engine: Engine) -> None:
        self._parent = parent
        self._segment = segment
        self._engine = engine
        self._span = NO_SPAN

    def begin(self, wait_seconds: float) -> None:
        """To be called when a thread takes the segment. `wait_seconds`: since it was queued."""
        self._span = self._parent.child("segment", **self._facts)
        self._span.note(cache="miss", wait_seconds=round(wait_seconds, 3))

    def end(self, sound: Future[Sound]) -> None:
        """To be called with the finished future of the segment."""
        error = sound.exception()
        if error is None:
            self._span.note(audio_seconds=round(sound.result().seconds, 3))
        self._span.end(error)

    def note_hit(self) -> None:
        """Notes that the sound was cached after all."""
        self._span.note(cache="hit")

    def record_hit(self, began_at: float, sound: Sound) -> None:
        """Records a segment that is not queued, because its sound was cached. `began_at`: seconds since 1970."""
        with self._parent.child("segment", started_at=began_at, **self._facts) as span:
            span.note(cache="hit", audio_seconds=round(sound.seconds, 3))

    @property
    def _facts(self) -> Facts:
        segment = self._segment
        return {"engine": self._engine.name, "n_characters": len(segment.text), "n_phonemes": segment.n_phonemes}
