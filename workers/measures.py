"""The counts of one worker process. They stay in memory; `app.core.metrics.handover` hands them over every few seconds."""

from collections.abc import Sequence
from enum import StrEnum

from app.core.metrics.instruments import counter, histogram, new_registry


class WebhookOutcome(StrEnum):
    """How a try to send a webhook ended."""

    DELIVERED = "delivered"
    FAILED = "failed"
    GIVEN_UP = "given_up"
    UNWANTED = "unwanted"


class Measures:
    """The counts since the worker started. Thread-safe. No label holds anything that a client chose."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self._queue_wait = histogram("koe_queue_wait_seconds", self.registry)
        self._synthesis = histogram("koe_synthesis_seconds", self.registry)
        self._realtime_factor = histogram("koe_realtime_factor_ratio", self.registry)
        self._segment_audio = histogram("koe_segment_audio_seconds", self.registry)
        self._encoding = histogram("koe_encoding_seconds", self.registry)
        self._segment_hits = counter("koe_segment_hits_total", self.registry)
        self._retries = counter("koe_retries_total", self.registry)
        self._job = histogram("koe_job_seconds", self.registry)
        self._webhooks = counter("koe_webhooks_total", self.registry)

    def record_wait(self, lane: str, seconds: float) -> None:
        """Records how long a task waited in its queue. `lane`: the name of the queue."""
        self._queue_wait.labels(lane).observe(max(0.0, seconds))

    def record_synthesis(self, engine: str, seconds: float, audio_seconds: Sequence[float]) -> None:
        """Records one call of an engine. `audio_seconds`: the length of each segment that it spoke."""
        self._synthesis.labels(engine).observe(seconds)
        for one in audio_seconds:
            self._segment_audio.labels(engine).observe(one)
        if total := sum(audio_seconds):
            self._realtime_factor.labels(engine).observe(seconds / total)

    def record_encoding(self, format_name: str, seconds: float) -> None:
        """Records how long one task was in its encoder."""
        self._encoding.labels(format_name).observe(seconds)

    def count_segment_hit(self) -> None:
        """Counts a segment that was found in the cache."""
        self._segment_hits.inc()

    def count_retry(self) -> None:
        """Counts an utterance or a step of a job that is begun again after a failure."""
        self._retries.inc()

    def record_job(self, seconds: float) -> None:
        """Records a completed job."""
        self._job.observe(max(0.0, seconds))

    def count_webhook(self, outcome: WebhookOutcome) -> None:
        """Counts a try to send a webhook."""
        self._webhooks.labels(outcome.value).inc()
