"""SynthesisTask: one utterance, or one part of a job, on its way through the synthesizer.

Why the synthesizer knows only this protocol: a listener's utterance goes to a stream and a job's part goes to a file, but both
are spoken in the same way.
"""

from collections.abc import Sequence
from typing import Protocol

from app.core.queue.broker import QueueName
from app.core.speech.utterance import Utterance
from app.core.speech.word_times import TimedWord
from app.core.tracing.spans import NO_SPAN, Span
from workers.engines.base import Segment
from workers.synthesis.audio import Sound


class SynthesisTask(Protocol):
    """The destination of the bytes, the cache of the segments, and whether the speech is still wanted."""

    name: str
    """Unique in this process."""
    utterance: Utterance
    queue_name: QueueName
    owner: str
    """Owner whose share of the machine is used."""
    listening_seconds: float
    """Seconds since the listener got the first audio; more than 0 only if an earlier worker has spoken a part of it."""
    heard_seconds: float = 0.0
    """Seconds for which the listener still hears something else: speech that comes before this one."""
    plays: bool = False
    """Whether somebody listens while it is spoken. The beginning of the text is then spoken in pieces."""
    span: Span = NO_SPAN
    """The span of the task; its steps become children of it."""

    def write(self, data: bytes) -> None:
        """Receives the encoded bytes in order. An exception ends the task."""
        ...

    def check(self, lead_seconds: float) -> None:
        """Called between segments with the length of the audio that the listener has left. An exception, such as Cancelled,
        ends the task here.
        """
        ...

    def check_cancelled(self) -> None:
        """Called often while the text is prepared. Raises Cancelled when the speech is no longer wanted."""
        ...

    def write_words(self, words: Sequence[TimedWord]) -> None:
        """Receives words before the bytes of their audio. An exception ends the task."""
        ...

    def find(self, segment: Segment) -> Sound | None:
        """Returns the cached sound of the segment, or None if it must be spoken. Thread-safe."""
        ...

    def begin(self, segment: Segment) -> None:
        """Called from a compute thread before an engine speaks the segment."""
        ...

    def cache_segment(self, segment: Segment, sound: Sound) -> None:
        """Called from a compute thread when the segment is spoken, before it is encoded."""
        ...

    def on_spoken(self) -> None:
        """Called when only encoding is left."""
        ...
