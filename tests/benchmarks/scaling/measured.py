"""What the simulation takes as given: service times, start-up and prices, measured on one machine or stated."""

import msgspec


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one worker. `python -m tests.benchmarks.sizing` measures those without another source."""

    cpu_seconds_per_audio_second: float = 0.38
    """CPU time of one second of speech on all cores of an idle machine: 0.36 for the engine, the rest for API and Redis."""
    seconds_per_character: float = 0.06
    """Speech of one character of English prose."""
    first_segment_seconds: float = 2.4
    """Speech of the first segment, which is short."""
    segment_seconds: float = 6.4
    """Speech of the other segments."""
    n_cores: int = 2
    """Cores, and so compute threads, of a worker."""
    start_seconds: float = 25.0
    """From the decision to start a worker until it takes work, on a busy machine."""
    n_slots: int = 32
    """Utterances that a worker takes at a time (`KOE_SLOTS`)."""
    max_wait_seconds: float = 30.0
    """`KOE_MAX_WAIT`: as many listeners are admitted as can be served within it."""
    usd_per_core_hour: float = 0.05

    @property
    def worker_pace(self) -> float:
        """Seconds of audio that a worker speaks in a second."""
        return self.n_cores / self.cpu_seconds_per_audio_second

    @property
    def first_audio_pace(self) -> float:
        """Listeners in a second to whom a worker can speak their first segment."""
        return self.worker_pace / self.first_segment_seconds
